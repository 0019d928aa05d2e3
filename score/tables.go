package score

import (
	"fmt"
	"math"
	"slices"
	"time"

	"tipoff"
)

// tableVersion is that of every table value which this program writes. Older ones are
// read, newer ones are refused, never misread.
const tableVersion = 2

// listOfOdds is the place of the odds among a bettor's affinities: their keys are small.
const listOfOdds = 4

// manyLegs is the number of legs of a bet from which on it stands by itself.
const manyLegs = 31

// Epoch is the ownership under which a table value was written; see
// [Bettor.Epoch]. It stands first in all of them.
func Epoch(value []byte) uint64 {
	u := &unwire{b: value}
	u.byte()
	return u.uint()
}

// CheckVersion refuses a table value of a version that this program does not know,
// as a newer one may have written it.
func CheckVersion(value []byte) error {
	switch {
	case len(value) == 0:
		return errWire
	case value[0] > tableVersion:
		return fmt.Errorf("it is of version %d, which this program does not know: deploy the newer program that wrote it, or fill the tables again with tipoff rebuild", value[0])
	case value[0] == 0:
		return errWire
	}
	return nil
}

// Marshal encodes the bettor for the table.
func (b *Bettor) Marshal() []byte {
	w := make(wire, 0, 512)
	w.byte(tableVersion)
	w.uint(b.Epoch)
	w.flag(b.Known)
	if b.Known {
		w.user(&b.User)
	}
	w.position(b.Users)
	w.position(b.Coupons)
	w.uint(b.Legs)
	w.float(b.Weight)
	w.int(b.At)
	w.affinities([][]Affinity{b.Sports, b.Leagues, b.Teams, b.Markets, b.Odds})
	w.int(b.Floor)
	w.uint(uint64(len(b.Refused)))
	for _, offset := range b.Refused {
		w.int(offset)
	}
	w.uint(uint64(len(b.Bets)))
	at, record := b.At, b.Coupons
	for i := range b.Bets {
		bet := &b.Bets[i]
		w.word64(bet.Coupon)
		w.int(bet.Record.Offset - record.Offset)
		w.int(bet.At - at)
		head := bet.Waiting << 6 // few bits, as bets with many legs that wait are rare
		head |= min(uint64(len(bet.Legs)), manyLegs) << 1
		if bet.Record.Source != record.Source {
			head |= 1
		}
		w.uint(head)
		if bet.Record.Source != record.Source {
			w.word32(bet.Record.Source)
		}
		if len(bet.Legs) >= manyLegs {
			w.uint(uint64(len(bet.Legs)))
		}
		at, record = bet.At, bet.Record
		for _, leg := range bet.Legs {
			w.ref(leg.Event)
			w.uint(legTime(leg.Begin, bet.At))
		}
	}
	return w
}

// affinities writes each weight once, as those of the sport, the league and the teams
// of one leg are the same until another one comes.
func (w *wire) affinities(lists [][]Affinity) {
	var weights []uint64 // the bits that are kept; see [short]
	for _, list := range lists {
		for _, a := range list {
			if bits := math.Float64bits(a.Weight) >> 16; !slices.Contains(weights, bits) {
				weights = append(weights, bits)
			}
		}
	}
	w.uint(uint64(len(weights)))
	for _, bits := range weights {
		w.ref(bits)
	}
	for kind, list := range lists {
		w.uint(uint64(len(list)))
		for _, a := range list {
			if kind == listOfOdds {
				w.uint(uint64(a.Key))
			} else {
				w.word32(a.Key)
			}
			w.uint(uint64(slices.Index(weights, math.Float64bits(a.Weight)>>16)))
		}
	}
}

func (u *unwire) affinities(lists []*[]Affinity, version byte) {
	var weights []float64
	if version > 1 {
		for range u.count(6) {
			weights = append(weights, math.Float64frombits(u.ref()<<16))
		}
	}
	for kind, list := range lists {
		n := u.count(2)
		if n > 0 {
			*list = make([]Affinity, n)
		}
		for i := range n {
			a := &(*list)[i]
			switch {
			case version == 1:
				*a = Affinity{u.word32(), u.float()}
				continue
			case kind == listOfOdds:
				a.Key = uint32(u.uint())
			default:
				a.Key = u.word32()
			}
			if which := u.uint(); which < uint64(len(weights)) {
				a.Weight = weights[which]
			} else {
				u.bad = true
			}
		}
	}
}

// legTime squeezes the beginning of a leg's event into few bytes: 0 unknown, 1
// begun, else the minutes from the bet to it, zigzag, plus 2.
func legTime(begin, at int64) uint64 {
	if begin == 0 || begin == begun {
		return uint64(begin)
	}
	minutes := begin/60 - at/60
	return uint64(minutes<<1^minutes>>63) + 2
}

func unlegTime(v uint64, at int64) int64 {
	if v < 2 {
		return int64(v)
	}
	v -= 2
	minutes := int64(v>>1) ^ -int64(v&1)
	return (at/60 + minutes) * 60
}

// UnmarshalBettor decodes a value of the bettors' table.
func UnmarshalBettor(value []byte) (*Bettor, error) {
	u := &unwire{b: value}
	version := u.byte()
	if version == 0 || version > tableVersion {
		return nil, errWire
	}
	b := &Bettor{Epoch: u.uint(), Known: u.flag()}
	if b.Known {
		b.User = u.user()
	}
	b.Users = u.position()
	b.Coupons = u.position()
	b.Legs = u.uint()
	b.Weight = u.float()
	b.At = u.int()
	u.affinities([]*[]Affinity{&b.Sports, &b.Leagues, &b.Teams, &b.Markets, &b.Odds}, version)
	b.Floor = u.int()
	for range u.count(1) {
		b.Refused = append(b.Refused, u.int())
	}
	if n := u.count(11); n > 0 {
		b.Bets = make([]Bet, n)
	}
	at, record := b.At, b.Coupons
	if version == 1 {
		at, record.Offset = 0, 0
	}
	for i := range b.Bets {
		bet := Bet{Coupon: u.word64(), Record: Position{record.Source, u.int() + record.Offset}, At: u.int() + at}
		head := u.uint()
		if head&1 == 1 {
			bet.Record.Source = u.word32()
		}
		legs := 0
		if version == 1 {
			bet.Waiting, legs = head>>1, u.count(7)
		} else if bet.Waiting, legs = head>>6, int(head>>1&manyLegs); legs == manyLegs {
			legs = u.count(7)
		}
		at, record = bet.At, bet.Record
		if legs > 0 && !u.bad {
			bet.Legs = make([]BetLeg, legs)
		}
		for j := range bet.Legs {
			bet.Legs[j] = BetLeg{Event: u.ref(), Begin: unlegTime(u.uint(), bet.At)}
		}
		b.Bets[i] = bet
	}
	return b, u.end()
}

// Marshal encodes the fixture for the table.
func (f *Fixture) Marshal() []byte {
	w := make(wire, 0, 512)
	w.byte(tableVersion)
	w.uint(f.Epoch)
	w.flag(f.Known)
	if f.Known {
		w.event(&f.Event)
		w.position(f.First)
	} else {
		w.patch(&f.Patch)
	}
	w.position(f.Events)
	w.uint(uint64(len(f.Applied)))
	for i := range f.Applied {
		w.applied(&f.Applied[i])
	}
	w.uint(f.Legs)
	w.int(f.FirstBet)
	w.decayed(f.Popularity)
	for _, d := range f.Paces {
		w.decayed(d)
	}
	w.uint(uint64(len(f.Outcomes)))
	for _, o := range f.Outcomes {
		w.text(o.Market)
		w.text(o.Outcome)
		w.uint(o.Bets)
	}
	w.uint(uint64(len(f.Neighbours)))
	for _, n := range f.Neighbours {
		w.ref(n.Event)
		w.uint(n.Weight)
	}
	w.uint(f.Waiters)
	return w
}

// UnmarshalFixture decodes a value of the fixtures' table, but not a [Chunk].
func UnmarshalFixture(value []byte) (*Fixture, error) {
	u := &unwire{b: value}
	version := u.byte()
	if version == 0 || version > tableVersion {
		return nil, errWire
	}
	f := &Fixture{Epoch: u.uint(), Known: u.flag()}
	if f.Known {
		f.Event = u.event()
		f.First = u.position()
	} else {
		f.Patch = u.patch()
	}
	f.Events = u.position()
	for range u.count(7) {
		f.Applied = append(f.Applied, u.applied())
	}
	f.Legs = u.uint()
	if version > 1 {
		f.FirstBet = u.int()
	}
	f.Popularity = u.decayed()
	if version == 1 && f.Legs > 0 { // which did not say; this is the newest one
		f.FirstBet = f.Popularity.At
	}
	if version > 1 {
		for i := range f.Paces {
			f.Paces[i] = u.decayed()
		}
	}
	for range u.count(3) {
		f.Outcomes = append(f.Outcomes, OutcomeBets{u.text(), u.text(), u.uint()})
	}
	if n := u.count(7); n > 0 {
		f.Neighbours = make([]Neighbour, n)
		for i := range f.Neighbours {
			f.Neighbours[i] = Neighbour{u.ref(), u.uint()}
		}
	}
	f.Waiters = u.uint()
	return f, u.end()
}

// Chunk is a table value of its own: some of the legs that wait for an event, so
// that a flood of early bets does not make the event's own value grow. The legs
// stay after the release, so that it can be repeated.
type Chunk struct {
	Epoch    uint64
	Released bool
	Legs     []Leg
}

// Wait adds a leg, unless it waits here already.
func (c *Chunk) Wait(leg *Leg) {
	for i := range c.Legs {
		if c.Legs[i].UserID == leg.UserID && c.Legs[i].Coupon == leg.Coupon && c.Legs[i].Index == leg.Index {
			return
		}
	}
	waiting := *leg
	waiting.History = nil // it is counted already
	c.Legs = append(c.Legs, waiting)
}

// Marshal encodes the chunk for the table.
func (c *Chunk) Marshal() []byte {
	w := make(wire, 0, 64*len(c.Legs)+8)
	w.byte(tableVersion)
	w.uint(c.Epoch)
	w.flag(c.Released)
	w.uint(uint64(len(c.Legs)))
	for i := range c.Legs {
		w.raw(MarshalMessage(&c.Legs[i]))
	}
	return w
}

// UnmarshalChunk decodes a chunk of the fixtures' table.
func UnmarshalChunk(value []byte) (*Chunk, error) {
	u := &unwire{b: value}
	if version := u.byte(); version == 0 || version > tableVersion {
		return nil, errWire
	}
	c := &Chunk{Epoch: u.uint(), Released: u.flag()}
	for range u.count(1) {
		leg, err := unmarshalLeg(u.raw())
		if err != nil {
			return nil, err
		}
		c.Legs = append(c.Legs, *leg)
	}
	return c, u.end()
}

func (w *wire) decayed(d Decayed) {
	w.float(d.Sum)
	w.int(d.At)
}

func (u *unwire) decayed() Decayed { return Decayed{Sum: u.float(), At: u.int()} }

func (w *wire) time(t time.Time) {
	w.flag(!t.IsZero())
	if !t.IsZero() {
		w.int(t.UnixMicro())
	}
}

func (u *unwire) time() time.Time {
	if !u.flag() {
		return time.Time{}
	}
	return time.UnixMicro(u.int()).UTC()
}

func (w *wire) user(user *tipoff.User) {
	w.text(user.ID)
	w.uint(uint64(user.BirthYear))
	for _, s := range []string{user.Country, user.Currency, user.Gender, user.Name, user.FavouriteSport, user.FavouriteLeague} {
		w.text(s)
	}
	w.time(user.RegistrationDate)
	w.raw(user.Extra)
}

func (u *unwire) user() tipoff.User {
	return tipoff.User{
		ID: u.text(), BirthYear: int(u.uint()), Country: u.text(), Currency: u.text(), Gender: u.text(),
		Name: u.text(), FavouriteSport: u.text(), FavouriteLeague: u.text(),
		RegistrationDate: u.time(), Extra: u.extra(),
	}
}

func (u *unwire) extra() []byte {
	if b := u.raw(); len(b) > 0 {
		return slices.Clone(b)
	}
	return nil
}

func (w *wire) event(e *tipoff.Event) {
	for _, s := range []string{e.ID, e.Country, e.League, e.Sport, e.Home, e.Away, e.Status, e.Result} {
		w.text(s)
	}
	w.time(e.Begin)
	w.time(e.End)
	w.uint(uint64(len(e.Participants)))
	for _, p := range e.Participants {
		w.text(p)
	}
	w.markets(e.Markets)
	w.raw(e.Extra)
}

func (u *unwire) event() tipoff.Event {
	e := tipoff.Event{
		ID: u.text(), Country: u.text(), League: u.text(), Sport: u.text(), Home: u.text(), Away: u.text(),
		Status: u.text(), Result: u.text(), Begin: u.time(), End: u.time(), Participants: []string{},
	}
	for range u.count(1) {
		e.Participants = append(e.Participants, u.text())
	}
	e.Markets = u.markets()
	e.Extra = u.extra()
	return e
}

func (w *wire) markets(markets []tipoff.Market) {
	w.uint(uint64(len(markets)))
	for _, m := range markets {
		w.text(m.Market)
		w.uint(uint64(len(m.Outcomes)))
		for _, o := range m.Outcomes {
			w.text(o.Outcome)
			w.float(o.Odds)
		}
	}
}

func (u *unwire) markets() []tipoff.Market {
	var markets []tipoff.Market
	for range u.count(2) {
		m := tipoff.Market{Market: u.text(), Outcomes: []tipoff.Outcome{}}
		for range u.count(9) {
			m.Outcomes = append(m.Outcomes, tipoff.Outcome{Outcome: u.text(), Odds: u.float()})
		}
		markets = append(markets, m)
	}
	return markets
}

func (w *wire) patch(p *tipoff.EventPatch) {
	w.text(p.ID)
	w.text(p.Status)
	w.text(p.Result)
	w.flag(p.Markets != nil)
	if p.Markets != nil {
		w.markets(p.Markets)
	}
	w.time(p.Begin)
}

func (u *unwire) patch() tipoff.EventPatch {
	p := tipoff.EventPatch{ID: u.text(), Status: u.text(), Result: u.text()}
	if u.flag() {
		if p.Markets = u.markets(); p.Markets == nil {
			p.Markets = []tipoff.Market{}
		}
	}
	p.Begin = u.time()
	return p
}
