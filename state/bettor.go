package state

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"

	"tipoff"
	"tipoff/wire"
)

// Bounds of a bettor's state.
const (
	HistoryLegs     = 30  // last legs kept for learning
	HistoryForPairs = 10  // of those, how many pair up with a new leg
	MaxLegs         = 512 // legs kept in all: the history, the open and the waiting
	MaxCoupons      = 256 // coupon ids kept to recognise a repeat
	MaxWaiting      = 512 // coupon ids kept while some wait for their events
	MaxSports       = 16
	MaxLeagues      = 21
	MaxTeams        = 25
	MaxTastes       = 8   // markets, and ranges of odds
	maxRefused      = 256 // as many records may be delivered again; see MaxCoupons
)

// Bettor is what is known of one user of one company: the profile, the taste,
// and the bets that still matter.
type Bettor struct {
	Epoch uint64 // of the processor that wrote this value
	Known bool   // posted; a bettor may bet before
	User  tipoff.User

	Users   Position // on the users' topic
	Coupons Position // on the coupons' topic

	LegCount uint64  // resolved and counted
	Weight   float64 // of the resolved legs, decayed to At
	At       int64   // Unix seconds that all weights here refer to
	Sports, Leagues, Teams,
	Markets, Odds []Affinity // by key

	Bets    []Bet   // by time, oldest first
	Floor   int64   // bets as old as this or older may be forgotten; 0: none is
	Refused []int64 // offsets of the last coupons that were too old
}

// Bet is a coupon as the bettor's state keeps it.
type Bet struct {
	Coupon  uint64   // [CouponRef]: 48 bits of the id, 16 of the content
	Record  Position // that was counted, on the topic that was read
	At      int64    // Unix seconds
	Waiting uint64   // a bit a selection that has not come back from its fixture
	Legs    []BetLeg
}

// BetLeg is one leg of a bet: of the last ones, of an open event, or waiting.
type BetLeg struct {
	Event uint64 // [tipoff.EventRef]
	Begin int64  // Unix seconds, whole minutes; 0: not known yet, [begun]: past
}

// begun is the [BetLeg.Begin] of an event that has begun: when no longer matters.
const begun = 1

// HasBegun says whether the leg's event had begun when the bettor's state last changed.
func (l BetLeg) HasBegun() bool { return l.Begin == begun }

// Verdict says what a coupon means to a bettor's state.
type Verdict int

// The verdicts of [Bettor.AddCoupon].
const (
	NewBet     Verdict = iota // it counts
	AgainBet                  // the same record as before: send the same messages again
	RepeatBet                 // the same coupon posted again, or one forgotten meanwhile: nothing to do
	DiffersBet                // another content under an id that stands: rejected
	TooOldBet                 // older than every id that is kept: it may be a repeat, rejected
)

// Name is the short form of a sport's, league's, team's, market's or country's
// name; case and surrounding space do not matter. 0 stands for no name.
func Name(parts ...string) uint32 {
	var d xxhash.Digest
	d.Reset()
	for _, part := range parts {
		writeLower(&d, strings.TrimSpace(part))
		_, _ = d.WriteString("\x1f")
	}
	return uint32(d.Sum64())
}

// writeLower writes a text in lower case; one in ASCII needs no copy of it.
func writeLower(d *xxhash.Digest, text string) {
	var lower [64]byte
	for start := 0; start < len(text); start += len(lower) {
		part := text[start:min(len(text), start+len(lower))]
		for i := range len(part) {
			c := part[i]
			if c >= utf8.RuneSelf {
				_, _ = d.WriteString(strings.ToLower(text[start:]))
				return
			}
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			lower[i] = c
		}
		_, _ = d.Write(lower[:len(part)])
	}
}

// CouponRef is the short form of a coupon inside a bettor's state: 48 bits of its
// id's hash and below them 16 of its content's, so that a repeat is known from a
// contradiction.
func CouponRef(c *tipoff.Coupon) uint64 {
	content := wire.Sum(func(w *wire.Writer) {
		w.Float(c.Stake)
		w.Int(c.Timestamp.UnixMicro())
		w.Raw(c.Extra)
		for _, s := range c.Selections {
			w.Text(s.EventID)
			w.Float(s.Odds)
			w.Text(s.Market)
			w.Text(s.Outcome)
		}
	}, xxhash.Sum64)
	return CouponIDRef(c.ID) | content&0xffff
}

// CouponIDRef is the part of a [CouponRef] that is of the coupon's id alone.
func CouponIDRef(id string) uint64 { return xxhash.Sum64String(id) &^ 0xffff }

// SameCouponID says whether two [CouponRef]s are of one id.
func SameCouponID(a, b uint64) bool { return (a^b)&^0xffff == 0 }

// betTime is when a coupon counts as made: its own time, but not after it was
// received, so that a client's clock cannot make the past fade.
func betTime(c *tipoff.Coupon, received int64) int64 { return min(c.Timestamp.Unix(), received) }

// Country is the [Name] of the bettor's country, 0 while it is not known.
func (b *Bettor) Country() uint32 {
	if !b.Known {
		return 0
	}
	return Name(b.User.Country)
}

// Post sets the user to a later post.
func (b *Bettor) Post(u tipoff.User, at Position) {
	if b.Users.Advance(at) {
		b.User.Replace(u)
		b.Known = true
	}
}

// AddCoupon adds a coupon. For [NewBet] and [AgainBet] the caller sends what
// [Bettor.LegsOf] returns. The coupon is known by its position at, and the record that
// brought it by the cause, its position on the topic that was read: they differ where the
// topic holds copies, of which the second one sends nothing.
func (b *Bettor) AddCoupon(c *tipoff.Coupon, at Position, cause Cause, received int64) Verdict {
	record := cause.Position
	applied := !b.Coupons.Advance(at)
	ref, made := CouponRef(c), betTime(c, received)
	i := b.find(ref)
	switch {
	case i >= 0 && b.Bets[i].Record.Same(record):
		return AgainBet
	case i >= 0 && b.Bets[i].Coupon != ref:
		return DiffersBet
	case i >= 0:
		return RepeatBet
	case applied && b.hasRefused(at.Offset):
		return TooOldBet
	case applied:
		return RepeatBet
	case b.maybeForgotten(made):
		b.Refused = append(b.Refused, at.Offset)
		b.Refused = b.Refused[max(0, len(b.Refused)-maxRefused):]
		return TooOldBet
	}
	bet := Bet{Coupon: ref, Record: record, At: made, Waiting: 1<<len(c.Selections) - 1, Legs: make([]BetLeg, len(c.Selections))}
	for i, s := range c.Selections {
		bet.Legs[i].Event = tipoff.EventRef(s.EventID)
	}
	after := len(b.Bets)
	for after > 0 && b.Bets[after-1].At > made {
		after--
	}
	b.Bets = slices.Insert(b.Bets, after, bet)
	b.forgetLegs(received)
	b.forgetBets(&cause)
	return NewBet
}

// hasRefused says whether the coupon at a place was refused as too old.
func (b *Bettor) hasRefused(sequence int64) bool {
	return slices.ContainsFunc(b.Refused, func(s int64) bool { return tipoff.SequenceSame(s, sequence) })
}

// maybeForgotten says that a bet made then may have been forgotten. More bets of one
// moment than are kept pass for new ones: to refuse them would lose them.
func (b *Bettor) maybeForgotten(made int64) bool {
	if b.Floor == 0 || made > b.Floor {
		return false
	}
	return made < b.Floor || len(b.Bets) > 0 && b.Bets[len(b.Bets)-1].At > b.Floor
}

// find returns the index of the coupon with ref's id in Bets, or -1.
func (b *Bettor) find(ref uint64) int {
	for i := len(b.Bets) - 1; i >= 0; i-- {
		if b.Bets[i].Coupon>>16 == ref>>16 {
			return i
		}
	}
	return -1
}

// forgetLegs drops the legs that no longer matter at now: those that have begun and are
// not among the last ones.
func (b *Bettor) forgetLegs(now int64) {
	kept := 0
	for i := len(b.Bets) - 1; i >= 0; i-- {
		bet := &b.Bets[i]
		for j := len(bet.Legs) - 1; j >= 0; j-- {
			leg := &bet.Legs[j]
			if leg.Begin != 0 && leg.Begin <= now {
				leg.Begin = begun
			}
			matters := leg.Begin != begun || kept < HistoryLegs
			if matters && kept < MaxLegs {
				kept++
			} else {
				bet.Legs = slices.Delete(bet.Legs, j, j+1)
			}
		}
	}
}

// forgetBets drops the oldest coupon ids, but none whose legs wait, or may have to be sent
// again as they are not acknowledged yet. The cause is the record that is added.
func (b *Bettor) forgetBets(cause *Cause) {
	for len(b.Bets) > MaxCoupons {
		oldest := slices.IndexFunc(b.Bets, func(bet Bet) bool { return bet.Waiting == 0 && cause.finished(bet.Record) })
		if oldest < 0 {
			if len(b.Bets) <= MaxWaiting {
				return
			}
			oldest = b.firstAdded()
		}
		if at := b.Bets[oldest].At; b.Floor == 0 || at > b.Floor {
			b.Floor = cmp.Or(at, 1)
		}
		b.Bets = slices.Delete(b.Bets, oldest, oldest+1)
	}
}

// firstAdded is the index of the bet that was added before all others. Its messages
// have long been sent, while the one added last, be it the oldest by its time, may be
// delivered again before they are.
func (b *Bettor) firstAdded() int {
	first := 0
	for i := range b.Bets {
		if b.Bets[i].Record.Offset < b.Bets[first].Record.Offset {
			first = i
		}
	}
	return first
}

// LegsOf returns the messages of a coupon that was added, one for each selection, in order.
// They follow from the coupon and this state, so that they can be created again; cause
// is the coupon's record, and which of its partition are acknowledged.
func (b *Bettor) LegsOf(c *tipoff.Coupon, cause Cause, received int64) []Leg {
	ref, made := CouponRef(c), betTime(c, received)
	legs, events := make([]Leg, len(c.Selections)), make([]uint64, len(c.Selections))
	for i, s := range c.Selections {
		events[i] = tipoff.EventRef(s.EventID)
		legs[i] = Leg{
			Cause:   cause,
			UserID:  c.UserID,
			EventID: s.EventID,
			Coupon:  ref,
			At:      made,
			Odds:    s.Odds,
			Market:  s.Market,
			Outcome: s.Outcome,
		}
		legs[i].Index = i
	}
	for i, history := range b.histories(ref, made, cause.Position, events) {
		legs[i].History = history
	}
	return legs
}

// histories are what the legs of a coupon on these events have as their [Leg.History].
func (b *Bettor) histories(ref uint64, made int64, record Position, events []uint64) [][]uint64 {
	past := b.before(ref, made, record, len(events))
	histories := make([][]uint64, len(events))
	all := make([]uint64, 0, len(events)*min(HistoryForPairs, len(past)+len(events)))
	for i, event := range events {
		begin := len(all)
		for _, other := range past {
			if other != event && len(all)-begin < HistoryForPairs {
				all = append(all, other)
			}
		}
		if len(all) > begin {
			histories[i] = all[begin:len(all):len(all)]
		}
		past = slices.Insert(slices.DeleteFunc(past, func(other uint64) bool { return other == event }), 0, event)
	}
	return histories
}

// before lists the distinct events bet on before a coupon, newest first. Where the
// coupon's messages are created again, the bets added since do not count. There is room for
// so many more.
func (b *Bettor) before(ref uint64, made int64, record Position, more int) []uint64 {
	end := b.find(ref)
	if end < 0 { // forgotten meanwhile, or not here yet
		end = 0
		for end < len(b.Bets) && b.Bets[end].At <= made {
			end++
		}
	}
	events := make([]uint64, 0, HistoryForPairs+1+more)
	for i := end - 1; i >= 0 && len(events) <= HistoryForPairs; i-- {
		if other := b.Bets[i].Record; other.Source == record.Source && tipoff.SequenceBefore(record.Offset, other.Offset) {
			continue
		}
		for j := len(b.Bets[i].Legs) - 1; j >= 0 && len(events) <= HistoryForPairs; j-- {
			if event := b.Bets[i].Legs[j].Event; !slices.Contains(events, event) {
				events = append(events, event)
			}
		}
	}
	return events
}

// Apply counts a leg that came back from its fixture, once.
func (b *Bettor) Apply(r *Resolved, now int64) {
	i := b.find(r.Coupon)
	if i < 0 || b.Bets[i].Coupon != r.Coupon || b.Bets[i].Waiting&(1<<r.Index) == 0 {
		return
	}
	bet := &b.Bets[i]
	bet.Waiting &^= 1 << r.Index
	for j := range bet.Legs {
		if bet.Legs[j].Event == r.Event {
			bet.Legs[j].Begin = max(60, r.Begin/60*60)
		}
	}
	switch {
	case b.LegCount == 0:
		b.At = r.At
	case r.At > b.At:
		b.fade(Decay(r.At-b.At, TasteHalfLife))
		b.At = r.At
	}
	weight := Decay(b.At-r.At, TasteHalfLife)
	b.LegCount++
	b.Weight += weight
	b.Sports = like(b.Sports, r.Sport, weight, MaxSports)
	b.Leagues = like(b.Leagues, r.League, weight, MaxLeagues)
	for _, team := range r.Teams {
		b.Teams = like(b.Teams, team, weight, MaxTeams)
	}
	if r.Market != "" {
		b.Markets = like(b.Markets, Name(r.Market), weight, MaxTastes)
	}
	b.Odds = like(b.Odds, oddsRange(r.Odds), weight, MaxTastes)
	b.forgetLegs(now)
}

// LastEvents appends the distinct events of the bettor's last legs, newest first.
func (b *Bettor) LastEvents(most int, events []uint64) []uint64 {
	for i := len(b.Bets) - 1; i >= 0; i-- {
		for j := len(b.Bets[i].Legs) - 1; j >= 0; j-- {
			if len(events) == most {
				return events
			}
			if event := b.Bets[i].Legs[j].Event; !slices.Contains(events, event) {
				events = append(events, event)
			}
		}
	}
	return events
}
