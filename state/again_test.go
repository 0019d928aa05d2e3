package state

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tipoff"
)

// A state that goes on in memory and one that is read again from the table before each
// change are the same, to the last bit: processors use whichever they have.

func again[S any](t *rapid.T, marshal func(*S) []byte, unmarshal func([]byte) (*S, error), s *S) *S {
	read, err := unmarshal(marshal(s))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestFixture_GoesOnAsIfItWereReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept, read := new(Fixture), new(Fixture)
		for offset := range int64(rapid.IntRange(1, 20).Draw(t, "records")) {
			var change func(*Fixture)
			switch now := noon.Add(time.Duration(offset) * time.Hour).Unix(); rapid.IntRange(0, 5).Draw(t, "record") {
			case 0:
				fact := anyFact(t, true)
				change = func(f *Fixture) { fact(f, at(offset)) }
			case 1:
				change = func(f *Fixture) { f.Expire(now, 60) }
			default:
				history := rapid.SliceOfN(rapid.Uint64Range(1, 9), 0, HistoryForPairs).Draw(t, "history")
				l := leg(offset, rapid.IntRange(0, 2).Draw(t, "leg"), int32(rapid.IntRange(0, 3).Draw(t, "partition")), history...)
				l.At += int64(rapid.IntRange(-9999, 9999).Draw(t, "seconds"))
				l.Outcome, l.Floor = rapid.SampledFrom([]string{"", "1", "X"}).Draw(t, "outcome"), offset/2
				change = func(f *Fixture) {
					if f.Count(l) && !f.Known {
						f.Await(now)
					}
				}
			}
			change(kept)
			change(read)
			kept.Epoch, read.Epoch = uint64(offset), uint64(offset)
			if !bytes.Equal(kept.Marshal(), read.Marshal()) {
				t.Fatalf("in memory %+v\nread again %+v", kept, read)
			}
			read = again(t, (*Fixture).Marshal, UnmarshalFixture, read)
		}
	})
}

func TestBettor_GoesOnAsIfHeWereReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kept, read := new(Bettor), new(Bettor)
		var open []*Resolved
		for offset := range int64(rapid.IntRange(1, 20).Draw(t, "records")) {
			var change func(*Bettor)
			now := noon.Add(time.Duration(offset) * time.Hour).Unix()
			switch kind := rapid.IntRange(0, 5).Draw(t, "record"); {
			case kind == 0:
				user := tipoff.User{Country: rapid.SampledFrom([]string{"FIN", "SWE"}).Draw(t, "country")}
				change = func(b *Bettor) { b.Post(user, at(offset)) }
			case kind < 3 && len(open) > 0:
				r := open[rapid.IntRange(0, len(open)-1).Draw(t, "resolved")]
				change = func(b *Bettor) { b.Apply(r, now) }
			default:
				c := bet(fmt.Sprint("c", rapid.IntRange(0, 30).Draw(t, "coupon")), noon.Add(time.Duration(rapid.IntRange(-99, 99).Draw(t, "minutes"))*time.Minute))
				events := rapid.SliceOfNDistinct(rapid.IntRange(0, 11), 1, 3, rapid.ID[int]).Draw(t, "events")
				for _, e := range events {
					c.Selections = append(c.Selections, tipoff.Selection{EventID: fmt.Sprint("e", e), Odds: 2})
				}
				cause := Cause{Position: at(offset), Floor: offset / 2}
				change = func(b *Bettor) { b.AddCoupon(c, at(offset), cause, now) }
				for i, l := range kept.LegsOf(c, cause, now) {
					open = append(open, Resolve(&l, traitsOf(events[i])))
				}
			}
			change(kept)
			change(read)
			kept.Epoch, read.Epoch = uint64(offset), uint64(offset)
			if !bytes.Equal(kept.Marshal(), read.Marshal()) {
				t.Fatalf("in memory %+v\nread again %+v", kept, read)
			}
			read = again(t, (*Bettor).Marshal, UnmarshalBettor, read)
		}
	})
}
