package score

import (
	"fmt"
	"math"
	"slices"
	"time"

	"tipoff"
)

// TableVersion is that of every table value which this program writes. Older ones are
// read, newer ones are refused, never misread.
const TableVersion = 2

// listOfOdds is the index of the odds among a bettor's affinities: their keys are small.
const listOfOdds = 4

// manyLegs is the number of legs of a bet from which on it stands by itself.
const manyLegs = 31

// Epoch is the ownership under which a table value was written; see
// [Bettor.Epoch]. It stands first in all of them.
func Epoch(value []byte) uint64 {
	u := &Reader{b: value}
	u.Byte()
	return u.Uint()
}

// CheckVersion refuses a table value of a version that this program does not know,
// as a newer one may have written it.
func CheckVersion(value []byte) error {
	switch {
	case len(value) == 0:
		return ErrUnreadable
	case value[0] > TableVersion:
		return fmt.Errorf("it is of version %d, which this program does not know: deploy the newer program that wrote it, or fill the tables again with tipoff rebuild", value[0])
	case value[0] == 0:
		return ErrUnreadable
	}
	return nil
}

// Marshal encodes the bettor for the table.
func (b *Bettor) Marshal() []byte {
	w := make(Writer, 0, 512)
	w.Byte(TableVersion)
	w.Uint(b.Epoch)
	w.Flag(b.Known)
	if b.Known {
		w.user(&b.User)
	}
	w.position(b.Users)
	w.position(b.Coupons)
	w.Uint(b.LegCount)
	w.Float(b.Weight)
	w.Int(b.At)
	w.affinities([][]Affinity{b.Sports, b.Leagues, b.Teams, b.Markets, b.Odds})
	w.Int(b.Floor)
	w.Uint(uint64(len(b.Refused)))
	for _, offset := range b.Refused {
		w.Int(offset)
	}
	w.Uint(uint64(len(b.Bets)))
	at, record := b.At, b.Coupons
	for i := range b.Bets {
		bet := &b.Bets[i]
		w.Word64(bet.Coupon)
		w.Int(bet.Record.Offset - record.Offset)
		w.Int(bet.At - at)
		head := bet.Waiting << 6 // few bits, as bets with many legs that wait are rare
		head |= min(uint64(len(bet.Legs)), manyLegs) << 1
		if bet.Record.Source != record.Source {
			head |= 1
		}
		w.Uint(head)
		if bet.Record.Source != record.Source {
			w.Word32(bet.Record.Source)
		}
		if len(bet.Legs) >= manyLegs {
			w.Uint(uint64(len(bet.Legs)))
		}
		at, record = bet.At, bet.Record
		for _, leg := range bet.Legs {
			w.Ref(leg.Event)
			w.Uint(legTime(leg.Begin, bet.At))
		}
	}
	return w
}

// affinities writes each weight once, as those of the sport, the league and the teams
// of one leg are the same until another one comes.
func (w *Writer) affinities(lists [][]Affinity) {
	var weights []uint64 // the bits that are kept; see [short]
	for _, list := range lists {
		for _, a := range list {
			if bits := math.Float64bits(a.Weight) >> 16; !slices.Contains(weights, bits) {
				weights = append(weights, bits)
			}
		}
	}
	w.Uint(uint64(len(weights)))
	for _, bits := range weights {
		w.Ref(bits)
	}
	for kind, list := range lists {
		w.Uint(uint64(len(list)))
		for _, a := range list {
			if kind == listOfOdds {
				w.Uint(uint64(a.Key))
			} else {
				w.Word32(a.Key)
			}
			w.Uint(uint64(slices.Index(weights, math.Float64bits(a.Weight)>>16)))
		}
	}
}

func (u *Reader) affinities(lists []*[]Affinity, version byte) {
	var weights []float64
	if version > 1 {
		for range u.Count(6) {
			weights = append(weights, math.Float64frombits(u.Ref()<<16))
		}
	}
	for kind, list := range lists {
		n := u.Count(2)
		if n > 0 {
			*list = make([]Affinity, n)
		}
		for i := range n {
			a := &(*list)[i]
			switch {
			case version == 1:
				*a = Affinity{u.Word32(), u.Float()}
				continue
			case kind == listOfOdds:
				a.Key = uint32(u.Uint())
			default:
				a.Key = u.Word32()
			}
			if which := u.Uint(); which < uint64(len(weights)) {
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
	u := &Reader{b: value}
	version := u.Byte()
	if version == 0 || version > TableVersion {
		return nil, ErrUnreadable
	}
	b := &Bettor{Epoch: u.Uint(), Known: u.Flag()}
	if b.Known {
		b.User = u.user()
	}
	b.Users = u.position()
	b.Coupons = u.position()
	b.LegCount = u.Uint()
	b.Weight = u.Float()
	b.At = u.Int()
	u.affinities([]*[]Affinity{&b.Sports, &b.Leagues, &b.Teams, &b.Markets, &b.Odds}, version)
	b.Floor = u.Int()
	for range u.Count(1) {
		b.Refused = append(b.Refused, u.Int())
	}
	if n := u.Count(11); n > 0 {
		b.Bets = make([]Bet, n)
	}
	at, record := b.At, b.Coupons
	if version == 1 {
		at, record.Offset = 0, 0
	}
	for i := range b.Bets {
		bet := Bet{Coupon: u.Word64(), Record: Position{record.Source, u.Int() + record.Offset}, At: u.Int() + at}
		head := u.Uint()
		if head&1 == 1 {
			bet.Record.Source = u.Word32()
		}
		legs := 0
		if version == 1 {
			bet.Waiting, legs = head>>1, u.Count(7)
		} else if bet.Waiting, legs = head>>6, int(head>>1&manyLegs); legs == manyLegs {
			legs = u.Count(7)
		}
		at, record = bet.At, bet.Record
		if legs > 0 && !u.bad {
			bet.Legs = make([]BetLeg, legs)
		}
		for j := range bet.Legs {
			bet.Legs[j] = BetLeg{Event: u.Ref(), Begin: unlegTime(u.Uint(), bet.At)}
		}
		b.Bets[i] = bet
	}
	return b, u.End()
}

// Marshal encodes the fixture for the table.
func (f *Fixture) Marshal() []byte {
	w := make(Writer, 0, 512)
	w.Byte(TableVersion)
	w.Uint(f.Epoch)
	w.Flag(f.Known)
	if f.Known {
		w.event(&f.Event)
		w.position(f.First)
	} else {
		w.patch(&f.Patch)
	}
	w.position(f.Events)
	w.Uint(uint64(len(f.Applied)))
	for i := range f.Applied {
		w.applied(&f.Applied[i])
	}
	w.Uint(f.LegCount)
	w.Int(f.FirstBet)
	w.decayed(f.Popularity)
	for _, d := range f.Paces {
		w.decayed(d)
	}
	w.Uint(uint64(len(f.Outcomes)))
	for _, o := range f.Outcomes {
		w.Text(o.Market)
		w.Text(o.Outcome)
		w.Uint(o.Bets)
	}
	w.Uint(uint64(len(f.Neighbours)))
	for _, n := range f.Neighbours {
		w.Ref(n.Event)
		w.Uint(n.Weight)
	}
	w.Uint(f.Waiters)
	return w
}

// UnmarshalFixture decodes a value of the fixtures' table, but not a [Chunk].
func UnmarshalFixture(value []byte) (*Fixture, error) {
	u := &Reader{b: value}
	version := u.Byte()
	if version == 0 || version > TableVersion {
		return nil, ErrUnreadable
	}
	f := &Fixture{Epoch: u.Uint(), Known: u.Flag()}
	if f.Known {
		f.Event = u.event()
		f.First = u.position()
	} else {
		f.Patch = u.patch()
	}
	f.Events = u.position()
	for range u.Count(7) {
		f.Applied = append(f.Applied, u.applied())
	}
	f.LegCount = u.Uint()
	if version > 1 {
		f.FirstBet = u.Int()
	}
	f.Popularity = u.decayed()
	if version == 1 && f.LegCount > 0 { // which did not say; this is the newest one
		f.FirstBet = f.Popularity.At
	}
	if version > 1 {
		for i := range f.Paces {
			f.Paces[i] = u.decayed()
		}
	}
	for range u.Count(3) {
		f.Outcomes = append(f.Outcomes, OutcomeBets{u.Text(), u.Text(), u.Uint()})
	}
	if n := u.Count(7); n > 0 {
		f.Neighbours = make([]Neighbour, n)
		for i := range f.Neighbours {
			f.Neighbours[i] = Neighbour{u.Ref(), u.Uint()}
		}
	}
	f.Waiters = u.Uint()
	return f, u.End()
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
	w := make(Writer, 0, 64*len(c.Legs)+8)
	w.Byte(TableVersion)
	w.Uint(c.Epoch)
	w.Flag(c.Released)
	w.Uint(uint64(len(c.Legs)))
	for i := range c.Legs {
		w.Raw(MarshalMessage(&c.Legs[i]))
	}
	return w
}

// UnmarshalChunk decodes a chunk of the fixtures' table.
func UnmarshalChunk(value []byte) (*Chunk, error) {
	u := &Reader{b: value}
	if version := u.Byte(); version == 0 || version > TableVersion {
		return nil, ErrUnreadable
	}
	c := &Chunk{Epoch: u.Uint(), Released: u.Flag()}
	for range u.Count(1) {
		leg, err := unmarshalLeg(u.Raw())
		if err != nil {
			return nil, err
		}
		c.Legs = append(c.Legs, *leg)
	}
	return c, u.End()
}

func (w *Writer) decayed(d Decayed) {
	w.Float(d.Sum)
	w.Int(d.At)
}

func (u *Reader) decayed() Decayed { return Decayed{Sum: u.Float(), At: u.Int()} }

func (w *Writer) time(t time.Time) {
	w.Flag(!t.IsZero())
	if !t.IsZero() {
		w.Int(t.UnixMicro())
	}
}

func (u *Reader) time() time.Time {
	if !u.Flag() {
		return time.Time{}
	}
	return time.UnixMicro(u.Int()).UTC()
}

func (w *Writer) user(user *tipoff.User) {
	w.Text(user.ID)
	w.Uint(uint64(user.BirthYear))
	for _, s := range []string{user.Country, user.Currency, user.Gender, user.Name, user.FavouriteSport, user.FavouriteLeague} {
		w.Text(s)
	}
	w.time(user.RegistrationDate)
	w.Raw(user.Extra)
}

func (u *Reader) user() tipoff.User {
	return tipoff.User{
		ID: u.Text(), BirthYear: int(u.Uint()), Country: u.Text(), Currency: u.Text(), Gender: u.Text(),
		Name: u.Text(), FavouriteSport: u.Text(), FavouriteLeague: u.Text(),
		RegistrationDate: u.time(), Extra: u.extra(),
	}
}

func (u *Reader) extra() []byte {
	if b := u.Raw(); len(b) > 0 {
		return slices.Clone(b)
	}
	return nil
}

func (w *Writer) event(e *tipoff.Event) {
	for _, s := range []string{e.ID, e.Country, e.League, e.Sport, e.Home, e.Away, e.Status, e.Result} {
		w.Text(s)
	}
	w.time(e.Begin)
	w.time(e.End)
	w.Uint(uint64(len(e.Participants)))
	for _, p := range e.Participants {
		w.Text(p)
	}
	w.markets(e.Markets)
	w.Raw(e.Extra)
}

func (u *Reader) event() tipoff.Event {
	e := tipoff.Event{
		ID: u.Text(), Country: u.Text(), League: u.Text(), Sport: u.Text(), Home: u.Text(), Away: u.Text(),
		Status: u.Text(), Result: u.Text(), Begin: u.time(), End: u.time(), Participants: []string{},
	}
	for range u.Count(1) {
		e.Participants = append(e.Participants, u.Text())
	}
	e.Markets = u.markets()
	e.Extra = u.extra()
	return e
}

func (w *Writer) markets(markets []tipoff.Market) {
	w.Uint(uint64(len(markets)))
	for _, m := range markets {
		w.Text(m.Market)
		w.Uint(uint64(len(m.Outcomes)))
		for _, o := range m.Outcomes {
			w.Text(o.Outcome)
			w.Float(o.Odds)
		}
	}
}

func (u *Reader) markets() []tipoff.Market {
	var markets []tipoff.Market
	for range u.Count(2) {
		m := tipoff.Market{Market: u.Text(), Outcomes: []tipoff.Outcome{}}
		for range u.Count(9) {
			m.Outcomes = append(m.Outcomes, tipoff.Outcome{Outcome: u.Text(), Odds: u.Float()})
		}
		markets = append(markets, m)
	}
	return markets
}

func (w *Writer) patch(p *tipoff.EventPatch) {
	w.Text(p.ID)
	w.Text(p.Status)
	w.Text(p.Result)
	w.Flag(p.Markets != nil)
	if p.Markets != nil {
		w.markets(p.Markets)
	}
	w.time(p.Begin)
}

func (u *Reader) patch() tipoff.EventPatch {
	p := tipoff.EventPatch{ID: u.Text(), Status: u.Text(), Result: u.Text()}
	if u.Flag() {
		if p.Markets = u.markets(); p.Markets == nil {
			p.Markets = []tipoff.Market{}
		}
	}
	p.Begin = u.time()
	return p
}
