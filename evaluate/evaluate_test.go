package evaluate_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"tipoff"
	"tipoff/evaluate"
	"tipoff/rank"
	"tipoff/recording"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

// fans is a log of users who bet on the events of one league each, a few a day, and
// of a popular one now and then.
func fans(coupons int) *recording.Log {
	log := &recording.Log{Name: "fans"}
	for u := range 20 {
		log.Add(tipoff.Fact{At: noon, User: &tipoff.User{ID: fmt.Sprint("u", u), Country: fmt.Sprint("C", u%2)}})
	}
	for i := range coupons {
		at := noon.Add(time.Duration(i) * time.Minute)
		if i%40 == 0 {
			for league := range 4 {
				for k := range 6 {
					log.Add(tipoff.Fact{At: at, Event: &tipoff.Event{
						ID: fmt.Sprintf("e%d-%d-%d", i, league, k), Sport: "Tennis", League: fmt.Sprint("L", league), Country: "USA",
						Begin: at.Add(90 * time.Minute), End: at.Add(2 * time.Hour), Status: tipoff.StatusOpen, Participants: []string{},
					}})
				}
			}
		}
		u := i % 20
		event := fmt.Sprintf("e%d-%d-%d", i/40*40, u%4, i/20%6)
		log.Add(tipoff.Fact{At: at, Coupon: &tipoff.Coupon{
			ID: fmt.Sprint("c", i), UserID: fmt.Sprint("u", u), Stake: 1, Timestamp: at, Selections: []tipoff.Selection{{EventID: event, Odds: 2}},
		}})
	}
	return log
}

func judge(t *testing.T, log *recording.Log, names ...string) map[string]*evaluate.Result {
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

// oracle puts the event b at the rank it is told to, from 0.
type oracle struct{ rank int }

func (o *oracle) Name() string                   { return "oracle" }
func (o *oracle) Learn(*evaluate.Query, []int32) {}

func (o *oracle) Top(q *evaluate.Query) []int32 {
	var top []int32
	for i, c := range q.Candidates {
		if q.Events[c].ID == "b" && o.rank >= 0 {
			continue
		}
		if i < 30 && len(top) < evaluate.Depth {
			top = append(top, c)
		}
	}
	if o.rank >= 0 && o.rank < len(top) {
		for _, c := range q.Candidates {
			if q.Events[c].ID == "b" {
				top[o.rank] = c
			}
		}
	}
	return top
}

func TestJudge_MetricsAreThoseOfTheRank(t *testing.T) {
	for rank, want := range map[int]float64{0: 1, 1: 1 / math.Log2(3), 9: 1 / math.Log2(11)} {
		log := &recording.Log{Name: "one"}
		for i := range 20 {
			log.Add(tipoff.Fact{At: noon, Event: &tipoff.Event{ID: fmt.Sprint(string(rune('a' + i))), Begin: noon.Add(time.Hour), Status: tipoff.StatusOpen}})
		}
		log.Add(tipoff.Fact{At: noon, Coupon: &tipoff.Coupon{ID: "c", UserID: "u", Stake: 1, Timestamp: noon, Selections: []tipoff.Selection{{EventID: "b", Odds: 2}}}})
		results, err := evaluate.Judge(t.Context(), log, []evaluate.Ranker{&oracle{rank}}, evaluate.Options{Clock: evaluate.Clock()})
		if err != nil {
			t.Fatal(err)
		}
		r := results[0]
		if math.Abs(r.NDCG-want) > 1e-9 || r.HR != 1 || r.Recall != 1 || math.Abs(r.MRR-1/float64(rank+1)) > 1e-9 || r.Slices[evaluate.SliceNew].Scored != 1 {
			t.Errorf("rank %d: %+v", rank, r)
		}
	}
}

// TestJudge_EventsStandAsTheirPostsLeaveThem: a post without a status opens a new event,
// and leaves the status of one that is closed.
func TestJudge_EventsStandAsTheirPostsLeaveThem(t *testing.T) {
	log := &recording.Log{Name: "again"}
	post := func(id, status string) {
		log.Add(tipoff.Fact{At: noon, Event: &tipoff.Event{ID: id, Begin: noon.Add(time.Hour), Status: status}})
	}
	post("b", "")
	for _, status := range []string{"", tipoff.StatusCancelled, ""} {
		post("a", status)
	}
	for i, event := range []string{"a", "b"} {
		log.Add(tipoff.Fact{At: noon, Coupon: &tipoff.Coupon{ID: event, UserID: fmt.Sprint("u", i), Stake: 1, Timestamp: noon, Selections: []tipoff.Selection{{EventID: event, Odds: 2}}}})
	}
	results, err := evaluate.Judge(t.Context(), log, []evaluate.Ranker{&oracle{0}}, evaluate.Options{Clock: evaluate.Clock()})
	if err != nil {
		t.Fatal(err)
	}
	if n := results[0].Slices[evaluate.SliceNew].Scored; n != 1 {
		t.Errorf("%d coupons were on an open event, want 1", n)
	}
}

// apprentice knows the answer from a coupon on, and puts it last of ten until then.
type apprentice struct{ from, learnt int }

func (*apprentice) Name() string                     { return "apprentice" }
func (a *apprentice) Learn(*evaluate.Query, []int32) { a.learnt++ }

func (a *apprentice) Top(q *evaluate.Query) []int32 {
	if a.learnt >= a.from {
		return (&oracle{0}).Top(q)
	}
	return (&oracle{evaluate.Depth - 1}).Top(q)
}

// likings is a log of users who each choose the event "b" of twenty, once.
func likings(coupons int) *recording.Log {
	log := &recording.Log{Name: "likings"}
	for i := range 20 {
		log.Add(tipoff.Fact{At: noon, Event: &tipoff.Event{ID: fmt.Sprint(string(rune('a' + i))), Begin: noon.Add(time.Hour), Status: tipoff.StatusOpen}})
	}
	for i := range coupons {
		log.Add(tipoff.Fact{At: noon, Coupon: &tipoff.Coupon{ID: "c", UserID: fmt.Sprint("u", i), Stake: 1, Timestamp: noon, Selections: []tipoff.Selection{{EventID: "b", Odds: 2}}}})
	}
	return log
}

func TestJudge_TheFirstCouponsAreReportedApart(t *testing.T) {
	last := 1 / math.Log2(11)
	of := func(log *recording.Log, o evaluate.Options) *evaluate.Result {
		o.Clock = evaluate.Clock()
		results, err := evaluate.Judge(t.Context(), log, []evaluate.Ranker{&apprentice{from: 50}}, o)
		if err != nil {
			t.Fatal(err)
		}
		return results[0]
	}
	mixed := func(share float64) float64 { return share*last + 1 - share }
	check := func(r *evaluate.Result, want ...evaluate.Beginning) {
		t.Helper()
		if len(r.Beginnings) != len(want) {
			t.Fatalf("beginnings %+v, want %+v", r.Beginnings, want)
		}
		for i, b := range r.Beginnings {
			if w := want[i]; b.Coupons != w.Coupons || b.Scored != w.Scored || math.Abs(b.NDCG-w.NDCG) > 1e-9 || b.HR != 1 {
				t.Errorf("beginning %+v, want %+v", b, w)
			}
		}
	}
	begun := func(coupons, scored int, share float64) evaluate.Beginning {
		return evaluate.Beginning{Coupons: coupons, Slice: evaluate.Slice{Scored: scored, NDCG: mixed(share)}}
	}
	log := likings(10_050)
	r := of(log, evaluate.Options{Every: 16, Plotted: 4})
	check(r, begun(100, 100, .5), begun(1000, 1000, .05), begun(10_000, 2000, .005))
	if r.Scored != 503 || r.NDCG != 1 || r.Slices[evaluate.SliceNew].Scored != 503 || r.LastDay.Scored != 503 || len(r.Line) != 4 || r.Line[0] != 1 {
		t.Errorf("the main figures are of more than each 16th coupon after the first fifth: %+v", r)
	}
	check(of(log, evaluate.Options{Every: 2}), begun(100, 100, .5), begun(1000, 1000, .05), begun(10_000, 5000, .005))
	check(of(log, evaluate.Options{Every: 16, First: 999}), begun(100, 100, .5))
	check(of(likings(99), evaluate.Options{Every: 16}))
}

// TestJudge_ChanceIsTheSameWhateverBegins: the main figures of a ranker by chance do
// not change with what is scored of the beginnings.
func TestJudge_ChanceIsTheSameWhateverBegins(t *testing.T) {
	var asked []uint64
	log := likings(600)
	ranker := &listener{ask: func(q *evaluate.Query) { asked = append(asked, q.Chance) }}
	if _, err := evaluate.Judge(t.Context(), log, []evaluate.Ranker{ranker}, evaluate.Options{Every: 16, Clock: evaluate.Clock()}); err != nil {
		t.Fatal(err)
	}
	main, seen := uint64(0), map[uint64]bool{}
	for _, chance := range asked {
		if chance == main+1 {
			main++
		}
		seen[chance] = true
	}
	if main != 30 || len(seen) != len(asked) || len(asked) != 130 {
		t.Errorf("%d questions, %d different, %d of the main figures; want 130, and of these 30", len(asked), len(seen), main)
	}
}

// listener hears what is asked, and has no answer.
type listener struct{ ask func(*evaluate.Query) }

func (*listener) Name() string                   { return "listener" }
func (*listener) Learn(*evaluate.Query, []int32) {}

func (l *listener) Top(q *evaluate.Query) []int32 {
	l.ask(q)
	return nil
}

func TestRankers_RefusesANameItDoesNotKnow(t *testing.T) {
	if _, err := evaluate.Rankers([]string{"tipof"}); err == nil || !strings.Contains(err.Error(), "tipof") {
		t.Errorf("error is %v", err)
	}
	if made, err := evaluate.Rankers([]string{evaluate.Ablation}); err != nil || len(made) != 1+len(rank.PartNames) {
		t.Errorf("%d rankers, %v", len(made), err)
	}
	if made, err := evaluate.Rankers([]string{evaluate.AblationTerms}); err != nil || len(made) != 1+rank.Terms {
		t.Errorf("%d rankers, %v", len(made), err)
	}
}

func TestReport_PutsTablesBetweenTheMarks(t *testing.T) {
	page := "# Quality\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter"
	var results []*evaluate.Result
	by := judge(t, fans(200), "tipoff", "cf", "served-popular", "served-affinity")
	for _, name := range []string{"tipoff", "cf", "served-popular", "served-affinity"} {
		results = append(results, by[name])
	}
	got, err := evaluate.Report(page, results, "plots")
	if err != nil || !strings.HasPrefix(got, "# Quality\n") || strings.Contains(got, "old") || !strings.HasSuffix(got, "\nafter") || !strings.Contains(got, "| cf | 0.") || strings.Count(got, "](plots/fans-time.svg)") != 1 {
		t.Errorf("%v: %s", err, got)
	}
	for i, ndcg := range []float64{.3, .9, .2, .25} {
		results[i].Beginnings[0].NDCG = ndcg
	}
	got, _ = evaluate.Report(page, results, "")
	for _, want := range []string{"| ranker | first 100 (100 scored) |\n|---|---|\n| tipoff | 0.3000 |\n| cf | 0.9000 |", "first 100 +0.0500 (+20%) to served-affinity."} {
		if !strings.Contains(got, want) {
			t.Errorf("the page has no %q: %s", want, got)
		}
	}
	if got, err := evaluate.Report(page, []*evaluate.Result{{Log: "short"}}, ""); err != nil || !strings.Contains(got, "fewer than 100 coupons") {
		t.Errorf("%v: %s", err, got)
	}
	if _, err := evaluate.Report("# Quality", results, ""); err == nil {
		t.Error("a page without marks was taken")
	}
	if plots := evaluate.Plots(results); len(plots) != 2 || !strings.Contains(plots["fans-time.svg"], "polyline") {
		t.Errorf("plots: %v", plots)
	}
}
