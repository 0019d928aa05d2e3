package tipoff

import (
	"cmp"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tipoff/fields"
)

// Bounds of an event.
const (
	MaxParticipants = 50
	MaxMarkets      = 50
	MaxOutcomes     = 50  // of one market
	MaxAllOutcomes  = 500 // of all markets of an event
	MaxOdds         = 1e6
)

// The states of an event. Only an open one is ever recommended.
const (
	StatusOpen      = "open"
	StatusSuspended = "suspended"
	StatusCancelled = "cancelled"
	StatusFinished  = "finished"
)

// Event is a fixture on which bets are taken. Of a post, status, result, markets and
// version are zero where it does not name them; see [Event.Replace]. An [EventPatch]
// replaces some of it.
type Event struct {
	ID           string         `json:"event_id"`
	Begin        time.Time      `json:"begin_timestamp"`
	End          time.Time      `json:"end_timestamp"`
	Country      string         `json:"country"`
	League       string         `json:"league"`
	Sport        string         `json:"sport"`
	Participants []string       `json:"participants"`
	Home         string         `json:"home,omitempty"`
	Away         string         `json:"away,omitempty"`
	Status       string         `json:"status,omitempty"`
	Result       string         `json:"result,omitempty"`
	Markets      []Market       `json:"markets,omitzero"` // posted empty: takes all away
	Extra        jsontext.Value `json:"extra,omitzero"`
	Version      Version        `json:"version,omitzero"`
}

// Market is one question about an event, with the prices of its outcomes.
type Market struct {
	Market   string    `json:"market"`
	Outcomes []Outcome `json:"outcomes"`
}

// Outcome is one way in which a market may end, and its decimal odds.
type Outcome struct {
	Outcome string  `json:"outcome"`
	Odds    float64 `json:"odds"`
}

// Open says whether the event may be recommended at now: open and not begun.
func (e *Event) Open(now time.Time) bool {
	return e.Status == StatusOpen && now.Before(e.Begin)
}

// Replace sets e to a later post of the same event. Status, result, markets and version
// that it does not name stay as they are, and the status of an event that was never
// given one is open. A post of an older version changes nothing.
func (e *Event) Replace(later Event) {
	if later.Version.OlderThan(e.Version) {
		return
	}
	later.Status = cmp.Or(later.Status, e.Status, StatusOpen)
	later.Result = cmp.Or(later.Result, e.Result)
	if later.Markets == nil {
		later.Markets = e.Markets
	}
	if len(later.Markets) == 0 {
		later.Markets = nil
	}
	later.Version = later.Version.Or(e.Version)
	*e = later
}

// Digest tells the posts of an event apart.
func (e *Event) Digest() uint64 {
	value, err := json.Marshal(e)
	if err != nil { // only values that were decoded and validated come here
		panic(fmt.Sprintf("marshal event: %v", err))
	}
	return max(1, xxhash.Sum64(value))
}

// EventPatch changes some fields of an event that is posted already, or will be:
// then it waits for its event.
type EventPatch struct {
	Patch   bool      `json:"patch"` // true on the topic, where it tells a patch from an event
	ID      string    `json:"event_id"`
	Status  string    `json:"status,omitempty"`
	Result  string    `json:"result,omitempty"`
	Markets []Market  `json:"markets,omitzero"` // empty: takes all away
	Begin   time.Time `json:"begin_timestamp,omitzero"`
	Version Version   `json:"version,omitzero"`
}

// Announce returns the event as it is after its first post, when p is the changes that
// came before it: they change what was posted, unless that is of a newer version.
// Where they do, covered is the digest of the post, by which its repeat is known; a
// repeat would undo them.
func (p *EventPatch) Announce(first Event) (e Event, covered uint64) {
	if p.Version.OlderThan(first.Version) {
		p.Apply(&e)
		e.Replace(first)
		return e, 0
	}
	e.Replace(first)
	if p.Status != "" || p.Result != "" || p.Markets != nil || !p.Begin.IsZero() {
		covered = first.Digest()
	}
	p.Apply(&e)
	return e, covered
}

// Apply changes e as p says, unless p is of an older version. An event moved past its
// end ends when it begins.
func (p *EventPatch) Apply(e *Event) {
	if p.Version.OlderThan(e.Version) {
		return
	}
	e.Version = p.Version.Or(e.Version)
	if p.Status != "" {
		e.Status = p.Status
	}
	if p.Result != "" {
		e.Result = p.Result
	}
	if p.Markets != nil {
		e.Markets = nil
		if len(p.Markets) > 0 {
			e.Markets = p.Markets
		}
	}
	if !p.Begin.IsZero() {
		e.Begin = p.Begin
		if e.End.Before(e.Begin) {
			e.End = e.Begin
		}
	}
}

// Merge adds a later patch of the same event to p, unless that is of an older version.
func (p *EventPatch) Merge(later EventPatch) {
	if later.Version.OlderThan(p.Version) {
		return
	}
	p.ID, p.Version = later.ID, later.Version.Or(p.Version)
	if later.Status != "" {
		p.Status = later.Status
	}
	if later.Result != "" {
		p.Result = later.Result
	}
	if later.Markets != nil {
		p.Markets = later.Markets
	}
	if !later.Begin.IsZero() {
		p.Begin = later.Begin
	}
}

// DecodeEvent reads an event; the error is [Faults].
func DecodeEvent(data []byte, how Reading) (Event, error) {
	e := Event{Participants: []string{}}
	r := fields.NewReader(data, how.Strict)
	r.Object(func(name string) bool {
		switch name {
		case "event_id":
			e.ID = r.ID()
		case "begin_timestamp":
			e.Begin = r.Time()
		case "end_timestamp":
			e.End = r.Time()
		case "country":
			e.Country = r.Text(MaxName)
		case "league":
			e.League = r.Text(MaxID)
		case "sport":
			e.Sport = r.Text(MaxID)
		case "participants":
			r.List(0, MaxParticipants, func() { e.Participants = append(e.Participants, r.Text(MaxName)) })
		case "home":
			e.Home = r.Text(MaxName)
		case "away":
			e.Away = r.Text(MaxName)
		case "status":
			e.Status = readStatus(r)
		case "result":
			e.Result = r.Text(MaxName)
		case "markets":
			e.Markets = readMarkets(r)
		case "extra":
			e.Extra = r.Extra()
		case "version":
			e.Version = readVersion(r)
		default:
			return false
		}
		return true
	}, "event_id", "begin_timestamp", "end_timestamp", "country", "league", "sport", "participants")
	if !e.Begin.IsZero() && !e.End.IsZero() && e.End.Before(e.Begin) {
		r.FaultAt("end_timestamp", "must not be before begin_timestamp")
	}
	return e, r.End()
}

// DecodeEventPatch reads a patch of the event id; the error is [Faults]. The
// body's own event_id may be left out, as the route names it.
func DecodeEventPatch(data []byte, id string, how Reading) (EventPatch, error) {
	p := EventPatch{Patch: true, ID: id}
	changes := 0
	r := fields.NewReader(data, how.Strict)
	r.Object(func(name string) bool {
		changes++
		switch name {
		case "event_id":
			changes--
			if got := r.ID(); id != "" && got != id {
				r.Fault("must be the event of the route, %q", id)
			} else {
				p.ID = got
			}
		case "patch":
			if how.Strict {
				return false
			}
			changes--
			r.Skip()
		case "status":
			p.Status = readStatus(r)
		case "result":
			p.Result = r.Text(MaxName)
		case "markets":
			p.Markets = readMarkets(r)
		case "version": // orders changes, and is none
			changes--
			p.Version = readVersion(r)
		case "begin_timestamp":
			before := r.Faults()
			if p.Begin = r.Time(); p.Begin.IsZero() && r.Faults() == before { // it would say that nothing changes
				r.Fault("must be after 0001-01-01T00:00:00Z")
			}
		default:
			if !how.Strict {
				changes--
			}
			return false
		}
		return true
	})
	if changes == 0 && !r.Broken() {
		r.Fault("must change at least one of status, result, markets, begin_timestamp")
	}
	return p, r.End()
}

func readStatus(r *fields.Reader) string {
	return r.OneOf(StatusOpen, StatusSuspended, StatusCancelled, StatusFinished)
}

func readMarkets(r *fields.Reader) []Market {
	markets, all := []Market{}, 0
	r.List(0, MaxMarkets, func() {
		var m Market
		r.Object(func(name string) bool {
			switch name {
			case "market":
				m.Market = r.Text(MaxID)
				for _, other := range markets {
					if other.Market == m.Market {
						r.Fault("must name each market once, %q stands twice", m.Market)
					}
				}
			case "outcomes":
				m.Outcomes = readOutcomes(r)
			default:
				return false
			}
			return true
		}, "market", "outcomes")
		all += len(m.Outcomes)
		markets = append(markets, m)
	})
	if all > MaxAllOutcomes {
		r.Fault("must have at most %d outcomes in all, has %d", MaxAllOutcomes, all)
	}
	return markets
}

func readOutcomes(r *fields.Reader) []Outcome {
	outcomes := []Outcome{}
	r.List(0, MaxOutcomes, func() {
		var o Outcome
		r.Object(func(name string) bool {
			switch name {
			case "outcome":
				o.Outcome = r.Text(MaxID)
				for _, other := range outcomes {
					if other.Outcome == o.Outcome {
						r.Fault("must name each outcome once, %q stands twice", o.Outcome)
					}
				}
			case "odds":
				o.Odds = r.Number(1, MaxOdds, false)
			default:
				return false
			}
			return true
		}, "outcome", "odds")
		outcomes = append(outcomes, o)
	})
	return outcomes
}

// EventRef is the short form of an event's id inside tables and the integer that
// the old API shows beside it: 48 bits of its hash, which every JSON reader keeps
// exactly. Two of a company's million events share one with a chance of 1 in 500.
func EventRef(eventID string) uint64 { return xxhash.Sum64String(eventID) >> 16 }
