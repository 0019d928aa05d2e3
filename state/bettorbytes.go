package state

import (
	"math"
	"slices"

	"tipoff"
	"tipoff/wire"
)

// listOfOdds is the index of the odds among a bettor's affinities: their keys are small.
const listOfOdds = 4

// manyLegs is the number of legs of a bet from which on it stands by itself.
const manyLegs = 31

// Marshal encodes the bettor for the table.
func (b *Bettor) Marshal() []byte {
	return wire.Write(b.write)
}

func (b *Bettor) write(w *wire.Writer) {
	w.Byte(TableVersion)
	w.Uint(b.Epoch)
	w.Flag(b.Known)
	if b.Known {
		writeUser(w, &b.User)
	}
	WritePosition(w, b.Users)
	WritePosition(w, b.Coupons)
	w.Uint(b.LegCount)
	w.Float(b.Weight)
	w.Int(b.At)
	writeAffinities(w, [][]Affinity{b.Sports, b.Leagues, b.Teams, b.Markets, b.Odds})
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
}

// writeAffinities writes each weight once, as those of the sport, the league and the teams
// of one leg are the same until another one comes.
func writeAffinities(w *wire.Writer, lists [][]Affinity) {
	weights := make([]uint64, 0, 64) // the bits that are kept; see [short]
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

// readAffinities reads the lists into the memory that they have.
func readAffinities(r *wire.Reader, lists []*[]Affinity, version byte) {
	var room [MaxSports + MaxLeagues + MaxTeams + 2*MaxTastes]float64 // there are no more
	weights := room[:0]
	if version > 1 {
		weights = sized(weights, r.Count(6))
		for i := range weights {
			weights[i] = math.Float64frombits(r.Ref() << 16)
		}
	}
	for kind, list := range lists {
		*list = sized(*list, r.Count(2))
		for i := range *list {
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

// sized returns a list of n elements in the memory of another one, as far as that
// suffices. What they hold means nothing. One of none is nil where the other was.
func sized[E any](list []E, n int) []E {
	return slices.Grow(list[:0], n)[:n]
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
	b := new(Bettor)
	return b, b.Unmarshal(value)
}

// Unmarshal decodes a value of the bettors' table over what b was, into the memory of its
// lists: whoever reads one value after another, and keeps nothing, needs no more memory for
// the next one. What others hold of these lists changes. Nothing is kept of value. After an
// error what b holds means nothing.
func (b *Bettor) Unmarshal(value []byte) error {
	r := wire.NewReader(value)
	version := r.Byte()
	if version == 0 || version > TableVersion {
		return wire.ErrUnreadable
	}
	b.Epoch, b.Known = r.Uint(), r.Flag()
	if b.Known {
		readUser(r, version, &b.User)
	} else {
		b.User = tipoff.User{}
	}
	b.Users = ReadPosition(r)
	b.Coupons = ReadPosition(r)
	b.LegCount = r.Uint()
	b.Weight = r.Float()
	b.At = r.Int()
	readAffinities(r, []*[]Affinity{&b.Sports, &b.Leagues, &b.Teams, &b.Markets, &b.Odds}, version)
	b.Floor = r.Int()
	b.Refused = sized(b.Refused, r.Count(1))
	for i := range b.Refused {
		b.Refused[i] = r.Int()
	}
	b.readBets(r, version)
	return r.End()
}

func (b *Bettor) readBets(r *wire.Reader, version byte) {
	n := r.Count(11)
	if b.Bets = b.Bets[:0]; n > cap(b.Bets) {
		b.Bets = slices.Grow(b.Bets, n+1) // most are read for one more
	}
	b.Bets = b.Bets[:n]
	at, record := b.At, b.Coupons
	if version == 1 {
		at, record.Offset = 0, 0
	}
	for i := range b.Bets {
		bet := &b.Bets[i]
		bet.Coupon, bet.Record, bet.At = r.Word64(), Position{record.Source, r.Int() + record.Offset}, r.Int()+at
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
		if !r.OK() {
			legs = 0
		}
		bet.Legs = sized(bet.Legs, legs)
		for j := range bet.Legs {
			bet.Legs[j] = BetLeg{Event: r.Ref(), Begin: unlegTime(r.Uint(), bet.At)}
		}
	}
}
