package score

import (
	"fmt"
	"math"
	"slices"

	"tipoff"
	"tipoff/wire"
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
	r := wire.NewReader(value)
	r.Byte()
	return r.Uint()
}

// CheckVersion refuses a table value of a version that this program does not know,
// as a newer one may have written it.
func CheckVersion(value []byte) error {
	switch {
	case len(value) == 0:
		return wire.ErrUnreadable
	case value[0] > TableVersion:
		return fmt.Errorf("it is of version %d, which this program does not know: deploy the newer program that wrote it, or fill the tables again with tipoff rebuild", value[0])
	case value[0] == 0:
		return wire.ErrUnreadable
	}
	return nil
}

// Marshal encodes the bettor for the table.
func (b *Bettor) Marshal() []byte {
	w := make(wire.Writer, 0, 512)
	w.Byte(TableVersion)
	w.Uint(b.Epoch)
	w.Flag(b.Known)
	if b.Known {
		writeUser(&w, &b.User)
	}
	WritePosition(&w, b.Users)
	WritePosition(&w, b.Coupons)
	w.Uint(b.LegCount)
	w.Float(b.Weight)
	w.Int(b.At)
	writeAffinities(&w, [][]Affinity{b.Sports, b.Leagues, b.Teams, b.Markets, b.Odds})
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
func writeAffinities(w *wire.Writer, lists [][]Affinity) {
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

func readAffinities(r *wire.Reader, lists []*[]Affinity, version byte) {
	var weights []float64
	if version > 1 {
		for range r.Count(6) {
			weights = append(weights, math.Float64frombits(r.Ref()<<16))
		}
	}
	for kind, list := range lists {
		n := r.Count(2)
		if n > 0 {
			*list = make([]Affinity, n)
		}
		for i := range n {
			a := &(*list)[i]
			switch {
			case version == 1:
				*a = Affinity{r.Word32(), r.Float()}
				continue
			case kind == listOfOdds:
				a.Key = uint32(r.Uint())
			default:
				a.Key = r.Word32()
			}
			if which := r.Uint(); which < uint64(len(weights)) {
				a.Weight = weights[which]
			} else {
				r.Require(false)
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
	r := wire.NewReader(value)
	version := r.Byte()
	if version == 0 || version > TableVersion {
		return nil, wire.ErrUnreadable
	}
	b := &Bettor{Epoch: r.Uint(), Known: r.Flag()}
	if b.Known {
		b.User = readUser(r)
	}
	b.Users = ReadPosition(r)
	b.Coupons = ReadPosition(r)
	b.LegCount = r.Uint()
	b.Weight = r.Float()
	b.At = r.Int()
	readAffinities(r, []*[]Affinity{&b.Sports, &b.Leagues, &b.Teams, &b.Markets, &b.Odds}, version)
	b.Floor = r.Int()
	for range r.Count(1) {
		b.Refused = append(b.Refused, r.Int())
	}
	if n := r.Count(11); n > 0 {
		b.Bets = make([]Bet, n)
	}
	at, record := b.At, b.Coupons
	if version == 1 {
		at, record.Offset = 0, 0
	}
	for i := range b.Bets {
		bet := Bet{Coupon: r.Word64(), Record: Position{record.Source, r.Int() + record.Offset}, At: r.Int() + at}
		head := r.Uint()
		if head&1 == 1 {
			bet.Record.Source = r.Word32()
		}
		legs := 0
		if version == 1 {
			bet.Waiting, legs = head>>1, r.Count(7)
		} else if bet.Waiting, legs = head>>6, int(head>>1&manyLegs); legs == manyLegs {
			legs = r.Count(7)
		}
		at, record = bet.At, bet.Record
		if legs > 0 && r.OK() {
			bet.Legs = make([]BetLeg, legs)
		}
		for j := range bet.Legs {
			bet.Legs[j] = BetLeg{Event: r.Ref(), Begin: unlegTime(r.Uint(), bet.At)}
		}
		b.Bets[i] = bet
	}
	return b, r.End()
}

// Marshal encodes the fixture for the table.
func (f *Fixture) Marshal() []byte {
	w := make(wire.Writer, 0, 512)
	w.Byte(TableVersion)
	w.Uint(f.Epoch)
	w.Flag(f.Known)
	if f.Known {
		writeEvent(&w, &f.Event)
		WritePosition(&w, f.First)
	} else {
		writePatch(&w, &f.Patch)
	}
	WritePosition(&w, f.Events)
	w.Uint(uint64(len(f.Applied)))
	for i := range f.Applied {
		writeApplied(&w, &f.Applied[i])
	}
	w.Uint(f.LegCount)
	w.Int(f.FirstBet)
	writeDecayed(&w, f.Popularity)
	for _, d := range f.Paces {
		writeDecayed(&w, d)
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
	r := wire.NewReader(value)
	version := r.Byte()
	if version == 0 || version > TableVersion {
		return nil, wire.ErrUnreadable
	}
	f := &Fixture{Epoch: r.Uint(), Known: r.Flag()}
	if f.Known {
		f.Event = readEvent(r)
		f.First = ReadPosition(r)
	} else {
		f.Patch = readPatch(r)
	}
	f.Events = ReadPosition(r)
	for range r.Count(7) {
		f.Applied = append(f.Applied, readApplied(r))
	}
	f.LegCount = r.Uint()
	if version > 1 {
		f.FirstBet = r.Int()
	}
	f.Popularity = readDecayed(r)
	if version == 1 && f.LegCount > 0 { // which did not say; this is the newest one
		f.FirstBet = f.Popularity.At
	}
	if version > 1 {
		for i := range f.Paces {
			f.Paces[i] = readDecayed(r)
		}
	}
	for range r.Count(3) {
		f.Outcomes = append(f.Outcomes, OutcomeBets{r.Text(), r.Text(), r.Uint()})
	}
	if n := r.Count(7); n > 0 {
		f.Neighbours = make([]Neighbour, n)
		for i := range f.Neighbours {
			f.Neighbours[i] = Neighbour{r.Ref(), r.Uint()}
		}
	}
	f.Waiters = r.Uint()
	return f, r.End()
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
	w := make(wire.Writer, 0, 64*len(c.Legs)+8)
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
	r := wire.NewReader(value)
	if version := r.Byte(); version == 0 || version > TableVersion {
		return nil, wire.ErrUnreadable
	}
	c := &Chunk{Epoch: r.Uint(), Released: r.Flag()}
	for range r.Count(1) {
		leg, err := unmarshalLeg(r.Raw())
		if err != nil {
			return nil, err
		}
		c.Legs = append(c.Legs, *leg)
	}
	return c, r.End()
}

func writeDecayed(w *wire.Writer, d Decayed) {
	w.Float(d.Sum)
	w.Int(d.At)
}

func readDecayed(r *wire.Reader) Decayed { return Decayed{Sum: r.Float(), At: r.Int()} }

func writeUser(w *wire.Writer, user *tipoff.User) {
	w.Text(user.ID)
	w.Uint(uint64(user.BirthYear))
	for _, s := range []string{user.Country, user.Currency, user.Gender, user.Name, user.FavouriteSport, user.FavouriteLeague} {
		w.Text(s)
	}
	w.Time(user.RegistrationDate)
	w.Raw(user.Extra)
}

func readUser(r *wire.Reader) tipoff.User {
	return tipoff.User{
		ID: r.Text(), BirthYear: int(r.Uint()), Country: r.Text(), Currency: r.Text(), Gender: r.Text(),
		Name: r.Text(), FavouriteSport: r.Text(), FavouriteLeague: r.Text(),
		RegistrationDate: r.Time(), Extra: readExtra(r),
	}
}

func readExtra(r *wire.Reader) []byte {
	if b := r.Raw(); len(b) > 0 {
		return slices.Clone(b)
	}
	return nil
}

func writeEvent(w *wire.Writer, e *tipoff.Event) {
	for _, s := range []string{e.ID, e.Country, e.League, e.Sport, e.Home, e.Away, e.Status, e.Result} {
		w.Text(s)
	}
	w.Time(e.Begin)
	w.Time(e.End)
	w.Uint(uint64(len(e.Participants)))
	for _, p := range e.Participants {
		w.Text(p)
	}
	writeMarkets(w, e.Markets)
	w.Raw(e.Extra)
}

func readEvent(r *wire.Reader) tipoff.Event {
	e := tipoff.Event{
		ID: r.Text(), Country: r.Text(), League: r.Text(), Sport: r.Text(), Home: r.Text(), Away: r.Text(),
		Status: r.Text(), Result: r.Text(), Begin: r.Time(), End: r.Time(), Participants: []string{},
	}
	for range r.Count(1) {
		e.Participants = append(e.Participants, r.Text())
	}
	e.Markets = readMarkets(r)
	e.Extra = readExtra(r)
	return e
}

func writeMarkets(w *wire.Writer, markets []tipoff.Market) {
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

func readMarkets(r *wire.Reader) []tipoff.Market {
	var markets []tipoff.Market
	for range r.Count(2) {
		m := tipoff.Market{Market: r.Text(), Outcomes: []tipoff.Outcome{}}
		for range r.Count(9) {
			m.Outcomes = append(m.Outcomes, tipoff.Outcome{Outcome: r.Text(), Odds: r.Float()})
		}
		markets = append(markets, m)
	}
	return markets
}

func writePatch(w *wire.Writer, p *tipoff.EventPatch) {
	w.Text(p.ID)
	w.Text(p.Status)
	w.Text(p.Result)
	w.Flag(p.Markets != nil)
	if p.Markets != nil {
		writeMarkets(w, p.Markets)
	}
	w.Time(p.Begin)
}

func readPatch(r *wire.Reader) tipoff.EventPatch {
	p := tipoff.EventPatch{ID: r.Text(), Status: r.Text(), Result: r.Text()}
	if r.Flag() {
		if p.Markets = readMarkets(r); p.Markets == nil {
			p.Markets = []tipoff.Market{}
		}
	}
	p.Begin = r.Time()
	return p
}
