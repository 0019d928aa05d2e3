package score

import (
	"bytes"
	"runtime"
	"testing"

	"tipoff"
)

// bounded holds that reading a value asks for no more memory than its length
// allows for, whatever lengths it names itself.
func bounded(t *testing.T, value []byte, read func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	read()
	runtime.ReadMemStats(&after)
	if asked, most := after.TotalAlloc-before.TotalAlloc, uint64(256<<10+300*len(value)); asked > most {
		t.Errorf("a value of %d bytes asked for %d bytes of memory, more than %d", len(value), asked, most)
	}
}

// stable holds that what was read is written so that it is read again as the same.
func stable[T any](t *testing.T, value []byte, read func([]byte) (T, error), write func(T) []byte) {
	t.Helper()
	var first T
	var err error
	bounded(t, value, func() { first, err = read(value) })
	if err != nil {
		return
	}
	written := write(first)
	second, err := read(written)
	if err != nil {
		t.Fatalf("%x, written again as %x, is not read: %v", value, written, err)
	}
	if again := write(second); !bytes.Equal(again, written) {
		t.Errorf("%x is written as %x, and then as %x", value, written, again)
	}
}

// FuzzTables holds that no value on a topic, however broken, makes us panic or ask
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
	learnt := NewLearnt()
	learnt.Live.Add(Grade{1, 1, 1}, noon.Unix())
	learnt.Advance(Cause{Position: at(1)})
	for _, seed := range [][]byte{b.Marshal(), x.Marshal(), early.Marshal(), c.Marshal(), learnt.Marshal(), new(Bettor).Marshal(), new(Fixture).Marshal(), {}, {1}, {2}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		stable(t, value, UnmarshalBettor, (*Bettor).Marshal)
		stable(t, value, UnmarshalFixture, (*Fixture).Marshal)
		stable(t, value, UnmarshalChunk, (*Chunk).Marshal)
		stable(t, value, UnmarshalLearnt, (*Learnt).Marshal)
		_ = Epoch(value)
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
		if _, err := UnmarshalLearnt(value); err == nil {
			t.Error("what was learnt in an unknown version was read")
		}
	})
}

// FuzzMessages holds the same for the messages between the processors, and that a
// state takes any message that can be read without harm.
func FuzzMessages(f *testing.F) {
	r := Resolve(leg(3, 1, 2), TraitsOf(&tipoff.Event{ID: "e", Sport: "s", League: "l", Participants: []string{"a", "b"}, Begin: noon}))
	for _, m := range []any{leg(3, 1, 2, 1<<47, 5), r, &Release{r.Traits}, &Rewrite{}, &Choice{"u", noon.Unix(), new(Bettor).Marshal(), []Leg{*leg(3, 1, 2)}}} {
		f.Add(MarshalMessage(m))
	}
	f.Add([]byte{})
	f.Add([]byte{messageVersion, 99})
	f.Fuzz(func(t *testing.T, value []byte) {
		stable(t, value, UnmarshalMessage, MarshalMessage)
		message, err := UnmarshalMessage(value)
		if err != nil {
			return
		}
		switch m := message.(type) {
		case *Leg:
			x := new(Fixture)
			x.Count(m)
			stable(t, x.Marshal(), UnmarshalFixture, (*Fixture).Marshal)
			c := new(Chunk)
			c.Wait(m)
			stable(t, c.Marshal(), UnmarshalChunk, (*Chunk).Marshal)
		case *Resolved:
			b := new(Bettor)
			settle(b, bet("c", noon, "e1"), 1, "l", noon)
			b.Apply(m, noon.Unix())
			stable(t, b.Marshal(), UnmarshalBettor, (*Bettor).Marshal)
		}
	})
}
