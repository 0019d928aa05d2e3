package evaluate_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"tipoff"
	"tipoff/evaluate"
	"tipoff/score"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

// fans is a log of users who bet on the events of one league each, a few a day, and
// of a popular one now and then.
func fans(coupons int) *evaluate.Log {
	log := &evaluate.Log{Name: "fans"}
	for u := range 20 {
		log.Add(evaluate.Fact{At: noon, User: &tipoff.User{ID: fmt.Sprint("u", u), Country: fmt.Sprint("C", u%2)}})
	}
	for i := range coupons {
		at := noon.Add(time.Duration(i) * time.Minute)
		if i%40 == 0 {
			for league := range 4 {
				for k := range 6 {
					log.Add(evaluate.Fact{At: at, Event: &tipoff.Event{
						ID: fmt.Sprintf("e%d-%d-%d", i, league, k), Sport: "Tennis", League: fmt.Sprint("L", league), Country: "USA",
						Begin: at.Add(90 * time.Minute), End: at.Add(2 * time.Hour), Status: tipoff.StatusOpen, Participants: []string{},
					}})
				}
			}
		}
		u := i % 20
		event := fmt.Sprintf("e%d-%d-%d", i/40*40, u%4, i/20%6)
		log.Add(evaluate.Fact{At: at, Coupon: &tipoff.Coupon{
			ID: fmt.Sprint("c", i), UserID: fmt.Sprint("u", u), Stake: 1, Timestamp: at, Selections: []tipoff.Selection{{EventID: event, Odds: 2}},
		}})
	}
	return log
}

func judge(t *testing.T, log *evaluate.Log, names ...string) map[string]*evaluate.Result {
	t.Helper()
	rankers, err := evaluate.Rankers(names)
	if err != nil {
		t.Fatal(err)
	}
	results, err := evaluate.Judge(t.Context(), log, rankers, evaluate.Options{Clock: evaluate.Clock(), Plotted: 10})
	if err != nil {
		t.Fatal(err)
	}
	evaluate.Compare(results, "tipoff")
	by := map[string]*evaluate.Result{}
	for _, r := range results {
		by[r.Ranker] = r
	}
	return by
}

func TestJudge_WhoKnowsTasteBeatsWhoDoesNot(t *testing.T) {
	r := judge(t, fans(1200))
	if r["tipoff"].NDCG < r["affinity"].NDCG*0.95 || r["affinity"].NDCG < 1.5*r["popular-ever"].NDCG {
		t.Errorf("tipoff %.3f, affinity %.3f, popular %.3f", r["tipoff"].NDCG, r["affinity"].NDCG, r["popular-ever"].NDCG)
	}
	for name, x := range r {
		if x.Scored != 960 || x.HR < x.NDCG || x.Interval[0] > x.NDCG || x.Interval[1] < x.NDCG || len(x.Line) != 10 {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

func TestJudge_TheSameLogGivesTheSame(t *testing.T) {
	a, b := judge(t, fans(400)), judge(t, fans(400))
	for name := range a {
		if a[name].NDCG != b[name].NDCG || a[name].Interval != b[name].Interval {
			t.Errorf("%s: %v, then %v", name, a[name].NDCG, b[name].NDCG)
		}
	}
}

// oracle answers the list it is told to.
type oracle struct{ place int }

func (o *oracle) Name() string                   { return "oracle" }
func (o *oracle) Learn(*evaluate.Query, []int32) {}

func (o *oracle) Top(q *evaluate.Query) []int32 {
	var top []int32
	for i, c := range q.Candidates {
		if q.Events[c].ID == "b" && o.place >= 0 {
			continue
		}
		if i < 30 && len(top) < evaluate.Depth {
			top = append(top, c)
		}
	}
	if o.place >= 0 && o.place < len(top) {
		for _, c := range q.Candidates {
			if q.Events[c].ID == "b" {
				top[o.place] = c
			}
		}
	}
	return top
}

func TestJudge_MetricsAreThoseOfThePlace(t *testing.T) {
	for place, want := range map[int]float64{0: 1, 1: 1 / math.Log2(3), 9: 1 / math.Log2(11)} {
		log := &evaluate.Log{Name: "one"}
		for i := range 20 {
			log.Add(evaluate.Fact{At: noon, Event: &tipoff.Event{ID: fmt.Sprint(string(rune('a' + i))), Begin: noon.Add(time.Hour), Status: tipoff.StatusOpen}})
		}
		log.Add(evaluate.Fact{At: noon, Coupon: &tipoff.Coupon{ID: "c", UserID: "u", Stake: 1, Timestamp: noon, Selections: []tipoff.Selection{{EventID: "b", Odds: 2}}}})
		results, err := evaluate.Judge(t.Context(), log, []evaluate.Ranker{&oracle{place}}, evaluate.Options{Clock: evaluate.Clock()})
		if err != nil {
			t.Fatal(err)
		}
		r := results[0]
		if math.Abs(r.NDCG-want) > 1e-9 || r.HR != 1 || r.Recall != 1 || math.Abs(r.MRR-1/float64(place+1)) > 1e-9 || r.Slices[evaluate.SliceNew].Scored != 1 {
			t.Errorf("place %d: %+v", place, r)
		}
	}
}

func TestRankers_RefusesANameItDoesNotKnow(t *testing.T) {
	if _, err := evaluate.Rankers([]string{"tipof"}); err == nil || !strings.Contains(err.Error(), "tipof") {
		t.Errorf("error is %v", err)
	}
	if made, err := evaluate.Rankers([]string{evaluate.Ablation}); err != nil || len(made) != 1+len(score.PartNames) {
		t.Errorf("%d rankers, %v", len(made), err)
	}
	if made, err := evaluate.Rankers([]string{evaluate.AblationTerms}); err != nil || len(made) != 1+score.Terms {
		t.Errorf("%d rankers, %v", len(made), err)
	}
}

func TestReport_PutsTablesBetweenTheMarks(t *testing.T) {
	page := "# Quality\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter"
	var results []*evaluate.Result
	for _, r := range judge(t, fans(200), "tipoff", "cf") {
		results = append(results, r)
	}
	got, err := evaluate.Report(page, results, "plots")
	if err != nil || !strings.HasPrefix(got, "# Quality\n") || strings.Contains(got, "old") || !strings.HasSuffix(got, "\nafter") || !strings.Contains(got, "| cf | 0.") || strings.Count(got, "](plots/fans-time.svg)") != 1 {
		t.Errorf("%v: %s", err, got)
	}
	if _, err := evaluate.Report("# Quality", results, ""); err == nil {
		t.Error("a page without marks was taken")
	}
	if plots := evaluate.Plots(results); len(plots) != 2 || !strings.Contains(plots["fans-time.svg"], "polyline") {
		t.Errorf("plots: %v", plots)
	}
}
