package state

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tipoff"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

func bet(id string, at time.Time, events ...string) *tipoff.Coupon {
	c := &tipoff.Coupon{ID: id, UserID: "u", Stake: 10, Timestamp: at}
	for _, e := range events {
		c.Selections = append(c.Selections, tipoff.Selection{EventID: e, Odds: 2, Market: "1x2", Outcome: "1"})
	}
	return c
}

func at(offset int64) Position { return Position{Source: 7, Offset: offset} }

func cause(offset int64, partition int32) Cause {
	return Cause{Partition: partition, Position: at(offset)}
}

// resolved is what the fixture of an event of the league returns for a leg.
func resolved(leg *Leg, league string, begin time.Time) *Resolved {
	return Resolve(leg, Traits{
		Event: tipoff.EventRef(leg.EventID), Begin: begin.Unix(), Sport: Name("s"), League: Name("s", league),
		Teams: []uint32{Name("s", leg.EventID)},
	})
}

// weightOf is the weight of a category, 0 where the list does not hold it.
func weightOf(list []Affinity, key uint32) float64 {
	for i := range list {
		if list[i].Key == key {
			return list[i].Weight
		}
	}
	return 0
}

// settle adds a coupon and lets its legs come back.
func settle(b *Bettor, c *tipoff.Coupon, offset int64, league string, begin time.Time) Verdict {
	now := c.Timestamp.Unix()
	v := b.AddCoupon(c, at(offset), CauseAt(at(offset)), now)
	for _, leg := range b.LegsOf(c, cause(offset, 0), now) {
		b.Apply(resolved(&leg, league, begin), now)
	}
	return v
}

func TestBettor_ASecondCopyOfACouponSendsNothing(t *testing.T) {
	var b Bettor
	c := bet("c1", noon, "e1")
	for _, step := range []struct {
		record int64
		want   Verdict
	}{{100, NewBet}, {100, AgainBet}, {107, RepeatBet}, {100, AgainBet}} {
		if v := b.AddCoupon(c, at(5), CauseAt(at(step.record)), noon.Unix()); v != step.want {
			t.Errorf("brought by record %d: %v, want %v", step.record, v, step.want)
		}
	}
	other := bet("c1", noon, "e2")
	if v := b.AddCoupon(other, at(6), CauseAt(at(108)), noon.Unix()); v != DiffersBet || len(b.Bets) != 1 {
		t.Errorf("another content: %v", v)
	}
}

func TestBettor_CountsACouponOnce(t *testing.T) {
	var b Bettor
	c := bet("c1", noon, "e1", "e2")
	if v := settle(&b, c, 1, "l", noon.Add(time.Hour)); v != NewBet {
		t.Fatalf("verdict = %v", v)
	}
	if b.LegCount != 2 || !near(b.Weight, 2) || !near(weightOf(b.Leagues, Name("s", "l")), 2) {
		t.Fatalf("after one coupon: %+v", b)
	}
	want := b.Marshal()
	if v := settle(&b, c, 1, "l", noon.Add(time.Hour)); v != AgainBet {
		t.Errorf("the same record again: verdict = %v", v)
	}
	if got := b.Marshal(); !slices.Equal(got, want) {
		t.Error("the same record again changed the state")
	}
	if v := b.AddCoupon(c, at(2), CauseAt(at(2)), noon.Unix()); v != RepeatBet {
		t.Errorf("posted again: verdict = %v", v)
	}
	other := bet("c1", noon, "e1", "e3")
	if v := b.AddCoupon(other, at(3), CauseAt(at(3)), noon.Unix()); v != DiffersBet {
		t.Errorf("another content under the id: verdict = %v", v)
	}
	// The repeats themselves may be delivered again.
	if v := b.AddCoupon(c, at(2), CauseAt(at(2)), noon.Unix()); v != RepeatBet {
		t.Errorf("the repeat delivered again: verdict = %v", v)
	}
	if v := b.AddCoupon(other, at(3), CauseAt(at(3)), noon.Unix()); v != DiffersBet {
		t.Errorf("the contradiction delivered again: verdict = %v", v)
	}
	if b.LegCount != 2 {
		t.Errorf("legs = %d, want 2", b.LegCount)
	}
}

func TestBettor_SendsTheSameMessagesAgain(t *testing.T) {
	var b Bettor
	for i := range 5 {
		settle(&b, bet(fmt.Sprint("c", i), noon.Add(time.Duration(i)*time.Minute), fmt.Sprint("e", i)), int64(i), "l", noon.Add(time.Hour))
	}
	c := bet("c5", noon.Add(5*time.Minute), "e5", "e6")
	b.AddCoupon(c, at(5), CauseAt(at(5)), c.Timestamp.Unix())
	first := b.LegsOf(c, cause(5, 3), c.Timestamp.Unix())
	settle(&b, bet("c6", noon.Add(6*time.Minute), "e7"), 6, "l", noon.Add(time.Hour))
	if v := b.AddCoupon(c, at(5), CauseAt(at(5)), c.Timestamp.Unix()); v != AgainBet {
		t.Fatalf("verdict = %v", v)
	}
	if diff := cmp.Diff(first, b.LegsOf(c, cause(5, 3), c.Timestamp.Unix())); diff != "" {
		t.Error(diff)
	}
	want := []uint64{tipoff.EventRef("e5"), tipoff.EventRef("e4"), tipoff.EventRef("e3"), tipoff.EventRef("e2"), tipoff.EventRef("e1"), tipoff.EventRef("e0")}
	if !slices.Equal(first[1].History, want) {
		t.Errorf("history of the second leg = %x, want %x", first[1].History, want)
	}
}

func TestBettor_RefusesWhatMayBeAForgottenRepeat(t *testing.T) {
	var b Bettor
	for i := range MaxCoupons + 10 {
		settle(&b, bet(fmt.Sprint("c", i), noon.Add(time.Duration(i)*time.Minute), fmt.Sprint("e", i)), int64(i), "l", noon.Add(time.Duration(i)*time.Minute))
	}
	if len(b.Bets) != MaxCoupons {
		t.Fatalf("%d coupons are kept", len(b.Bets))
	}
	next := int64(MaxCoupons + 10)
	old := bet("old", noon, "e")
	if v := b.AddCoupon(old, at(next), CauseAt(at(next)), noon.Add(24*time.Hour).Unix()); v != TooOldBet {
		t.Errorf("older than all kept: verdict = %v", v)
	}
	if v := b.AddCoupon(old, at(next), CauseAt(at(next)), noon.Add(24*time.Hour).Unix()); v != TooOldBet {
		t.Errorf("the same record again: verdict = %v", v)
	}
	if v := b.AddCoupon(bet("c0", noon, "e0"), at(0), CauseAt(at(0)), noon.Add(24*time.Hour).Unix()); v != RepeatBet {
		t.Errorf("a counted record, forgotten and delivered again: verdict = %v", v)
	}
}

func TestBettor_TakesAFloodOfBetsOfOneMoment(t *testing.T) {
	var b Bettor
	for i := range 3 * MaxCoupons {
		if v := settle(&b, bet(fmt.Sprint("c", i), noon, "e"), int64(i), "l", noon.Add(time.Hour)); v != NewBet {
			t.Fatalf("coupon %d: verdict = %v", i, v)
		}
	}
	if b.LegCount != 3*MaxCoupons {
		t.Errorf("legs = %d", b.LegCount)
	}
}

func TestBettor_KeepsWhatWaits(t *testing.T) {
	var b Bettor
	early := bet("early", noon, "unknown")
	b.AddCoupon(early, at(0), CauseAt(at(0)), noon.Unix())
	leg := b.LegsOf(early, cause(0, 0), noon.Unix())[0]
	for i := range MaxCoupons + 50 {
		when := noon.Add(time.Duration(i+1) * time.Minute)
		settle(&b, bet(fmt.Sprint("c", i), when, fmt.Sprint("e", i)), int64(i+1), "l", when)
	}
	before := b.LegCount
	b.Apply(resolved(&leg, "late", noon), noon.Add(24*time.Hour).Unix())
	b.Apply(resolved(&leg, "late", noon), noon.Add(24*time.Hour).Unix())
	if b.LegCount != before+1 || weightOf(b.Leagues, Name("s", "late")) == 0 {
		t.Errorf("a leg whose event came late was counted %d times", b.LegCount-before)
	}
}

func TestBettor_ForgetsLegsThatHaveBegun(t *testing.T) {
	var b Bettor
	for i := range 100 {
		settle(&b, bet(fmt.Sprint("c", i), noon.Add(time.Duration(i)*time.Minute), fmt.Sprint("e", i)), int64(i), "l", noon.Add(3*time.Hour))
	}
	legs := func() (n int) {
		for _, bet := range b.Bets {
			n += len(bet.Legs)
		}
		return n
	}
	if legs() != 100 {
		t.Errorf("%d legs are kept while all are open", legs())
	}
	settle(&b, bet("last", noon.Add(4*time.Hour), "e-last"), 100, "l", noon.Add(5*time.Hour))
	if legs() != HistoryLegs {
		t.Errorf("%d legs are kept after the beginning, want %d", legs(), HistoryLegs)
	}
}

func TestBettor_ABetDatedAheadDoesNotMakeThePastFade(t *testing.T) {
	var honest, ahead Bettor
	settle(&honest, bet("c1", noon, "e1"), 1, "l", noon)
	settle(&ahead, bet("c1", noon, "e1"), 1, "l", noon)
	c := bet("c2", noon.AddDate(1, 0, 0), "e2")
	ahead.AddCoupon(c, at(2), CauseAt(at(2)), noon.Unix())
	for _, leg := range ahead.LegsOf(c, cause(2, 0), noon.Unix()) {
		ahead.Apply(resolved(&leg, "m", noon), noon.Unix())
	}
	if ahead.At != honest.At || weightOf(ahead.Leagues, Name("s", "l")) != weightOf(honest.Leagues, Name("s", "l")) {
		t.Errorf("at = %d, weight = %v", ahead.At, weightOf(ahead.Leagues, Name("s", "l")))
	}
}

func TestBettor_DoesNotDependOnWhenLegsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "coupons")
		var coupons []*tipoff.Coupon
		for i := range n {
			coupons = append(coupons, bet(fmt.Sprint("c", i), noon.Add(time.Duration(rapid.IntRange(0, 90*24).Draw(t, "hours"))*time.Hour), fmt.Sprint("e", i%5), "x"))
		}
		now := noon.AddDate(1, 0, 0).Unix()
		var atOnce, later Bettor
		var legs []Leg
		for i, c := range coupons {
			atOnce.AddCoupon(c, at(int64(i)), CauseAt(at(int64(i))), now)
			for _, leg := range atOnce.LegsOf(c, cause(int64(i), 0), now) {
				atOnce.Apply(resolved(&leg, leg.EventID, noon), now)
			}
			later.AddCoupon(c, at(int64(i)), CauseAt(at(int64(i))), now)
			legs = append(legs, later.LegsOf(c, cause(int64(i), 0), now)...)
		}
		for _, leg := range rapid.Permutation(legs).Draw(t, "order") {
			later.Apply(resolved(&leg, leg.EventID, noon), now)
		}
		if diff := cmp.Diff(atOnce, later, cmpopts.EquateApprox(1e-3, 1e-6)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestBettor_ComesThroughTheTable(t *testing.T) {
	over := new(Bettor) // what was read before, all in the same memory
	rapid.Check(t, func(t *rapid.T) {
		var b Bettor
		if rapid.Bool().Draw(t, "posted") {
			b.Post(tipoff.User{ID: "u", BirthYear: 1990, Country: "USA", Currency: "USD", Gender: "x", RegistrationDate: noon, Extra: []byte(`{"a":1}`)}, at(3))
		}
		for i := range rapid.IntRange(0, 40).Draw(t, "coupons") {
			when := noon.Add(time.Duration(rapid.IntRange(-1000, 1000).Draw(t, "minutes")) * time.Minute)
			c := bet(fmt.Sprint("c", i), when, fmt.Sprint("e", i), fmt.Sprint("f", i%3))
			b.AddCoupon(c, at(int64(i)), CauseAt(at(int64(i))), when.Unix())
			for _, leg := range b.LegsOf(c, cause(int64(i), 0), when.Unix()) {
				if rapid.Bool().Draw(t, "comes back") {
					b.Apply(resolved(&leg, fmt.Sprint("l", i%4), when.Add(time.Hour)), when.Unix())
				}
			}
		}
		again, err := UnmarshalBettor(b.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, *again, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if err := over.Unmarshal(b.Marshal()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, *over, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("read over another bettor: %s", diff)
		}
	})
}

func TestBettor_TakesBetsOfAnyPast(t *testing.T) {
	var b Bettor
	for i, year := range []int{1, 1969, 2020} {
		c := bet(fmt.Sprint("c", i), time.Date(year, 2, 3, 0, 0, 0, 0, time.UTC), "e")
		if got := b.AddCoupon(c, at(int64(i)), CauseAt(at(int64(i))), noon.Unix()); got != NewBet {
			t.Errorf("a bet of the year %d: verdict %d", year, got)
		}
	}
}

func TestBettor_SendsTheSameLegsAgain(t *testing.T) {
	var b Bettor
	first := bet("c1", noon, "e1")
	b.AddCoupon(first, at(5), CauseAt(at(5)), noon.Unix())
	before := b.LegsOf(first, cause(5, 0), noon.Unix())
	b.AddCoupon(bet("c2", noon.Add(-time.Hour), "e2"), at(6), CauseAt(at(6)), noon.Unix()) // comes later, and is dated before
	if diff := cmp.Diff(before, b.LegsOf(first, cause(5, 0), noon.Unix())); diff != "" {
		t.Errorf("the legs of a bet, made again after another one came:\n%s", diff)
	}
}

// TestBettor_KnowsTheRecordThatItCounted: only that very record, come again, sends its
// legs again; not one at the same offset of a topic that was created again, and also where a later
// one of another topic was counted since.
func TestBettor_KnowsTheRecordThatItCounted(t *testing.T) {
	var b Bettor
	c := bet("c1", noon, "e1")
	former, later := Position{1, 5}, Position{2, 5}
	for i, step := range []struct {
		record Position
		want   Verdict
	}{{former, NewBet}, {former, AgainBet}, {later, RepeatBet}, {later, RepeatBet}, {former, AgainBet}} {
		if got := b.AddCoupon(c, step.record, CauseAt(step.record), noon.Unix()); got != step.want {
			t.Errorf("step %d: verdict %d, want %d", i, got, step.want)
		}
		again, err := UnmarshalBettor(b.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		b = *again
	}
}

// TestName_IsThatOfTheTextInLowerCase: tables hold these numbers, so how they are computed
// must not change what they are.
func TestName_IsThatOfTheTextInLowerCase(t *testing.T) {
	long := strings.Repeat("League One ", 20)
	for _, name := range []string{"", " NBA ", "La Liga", "SÜPER LIG", "Ärzte XI", long, long + "Ö", "İstanbul", "\xffBAD\xfe"} {
		var d xxhash.Digest
		d.Reset()
		_, _ = d.WriteString("soccer\x1f" + strings.ToLower(strings.TrimSpace(name)) + "\x1f")
		if got, want := Name("Soccer", name), uint32(d.Sum64()); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Name("Soccer", "Premier League") }); n != 0 {
		t.Errorf("a plain name costs %v allocations", n)
	}
}
