package rank

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tipoff"
)

// TestSlate_NearEqualsTakeTurns: not only the first place.
func TestSlate_NearEqualsTakeTurns(t *testing.T) {
	w := newWorld()
	for i := range 30 {
		w.post(event(fmt.Sprint("e", i), fmt.Sprint("L", i), noon.Add(100*time.Hour+time.Duration(i)*time.Minute)))
	}
	seen := map[string]bool{}
	for hour := range 12 {
		w.now = noon.Add(time.Duration(hour) * time.Hour)
		list := ids(w.ask("nobody", func(q *tipoff.Query) { q.N, q.Diversity = 5, 0.1 }))
		again := ids(w.ask("nobody", func(q *tipoff.Query) { q.N, q.Diversity = 5, 0.1 }))
		if !slices.Equal(list, again) {
			t.Errorf("asked again within the hour: %v, then %v", list, again)
		}
		seen[list[2]] = true
	}
	if len(seen) < 4 {
		t.Errorf("in twelve hours only %v stood third", seen)
	}
}

func TestRank_DiversityVariesTheSlateAndKeepsTheBest(t *testing.T) {
	w := newWorld()
	for i := range 10 {
		w.post(event(fmt.Sprint("a", i), "A", noon.Add(24*time.Hour)))
		w.post(event(fmt.Sprint("b", i), "B", noon.Add(24*time.Hour)))
	}
	for i := range 4 {
		w.bet("u", noon, fmt.Sprint("a", i))
	}
	w.bet("v", noon.AddDate(0, 0, -20), "b0")
	plain := w.ask("u", func(q *tipoff.Query) { q.N = 4 })
	varied := w.ask("u", func(q *tipoff.Query) { q.N = 4; q.Diversity = 0.8 })
	leagues := func(list []tipoff.Item) map[string]bool {
		seen := map[string]bool{}
		for _, r := range list {
			seen[r.Event.League] = true
		}
		return seen
	}
	if len(leagues(plain)) != 1 || len(leagues(varied)) != 2 || plain[0].Score-varied[0].Score >= nearEqual {
		t.Errorf("plain %v, varied %v", ids(plain), ids(varied))
	}
}

func TestRank_NearEqualsTakeTurnsByTheHour(t *testing.T) {
	w := newWorld()
	for i := range 30 {
		w.post(event(fmt.Sprint("e", i), fmt.Sprint("L", i), noon.AddDate(0, 1, 0)))
	}
	for i := range 10 {
		w.bet(fmt.Sprint("v", i), noon, "e7")
	}
	list := func(user string, now time.Time) []string {
		q := &Question{Query: tipoff.Query{UserID: user, N: 5, Diversity: 0.1}, Now: now}
		return ids(w.index.Rank(q, new(Scratch)))
	}
	first := list("u", noon)
	if first[0] != "e7" {
		t.Errorf("%v: the best does not stand first", first)
	}
	if again := list("u", noon.Add(59*time.Minute)); !cmp.Equal(first, again) {
		t.Errorf("within the hour %v became %v", first, again)
	}
	if cmp.Equal(first, list("u", noon.Add(time.Hour))) || cmp.Equal(first, list("someone else", noon)) {
		t.Errorf("%v is shown to all, at any hour", first)
	}
}
