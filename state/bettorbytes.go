package state

import (
	"math"
	"slices"

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

func readAffinities(r *wire.Reader, lists []*[]Affinity, version byte) {
	var weights []float64
	if version > 1 {
		weights = make([]float64, r.Count(6))
		for i := range weights {
			weights[i] = math.Float64frombits(r.Ref() << 16)
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
		b.User = readUser(r, version)
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
		b.Bets = make([]Bet, n, n+1) // most are read for one more
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
