package state

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tipoff"
	"tipoff/wire/wiretest"
)

// FuzzTables checks that no value on a topic, however broken, makes us panic or ask
// for memory without bound, and that a version we do not know is refused.
func FuzzTables(f *testing.F) {
	var b Bettor
	settle(&b, bet("c", noon, "e1", "e2"), 1, "l", noon)
	b.Post(tipoff.User{ID: "u"}, at(1))
	var x, early Fixture
	x.Count(leg(1, 0, 0, 1, 2))
	x.Post(event("e", "l", noon), at(1))
	early.Count(leg(1, 0, 0, 1, 2))
	c := Chunk{Legs: []Leg{*leg(1, 0, 0)}}
	for _, seed := range [][]byte{b.Marshal(), x.Marshal(), early.Marshal(), unposted().Marshal(), c.Marshal(), new(Bettor).Marshal(), new(Fixture).Marshal(), {}, {1}, {2}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		wiretest.Stable(t, value, UnmarshalBettor, (*Bettor).Marshal)
		sameOver(t, value)
		wiretest.Stable(t, value, UnmarshalFixture, (*Fixture).Marshal)
		wiretest.Stable(t, value, UnmarshalChunk, (*Chunk).Marshal)
		_, _ = Epoch(value), DueFixture(value, noon, time.Hour)
		if CheckVersion(value) == nil {
			return
		}
		if _, err := UnmarshalBettor(value); err == nil {
			t.Error("a bettor of an unknown version was read")
		}
		if _, err := UnmarshalFixture(value); err == nil {
			t.Error("a fixture of an unknown version was read")
		}
		if _, err := UnmarshalChunk(value); err == nil {
			t.Error("a chunk of an unknown version was read")
		}
	})
}

// sameOver requires that a value is read over other bettors just as it is into a new one.
func sameOver(t *testing.T, value []byte) {
	t.Helper()
	full, _, _, _ := valuesOfNow()
	reader, long := new(Bettor), new(Bettor)
	for i := range 40 {
		long.AddCoupon(bet(fmt.Sprint("c", i), noon, "e1", "e2", "e3"), at(int64(i)), CauseAt(at(int64(i))), noon.Unix())
	}
	want, wantErr := UnmarshalBettor(value)
	for _, was := range [][]byte{full.Marshal(), value, long.Marshal(), new(Bettor).Marshal(), full.Marshal()} {
		_ = reader.Unmarshal(was)
		read := bytes.Clone(value)
		err := reader.Unmarshal(read)
		clear(read) // nothing of it may be kept
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%x is read with %v over another, with %v into a new one", value, err, wantErr)
		}
		if err != nil {
			continue
		}
		if again := reader.Marshal(); !bytes.Equal(again, want.Marshal()) {
			t.Fatalf("%x is read as %x over another, as %x into a new one", value, again, want.Marshal())
		}
		if d := cmp.Diff(want, reader, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); d != "" {
			t.Fatalf("%x is read differently over another: %s", value, d)
		}
	}
}

// FuzzMessages holds the same for the messages between the processors, and that a
// state takes any message that can be read without harm.
func FuzzMessages(f *testing.F) {
	r := Resolve(leg(3, 1, 2), TraitsOf(&tipoff.Event{ID: "e", Sport: "s", League: "l", Participants: []string{"a", "b"}, Begin: noon}))
	for _, m := range []any{leg(3, 1, 2, 1<<47, 5), r, &Release{r.Traits}, &Rewrite{}, &Waiting{*leg(3, 1, 2)}, &Expire{Wait: 5}, &Expired{Empty: true}, NewChoice([]Leg{*leg(3, 1, 2)})} {
		f.Add(MarshalMessage(m))
	}
	f.Add([]byte{})
	f.Add([]byte{messageVersion, 99})
	f.Add(choiceWithBettor(MarshalMessage(leg(3, 1, 2))))
	f.Fuzz(func(t *testing.T, value []byte) {
		wiretest.Stable(t, value, UnmarshalMessage, MarshalMessage)
		message, err := UnmarshalMessage(value)
		if err != nil {
			return
		}
		switch m := message.(type) {
		case *Leg:
			x := new(Fixture)
			x.Count(m)
			wiretest.Stable(t, x.Marshal(), UnmarshalFixture, (*Fixture).Marshal)
			c := new(Chunk)
			c.Wait(m)
			wiretest.Stable(t, c.Marshal(), UnmarshalChunk, (*Chunk).Marshal)
		case *Resolved:
			b := new(Bettor)
			settle(b, bet("c", noon, "e1"), 1, "l", noon)
			b.Apply(m, noon.Unix())
			wiretest.Stable(t, b.Marshal(), UnmarshalBettor, (*Bettor).Marshal)
		}
	})
}
