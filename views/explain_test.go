package views

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tipoff"
	"tipoff/state"
)

// chosen is a fixture that was bet on so often.
func chosen(id, league string, bets int) []byte {
	f := new(state.Fixture)
	f.Post(tipoff.Event{
		ID: id, Sport: "Tennis", League: league, Country: "USA", Begin: noon.Add(time.Hour), End: noon.Add(2 * time.Hour), Participants: []string{}, Status: tipoff.StatusOpen,
	}, state.Position{Source: 1, Offset: 1})
	for i := range bets {
		at := state.Position{Source: 1, Offset: int64(i + 2)}
		f.Count(&state.Leg{Cause: state.CauseAt(at), UserID: fmt.Sprint("w", i), EventID: id, At: noon.Unix() - 60})
	}
	return f.Marshal()
}

// explained wants every item of an answer explained by just its score, at its place.
func explained(t *testing.T, v *Views, r tipoff.Recommendation, q tipoff.Query, now time.Time) {
	t.Helper()
	if len(r.Items) == 0 {
		t.Fatal("nothing is recommended")
	}
	for i, item := range r.Items {
		e, err := v.Explain("default", item.Event.ID, q, now)
		if err != nil {
			t.Fatal(err)
		}
		if e.Score != item.Score || e.Rank == nil || *e.Rank != i+1 || *e.Reason != item.Reason {
			t.Errorf("%s, number %d with %v, is explained as %v with %v", item.Event.ID, i+1, item.Score, e.Rank, e.Score)
		}
	}
}

func explainedViews(t *testing.T) *Views {
	v := New()
	for i := range 12 {
		put(t, v.PutFixture(fmt.Sprint("default/e", i), chosen(fmt.Sprint("e", i), []string{"A", "B"}[i%2], i), noon))
	}
	put(t, v.PutBettor("default/u", bettor("A", "e0")))
	return v
}

// TestExplain_IsOfTheAnswerThatIsKept, also a moment later.
func TestExplain_IsOfTheAnswerThatIsKept(t *testing.T) {
	v := explainedViews(t)
	at := noon.Add(7 * time.Second).Add(500 * time.Millisecond) // the terms' grid of time ends before the answer does
	q := tipoff.Query{UserID: "u", N: 5, Diversity: tipoff.DefaultVariety}
	first := v.Recommend("default", q, at)
	explained(t, v, first, q, at.Add(keptFor-1))
	if e, err := v.Explain("default", first.Items[0].Event.ID, q, at.Add(keptFor-1)); err != nil || !e.At.Equal(at) {
		t.Errorf("explained as of %v: %v", e.At, err)
	}
	q.Fresh = true
	if e, err := v.Explain("default", first.Items[0].Event.ID, q, at.Add(keptFor-1)); err != nil || e.At.Equal(at) {
		t.Errorf("what is asked for afresh is explained as of %v: %v", e.At, err)
	}
}

// TestExplain_LetsGoOfAnAnswerThatOthersHaveOutdated: the next answer is as explained.
func TestExplain_LetsGoOfAnAnswerThatOthersHaveOutdated(t *testing.T) {
	v := explainedViews(t)
	q := tipoff.Query{UserID: "u", N: 5}
	first := v.Recommend("default", q, noon)
	event := first.Items[0].Event.ID
	put(t, v.PutFixture("default/"+event, chosen(event, first.Items[0].Event.League, 40), noon))
	if again := v.Recommend("default", q, noon); again.Items[0].Score != first.Items[0].Score {
		t.Fatal("the answer is not kept, so this tests nothing")
	}
	e, err := v.Explain("default", event, q, noon)
	if err != nil || e.Score == first.Items[0].Score {
		t.Errorf("explained by %v as before: %v", e.Score, err)
	}
	explained(t, v, v.Recommend("default", q, noon), q, noon)
}

func TestRecommend_ByANamedRankerKeepsNothing(t *testing.T) {
	v := explainedViews(t)
	q, popular := tipoff.Query{UserID: "u", N: 5}, tipoff.Query{UserID: "u", N: 5, Ranker: tipoff.RankerPopular}
	asPopular := v.Recommend("default", popular, noon)
	usual := v.Recommend("default", q, noon)
	if asPopular.Items[0].Event.ID != "e11" || usual.Items[0].Event.League != "A" {
		t.Fatalf("popular begins with %s, the usual answer with %s", asPopular.Items[0].Event.ID, usual.Items[0].Event.ID)
	}
	put(t, v.PutFixture("default/e10", chosen("e10", "A", 40), noon))
	if again := v.Recommend("default", popular, noon); again.Items[0].Event.ID != "e10" {
		t.Errorf("by popularity %s is first: the answer was kept", again.Items[0].Event.ID)
	}
	for _, ranker := range tipoff.Rankers() {
		q := tipoff.Query{UserID: "u", N: 5, Ranker: ranker}
		explained(t, v, v.Recommend("default", q, noon), q, noon)
	}
}

func TestExplain_OfAnotherCompanyIsNotKnown(t *testing.T) {
	v := explainedViews(t)
	if _, err := v.Explain("other", "e1", tipoff.Query{UserID: "u", N: 5}, noon); !errors.Is(err, tipoff.ErrNotFound) {
		t.Error(err)
	}
	put(t, v.PutFixture("other/f", fixture("f", "A", noon.Add(time.Hour)), noon))
	if _, err := v.Explain("other", "e1", tipoff.Query{UserID: "u", N: 5}, noon); !errors.Is(err, tipoff.ErrNotFound) {
		t.Error(err)
	}
}
