package http

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tipoff"
)

// TestAppendRecommendation_IsWhatReflectionWrites, of every field and of none.
func TestAppendRecommendation_IsWhatReflectionWrites(t *testing.T) {
	full := tipoff.Event{
		ID: `a"b\ü<`, Begin: noon, End: noon.Add(90 * time.Minute), Country: "Côte d'Ivoire", League: "L&L", Sport: "S\u2028",
		Participants: []string{"A", "B"}, Home: "A", Away: "B", Status: tipoff.StatusOpen, Result: "0:0", Version: tipoff.VersionOf(7),
		Markets: []tipoff.Market{{Market: "1x2", Outcomes: []tipoff.Outcome{{Outcome: "1", Odds: 1.05}}}}, Extra: jsontext.Value(`{"x":[1,null]}`),
	}
	const id = 36*36 + 35
	for name, r := range map[string]tipoff.Recommendation{
		"Empty": {ID: "10z", UserID: "u", Items: []tipoff.Item{}, ColdStart: true, EmptyBecause: "no event is open"},
		"Full": {ID: "10z", UserID: "ü\"", Items: []tipoff.Item{
			{Event: &tipoff.Offered{Event: full}, Score: 1.2345, Reason: tipoff.Reason{Code: tipoff.ReasonTeam, Entity: "A \\ B", Evidence: 123456.789}},
			{Event: &tipoff.Offered{Event: tipoff.Event{ID: "e"}}, Score: -0.0001, Reason: tipoff.Reason{Code: tipoff.ReasonOpen, Entity: "e"}},
		}},
	} {
		want, err := json.Marshal(&r)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time from what the first has written
			if got := appendRecommendation(nil, &r, id); string(got) != string(want) {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
}
