package state

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tipoff"
)

func TestPosition_AdvancesOnlyForward(t *testing.T) {
	p := Position{}
	for i, step := range []struct {
		to    Position
		isNew bool
	}{{Position{1, 0}, true}, {Position{1, 0}, false}, {Position{1, 7}, true}, {Position{1, 6}, false}, {Position{1, 7}, false}, {Position{2, 0}, true}} {
		if isNew := p.Advance(step.to); isNew != step.isNew {
			t.Errorf("step %d: %v is new: %v", i, step.to, isNew)
		}
	}
}

// TestFixture_CountsALegOnceInWhateverOrder: legs of several records come in any
// order and again, each with a floor that was true when it was sent.
func TestFixture_CountsALegOnceInWhateverOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, counted := new(Fixture), map[Cause]bool{}
		records := rapid.IntRange(1, 20).Draw(t, "records")
		acknowledged := int64(0) // every leg before it is on the topic, and was counted
		for range rapid.IntRange(1, 120).Draw(t, "deliveries") {
			offset := rapid.Int64Range(0, int64(records)).Draw(t, "offset")
			cause := Cause{Partition: 1, Position: Position{Source: 1, Offset: offset}, Index: rapid.IntRange(0, 1).Draw(t, "index")}
			leg := Leg{Cause: cause}
			leg.Floor = min(offset, acknowledged)
			if isNew := f.Count(&leg); isNew == counted[cause] {
				t.Fatalf("leg %+v: counted %v, before %v", leg.Cause, isNew, counted[cause])
			}
			counted[cause] = true
			for counted[another(cause, acknowledged, 0)] && counted[another(cause, acknowledged, 1)] {
				acknowledged++
			}
			again, err := UnmarshalFixture(f.Marshal())
			if err != nil || cmp.Diff(again.Applied, f.Applied, cmpopts.EquateEmpty()) != "" {
				t.Fatalf("%v, %v", again, err)
			}
		}
		if f.LegCount != uint64(len(counted)) {
			t.Fatalf("%d legs, want %d", f.LegCount, len(counted))
		}
	})
}

// another is the cause of another leg of the same partition.
func another(c Cause, offset int64, index int) Cause {
	c.Offset, c.Index = offset, index
	return c
}

func TestFixture_LegsOfAFormerTopicThatComeAgainDoNotCount(t *testing.T) {
	f := new(Fixture)
	former, present := Position{1, 3}, Position{2, 3}
	for range 3 {
		for _, p := range []Position{former, present} {
			f.Count(&Leg{Cause: Cause{Position: p}})
		}
	}
	if f.LegCount != 2 {
		t.Errorf("%d legs count, want 2", f.LegCount)
	}
}

func TestFixture_AFloodThatComesAgainDoesNotFillOneChunk(t *testing.T) {
	const legs = 100 * WaitersPerChunk
	f, chunks := new(Fixture), map[uint64]int{}
	for range 2 {
		for i := range legs {
			leg := &Leg{Cause: Cause{Position: Position{1, int64(i)}}, Coupon: CouponRef(&tipoff.Coupon{ID: fmt.Sprint(i)})}
			isNew := f.Count(leg)
			if isNew {
				f.Await(noon.Unix())
			}
			chunks[f.Chunk(leg, isNew)]++
		}
	}
	for chunk, n := range chunks {
		if n > 3*WaitersPerChunk {
			t.Errorf("chunk %d holds %d legs", chunk, n)
		}
	}
	if f.LegCount != legs || uint64(len(chunks)) != f.Chunks() {
		t.Errorf("%d legs in %d chunks", f.LegCount, len(chunks))
	}
}

// TestBettor_MessagesMadeAgainAreTheSame: other bets, also earlier ones, were noted
// since, and legs have come back.
func TestBettor_MessagesMadeAgainAreTheSame(t *testing.T) {
	coupon := func(i, hour int) *tipoff.Coupon {
		return &tipoff.Coupon{ID: fmt.Sprint("c", i), UserID: "u", Stake: 1, Timestamp: time.Unix(int64(hour)*3600, 0),
			Selections: []tipoff.Selection{{EventID: fmt.Sprint("e", i), Odds: 2}, {EventID: fmt.Sprint("f", i), Odds: 2}}}
	}
	b, now := new(Bettor), int64(1e6)
	hours := []int{5, 3, 9, 4, 1, 8}
	var first [][]Leg
	cause := func(i int) Cause { return Cause{Position: Position{1, int64(i)}} }
	for i, hour := range hours {
		if verdict := b.AddCoupon(coupon(i, hour), cause(i).Position, CauseAt(cause(i).Position), now); verdict != NewBet {
			t.Fatalf("coupon %d: %v", i, verdict)
		}
		first = append(first, b.LegsOf(coupon(i, hour), cause(i), now))
		b.Apply(Resolve(&first[i][0], Traits{Event: tipoff.EventRef(fmt.Sprint("e", i))}), now)
	}
	for i, hour := range hours {
		if verdict := b.AddCoupon(coupon(i, hour), cause(i).Position, CauseAt(cause(i).Position), now); verdict != AgainBet {
			t.Fatalf("coupon %d again: %v", i, verdict)
		}
		if diff := cmp.Diff(first[i], b.LegsOf(coupon(i, hour), cause(i), now)); diff != "" {
			t.Errorf("coupon %d: %s", i, diff)
		}
	}
}

// TestBettor_TheNewestOfManyWaitingBetsIsKept also when it is the oldest by its time:
// its messages may have to be created again.
func TestBettor_TheNewestOfManyWaitingBetsIsKept(t *testing.T) {
	b := new(Bettor)
	note := func(i int, at int64) Verdict {
		return b.AddCoupon(&tipoff.Coupon{ID: fmt.Sprint(i), Timestamp: time.Unix(at, 0), Selections: []tipoff.Selection{{EventID: "e", Odds: 2}}},
			Position{1, int64(i)}, CauseAt(Position{1, int64(i)}), 1e9)
	}
	for i := range MaxWaiting {
		note(i, int64(1000+i))
	}
	if got := note(MaxWaiting, 1); got != NewBet {
		t.Fatalf("verdict %v", got)
	}
	if got := note(MaxWaiting, 1); got != AgainBet {
		t.Errorf("delivered again: verdict %v", got)
	}
}

func TestBettor_EveryTooOldCouponIsRejectedAgain(t *testing.T) {
	b := &Bettor{Floor: 1000}
	for range 2 {
		for i := range 100 {
			c := &tipoff.Coupon{ID: fmt.Sprint(i), Timestamp: time.Unix(int64(i), 0), Selections: []tipoff.Selection{{EventID: "e", Odds: 2}}}
			if got := b.AddCoupon(c, Position{1, int64(i)}, CauseAt(Position{1, int64(i)}), 1e9); got != TooOldBet {
				t.Fatalf("coupon %d: verdict %v", i, got)
			}
		}
	}
}

// TestBettor_TheBetForgottenLastIsNotCountedAgain when its coupon is posted again.
func TestBettor_TheBetForgottenLastIsNotCountedAgain(t *testing.T) {
	for _, begin := range []int64{1e6, 0, -100, yearOne} {
		b, offset := new(Bettor), int64(0)
		note := func(i int) Verdict {
			offset++
			c := &tipoff.Coupon{ID: fmt.Sprint(i), Timestamp: time.Unix(begin+int64(i), 0), Selections: []tipoff.Selection{{EventID: "e", Odds: 2}}}
			verdict := b.AddCoupon(c, Position{1, offset}, CauseAt(Position{1, offset}), 1e9)
			if verdict == NewBet {
				leg := b.LegsOf(c, Cause{Position: Position{1, offset}}, 1e9)[0]
				b.Apply(Resolve(&leg, Traits{}), 1e9)
			}
			return verdict
		}
		for i := range MaxCoupons + 5 {
			if got := note(i); got != NewBet {
				t.Fatalf("from %d on: coupon %d: verdict %v", begin, i, got)
			}
		}
		for i := range MaxCoupons + 5 {
			if got := note(i); got != TooOldBet && got != RepeatBet {
				t.Errorf("from %d on: coupon %d again: verdict %v", begin, i, got)
			}
		}
	}
}

var yearOne = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

func TestDecayed_MayBeginInTheYearOne(t *testing.T) {
	now := time.Now().Unix()
	var d, alone Decayed
	alone.Add(1, now, PopularityHalfLife)
	for _, at := range []int64{yearOne, now, yearOne, 0} {
		d.Add(1, at, PopularityHalfLife)
	}
	if d != alone {
		t.Errorf("%+v, want %+v", d, alone)
	}
}

func TestBettor_MayBeginInTheYearOne(t *testing.T) {
	now := time.Now().Unix()
	for _, times := range [][]int64{{yearOne}, {yearOne, now}, {now, yearOne}, {yearOne, 0, now}} {
		b := new(Bettor)
		for i, at := range times {
			c := &tipoff.Coupon{ID: fmt.Sprint(i), Timestamp: time.Unix(at, 0), Selections: []tipoff.Selection{{EventID: "e", Odds: 2}}}
			b.AddCoupon(c, Position{1, int64(i)}, CauseAt(Position{1, int64(i)}), now)
			leg := b.LegsOf(c, Cause{Position: Position{1, int64(i)}}, now)[0]
			b.Apply(Resolve(&leg, Traits{Event: 1, Sport: 7}), now)
		}
		last := max(times[0], times[len(times)-1])
		if b.LegCount != uint64(len(times)) || b.At != last || math.Abs(b.Weight-1) > 1e-9 || len(b.Sports) != 1 || math.Abs(b.Sports[0].Weight-1) > 1e-9 {
			t.Errorf("%v: %+v", times, b)
		}
	}
}

// TestBettor_ARecordOfAnOlderProgramIsKnownAgain: its place had no epoch, and now has one.
func TestBettor_ARecordOfAnOlderProgramIsKnownAgain(t *testing.T) {
	now, was := Position{1, tipoff.Sequence(3, 5)}, Position{1, 5}
	var b Bettor
	counted := bet("c1", noon, "e1")
	if got := b.AddCoupon(counted, was, CauseAt(was), noon.Unix()); got != NewBet {
		t.Fatal(got)
	}
	if got := b.AddCoupon(counted, now, CauseAt(now), noon.Unix()); got != AgainBet {
		t.Errorf("a counted coupon that comes again is %v", got)
	}
	b = Bettor{Floor: noon.Unix() + 1}
	if got := b.AddCoupon(counted, was, CauseAt(was), noon.Unix()); got != TooOldBet {
		t.Fatal(got)
	}
	if got := b.AddCoupon(counted, now, CauseAt(now), noon.Unix()); got != TooOldBet {
		t.Errorf("a refused coupon that comes again is %v", got)
	}
	if other := (Position{1, tipoff.Sequence(3, 6)}); now.Same(other) || was.Same(other) || now.Same(Position{2, now.Offset}) {
		t.Error("another record is taken for the same")
	}
}

// TestBettor_KeepsABetWhoseLegsMayHaveToBeSentAgain: one that was learnt from with its own
// record, and is the oldest by its time.
func TestBettor_KeepsABetWhoseLegsMayHaveToBeSentAgain(t *testing.T) {
	b := new(Bettor)
	add := func(id string, offset, floor int64, made time.Time) Verdict {
		c := bet(id, made, "e")
		cause := Cause{Position: Position{1, offset}, Floor: floor}
		v := b.AddCoupon(c, cause.Position, cause, noon.Unix())
		if v == NewBet || v == AgainBet {
			for _, leg := range b.LegsOf(c, cause, noon.Unix()) { // as the gateway knew its event
				b.Apply(Resolve(&leg, TraitsOf(&tipoff.Event{ID: "e", Begin: noon.Add(time.Hour)})), noon.Unix())
			}
		}
		return v
	}
	const first = int64(MaxCoupons)
	for i := range first {
		add(fmt.Sprint("c", i), i, i, noon.Add(time.Duration(i-first)*time.Second))
	}
	late := noon.Add(-24 * time.Hour)
	if v := add("late", first, first, late); v != NewBet {
		t.Fatal(v)
	}
	add("next", first+1, first, noon) // the late one's legs are not acknowledged
	if v := add("late", first, first, late); v != AgainBet {
		t.Errorf("delivered again it is %v", v)
	}
	add("last", first+2, first+2, noon) // now they are
	if len(b.Bets) != MaxCoupons {
		t.Errorf("%d bets are kept", len(b.Bets))
	}
	if v := add("late", first+3, first+3, late); v != TooOldBet {
		t.Errorf("posted again after it was forgotten it is %v", v)
	}
}
