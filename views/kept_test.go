package views

import (
	"fmt"
	"testing"
	"time"

	"tipoff"
	"tipoff/state"
)

// TestRecommend_KeepsAnAnswerWhileItHolds, and no longer.
func TestRecommend_KeepsAnAnswerWhileItHolds(t *testing.T) {
	const n = 3
	for name, c := range map[string]struct {
		change func(t *testing.T, v *Views, first tipoff.Recommendation)
		ask    func(q *tipoff.Query)
		after  time.Duration
		isKept bool
	}{
		"Again":            {isKept: true},
		"WithinASecond":    {after: keptFor - 1, isKept: true},
		"ASecondLater":     {after: keptFor},
		"TheClockGoesBack": {after: -1},
		"ByAnotherUser":    {ask: func(q *tipoff.Query) { q.UserID = "v" }},
		"OfAnotherLength":  {ask: func(q *tipoff.Query) { q.N-- }},
		"OfASport":         {ask: func(q *tipoff.Query) { q.Sport = "Tennis" }},
		"Excluding":        {ask: func(q *tipoff.Query) { q.Exclude = []string{"x"} }},
		"Fresh":            {ask: func(q *tipoff.Query) { q.Fresh = true }},
		"AnEventBegins":    {after: time.Hour},
		"OthersBet": {isKept: true, change: func(t *testing.T, v *Views, _ tipoff.Recommendation) {
			put(t, v.PutBettor("default/w", bettor("A", "e1")))
		}},
		"TheUserBets": {change: func(t *testing.T, v *Views, _ tipoff.Recommendation) {
			put(t, v.PutBettor("default/u", bettor("A", "e0", "e1")))
		}},
		"AnotherEventIsPosted": {change: func(t *testing.T, v *Views, _ tipoff.Recommendation) {
			put(t, v.PutFixture("default/f", fixture("f", "A", noon.Add(time.Hour)), noon))
		}},
		"AnEventIsBetOn": {isKept: true, change: func(t *testing.T, v *Views, first tipoff.Recommendation) {
			id := first.Items[0].Event.ID
			put(t, v.PutFixture("default/"+id, fixture(id, "A", noon.Add(time.Hour)), noon))
		}},
		"AnEventIsClosed": {change: func(t *testing.T, v *Views, first tipoff.Recommendation) {
			closed := first.Items[n-1].Event.Event
			closed.Status = tipoff.StatusSuspended
			var f state.Fixture
			f.Post(closed, state.Position{Source: 1, Offset: 2})
			put(t, v.PutFixture("default/"+closed.ID, f.Marshal(), noon))
		}},
		"AnEventIsErased": {change: func(t *testing.T, v *Views, first tipoff.Recommendation) {
			put(t, v.PutFixture("default/"+first.Items[1].Event.ID, nil, noon))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			v := New()
			for i := range 2 * n {
				put(t, v.PutFixture(fmt.Sprint("default/e", i), fixture(fmt.Sprint("e", i), "A", noon.Add(time.Hour)), noon))
			}
			put(t, v.PutBettor("default/u", bettor("A", "e0")), v.PutBettor("default/v", bettor("A", "e0")))
			q := tipoff.Query{UserID: "u", N: n}
			first := v.Recommend("default", q, noon)
			if len(first.Items) != n {
				t.Fatalf("%d items", len(first.Items))
			}
			if c.change != nil {
				c.change(t, v, first)
			}
			if c.ask != nil {
				c.ask(&q)
			}
			second := v.Recommend("default", q, noon.Add(c.after))
			if isKept := len(second.Items) > 0 && &second.Items[0] == &first.Items[0]; isKept != c.isKept {
				t.Errorf("the answer is kept: %v", isKept)
			}
		})
	}
}

// TestKept_HoldsNoLongAnswersAndNoOldOnes: what is held is bounded.
func TestKept_HoldsNoLongAnswersAndNoOldOnes(t *testing.T) {
	v := New()
	put(t, v.PutFixture("default/e", fixture("e", "A", noon.Add(time.Hour)), noon))
	held := func() (n int) {
		for i := range v.kept.answers {
			if v.kept.answers[i].Load() != nil {
				n++
			}
		}
		return n
	}
	v.Recommend("default", tipoff.Query{UserID: "u", N: keptItems + 1}, noon)
	if n := held(); n != 0 {
		t.Errorf("%d long answers are held", n)
	}
	v.Recommend("default", tipoff.Query{UserID: "u", N: keptItems}, noon)
	if v.kept.expire(noon.Add(keptFor - 1)); held() != 1 {
		t.Errorf("%d answers are held within their time", held())
	}
	if v.kept.expire(noon.Add(keptFor)); held() != 0 {
		t.Errorf("%d answers are held after their time", held())
	}
}
