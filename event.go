package tipoff

import (
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/go-json-experiment/json/jsontext"
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

// Event is a fixture on which bets are taken, as posted. A newer post replaces
// it whole; an [EventPatch] replaces some of it.
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
	Status       string         `json:"status"`
	Result       string         `json:"result,omitempty"`
	Markets      []Market       `json:"markets,omitempty"`
	Extra        jsontext.Value `json:"extra,omitzero"`
}

// Market is one question about an event, with the prices of its answers.
type Market struct {
	Market   string    `json:"market"`
	Outcomes []Outcome `json:"outcomes"`
}

// Outcome is one answer to a market and its decimal odds.
type Outcome struct {
	Outcome string  `json:"outcome"`
	Odds    float64 `json:"odds"`
}

// Open says whether the event may be recommended at now: open and not begun.
func (e *Event) Open(now time.Time) bool {
	return e.Status == StatusOpen && now.Before(e.Begin)
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
}

// Apply changes e as p says. An event moved past its end ends when it begins.
func (p *EventPatch) Apply(e *Event) {
	if p.Status != "" {
		e.Status = p.Status
	}
	if p.Result != "" {
		e.Result = p.Result
	}
	if p.Markets != nil {
		e.Markets = p.Markets
	}
	if !p.Begin.IsZero() {
		e.Begin = p.Begin
		if e.End.Before(e.Begin) {
			e.End = e.Begin
		}
	}
}

// Merge adds a later patch of the same event to p.
func (p *EventPatch) Merge(later EventPatch) {
	p.ID = later.ID
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
	e := Event{Status: StatusOpen, Participants: []string{}}
	r := newReader(data, how)
	r.object(func(name string) bool {
		switch name {
		case "event_id":
			e.ID = r.id()
		case "begin_timestamp":
			e.Begin = r.time()
		case "end_timestamp":
			e.End = r.time()
		case "country":
			e.Country = r.text(MaxName)
		case "league":
			e.League = r.text(MaxID)
		case "sport":
			e.Sport = r.text(MaxID)
		case "participants":
			r.list(0, MaxParticipants, func() { e.Participants = append(e.Participants, r.text(MaxName)) })
		case "home":
			e.Home = r.text(MaxName)
		case "away":
			e.Away = r.text(MaxName)
		case "status":
			e.Status = r.status()
		case "result":
			e.Result = r.text(MaxName)
		case "markets":
			if e.Markets = r.markets(); len(e.Markets) == 0 {
				e.Markets = nil
			}
		case "extra":
			e.Extra = r.extra()
		default:
			return false
		}
		return true
	}, "event_id", "begin_timestamp", "end_timestamp", "country", "league", "sport", "participants")
	if !e.Begin.IsZero() && !e.End.IsZero() && e.End.Before(e.Begin) {
		r.faultAt("end_timestamp", "must not be before begin_timestamp")
	}
	return e, r.finish()
}

// DecodeEventPatch reads a patch of the event id; the error is [Faults]. The
// body's own event_id may be left out, as the route names it.
func DecodeEventPatch(data []byte, id string, how Reading) (EventPatch, error) {
	p := EventPatch{Patch: true, ID: id}
	fields := 0
	r := newReader(data, how)
	r.object(func(name string) bool {
		fields++
		switch name {
		case "event_id":
			fields--
			if got := r.id(); id != "" && got != id {
				r.fault("must be the event of the route, %q", id)
			} else {
				p.ID = got
			}
		case "patch":
			if how.Strict {
				return false
			}
			fields--
			r.skip()
		case "status":
			p.Status = r.status()
		case "result":
			p.Result = r.text(MaxName)
		case "markets":
			p.Markets = r.markets()
		case "begin_timestamp":
			before := len(r.faults)
			if p.Begin = r.time(); p.Begin.IsZero() && len(r.faults) == before { // it would say that nothing changes
				r.fault("must be after 0001-01-01T00:00:00Z")
			}
		default:
			if !how.Strict {
				fields--
			}
			return false
		}
		return true
	})
	if fields == 0 && !r.broken {
		r.fault("must change at least one of status, result, markets, begin_timestamp")
	}
	return p, r.finish()
}

func (r *reader) status() string {
	return r.oneOf(StatusOpen, StatusSuspended, StatusCancelled, StatusFinished)
}

func (r *reader) markets() []Market {
	markets, all := []Market{}, 0
	r.list(0, MaxMarkets, func() {
		var m Market
		r.object(func(name string) bool {
			switch name {
			case "market":
				m.Market = r.text(MaxID)
				for _, other := range markets {
					if other.Market == m.Market {
						r.fault("must name each market once, %q stands twice", m.Market)
					}
				}
			case "outcomes":
				m.Outcomes = r.outcomes()
			default:
				return false
			}
			return true
		}, "market", "outcomes")
		all += len(m.Outcomes)
		markets = append(markets, m)
	})
	if all > MaxAllOutcomes {
		r.fault("must have at most %d outcomes in all, has %d", MaxAllOutcomes, all)
	}
	return markets
}

func (r *reader) outcomes() []Outcome {
	outcomes := []Outcome{}
	r.list(0, MaxOutcomes, func() {
		var o Outcome
		r.object(func(name string) bool {
			switch name {
			case "outcome":
				o.Outcome = r.text(MaxID)
				for _, other := range outcomes {
					if other.Outcome == o.Outcome {
						r.fault("must name each outcome once, %q stands twice", o.Outcome)
					}
				}
			case "odds":
				o.Odds = r.number(1, MaxOdds, false)
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
// the old API shows beside it: 48 bits of its hash, which every JSON reader holds
// exactly. Two of a company's million events share one with a chance of 1 in 500.
func EventRef(eventID string) uint64 { return xxhash.Sum64String(eventID) >> 16 }
