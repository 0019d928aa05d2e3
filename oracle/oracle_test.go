package oracle

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"tipoff"
	"tipoff/topics"
)

const company = "c"

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

// topic numbers records as one partition holds them, all appended at noon.
func topic(records ...topics.Record) (list []Record) {
	for i, r := range records {
		list = append(list, Record{Offset: int64(i), Key: r.Key, Value: r.Value, Appended: noon, Received: r.Received})
	}
	return list
}

func fold(t *testing.T, topics Topics) *Facts {
	t.Helper()
	f, err := Fold(company, topics)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func event(id string) tipoff.Event {
	return tipoff.Event{ID: id, Sport: "S", League: "L", Country: "C", Participants: []string{id + "1", id + "2"},
		Begin: noon.Add(time.Hour), End: noon.Add(2 * time.Hour), Status: tipoff.StatusOpen}
}

// bare names neither status nor result nor markets.
func bare(id string) tipoff.Event {
	e := event(id)
	e.Status = ""
	return e
}

func posted(e tipoff.Event) topics.Record { return topics.EventRecord(company, e, noon) }

// bet is a coupon of the user u, so long before noon.
func bet(id string, before time.Duration, events ...string) topics.Record {
	c := tipoff.Coupon{ID: id, UserID: "u", Stake: 1, Timestamp: noon.Add(-before)}
	for _, event := range events {
		c.Selections = append(c.Selections, tipoff.Selection{EventID: event, Odds: 2, Market: "m", Outcome: "1"})
	}
	return topics.CouponRecord(company, c, noon)
}

func TestFold_KeepsTheLastUserAndTheFirstCoupon(t *testing.T) {
	user := func(country string) topics.Record {
		return topics.UserRecord(company, tipoff.User{ID: "u", Country: country}, noon)
	}
	contradiction := bet("k1", 2*time.Hour, "A")
	f := fold(t, Topics{
		Users:   topic(user("FR"), user("IT"), topics.UserRecord("other", tipoff.User{ID: "v"}, noon)),
		Coupons: topic(bet("k1", time.Hour, "A"), bet("k1", time.Hour, "A"), contradiction, topics.Record{Key: company + "/u", Value: []byte("\xff{")}),
	})
	if len(f.Users) != 1 || f.Users["u"].Offset != 1 {
		t.Errorf("users: %v", f.Users)
	}
	if list := f.Coupons["u"]; len(list) != 1 || list[0].Counted != noon.Add(-time.Hour).Unix() {
		t.Errorf("coupons: %v", list)
	}
	refused := slices.Sorted(maps.Keys(f.Refused))
	if want := []string{"tipoff-bettors/coupon_topic/0/2", "tipoff-bettors/coupon_topic/0/3"}; !slices.Equal(refused, want) {
		t.Errorf("refused: %v, want %v", refused, want)
	}
}

func TestFold_CountsABetNoLaterThanItWasReceived(t *testing.T) {
	ahead := topic(bet("k", -time.Hour, "A"))
	ahead[0].Received = noon.Add(-time.Minute)
	f := fold(t, Topics{Coupons: ahead})
	if at := f.Coupons["u"][0].Counted; at != noon.Add(-time.Minute).Unix() {
		t.Errorf("it counts at %d", at)
	}
}

func TestFold_ChangesEvents(t *testing.T) {
	patch := func(p tipoff.EventPatch) topics.Record { return topics.PatchRecord(company, p, noon) }
	f := fold(t, Topics{Events: topic(
		patch(tipoff.EventPatch{ID: "early", Status: tipoff.StatusSuspended, Result: "1:0"}),
		patch(tipoff.EventPatch{ID: "early", Result: "2:0"}),
		posted(event("early")),
		patch(tipoff.EventPatch{ID: "never", Result: "3:0"}),
		posted(event("moved")),
		patch(tipoff.EventPatch{ID: "moved", Begin: noon.Add(3 * time.Hour)}),
		posted(event("again")),
		patch(tipoff.EventPatch{ID: "again", Status: tipoff.StatusCancelled}),
		posted(event("again")), // names a status
		posted(event("named")),
		patch(tipoff.EventPatch{ID: "named", Status: tipoff.StatusCancelled, Result: "4:0"}),
		posted(bare("named")),
		posted(bare("bare")),
		patch(tipoff.EventPatch{ID: "repeated", Status: tipoff.StatusCancelled}),
		posted(event("repeated")),
		posted(event("repeated")),
	)})
	if e := f.Events["named"]; e.Status() != tipoff.StatusCancelled || e.text("result") != "4:0" {
		t.Errorf("a post that names no status and no result: %v", e.Fields)
	}
	if e := f.Events["bare"]; e.Status() != tipoff.StatusOpen {
		t.Errorf("a post that names nothing, first: %v", e.Fields)
	}
	if e := f.Events["repeated"]; e.Status() != tipoff.StatusCancelled {
		t.Errorf("a repeat of what came last: %v", e.Fields)
	}
	if e := f.Events["early"]; e.Status() != tipoff.StatusSuspended || e.text("result") != "2:0" {
		t.Errorf("changes before the event: %v", e.Fields)
	}
	if e := f.Events["never"]; e.Announced || e.Changes["result"] != "3:0" {
		t.Errorf("changes alone: %+v", e)
	}
	if e := f.Events["moved"]; !e.Begin().Equal(noon.Add(3*time.Hour)) || !e.time("end_timestamp").Equal(e.Begin()) {
		t.Errorf("moved past its end: %v", e.Fields)
	}
	if !f.Open("again", noon) || f.Open("early", noon) || f.Open("never", noon) || f.Open("again", noon.Add(time.Hour)) {
		t.Error("what is open")
	}
}

func TestFold_LeavesOlderVersionsOut(t *testing.T) {
	user := func(country string, v tipoff.Version) topics.Record {
		return topics.UserRecord(company, tipoff.User{ID: "u", Country: country, Version: v}, noon)
	}
	patch := func(id, result string, v int64) topics.Record {
		return topics.PatchRecord(company, tipoff.EventPatch{ID: id, Result: result, Version: tipoff.VersionOf(v)}, noon)
	}
	post := func(id, result string, v int64) topics.Record {
		e := bare(id)
		e.Result, e.Version = result, tipoff.VersionOf(v)
		return posted(e)
	}
	f := fold(t, Topics{
		Users: topic(user("A", tipoff.VersionOf(2)), user("B", tipoff.VersionOf(1)), user("C", tipoff.Version{}), user("D", tipoff.VersionOf(1))),
		Events: topic(
			post("e", "3", 3), patch("e", "2", 2), post("e", "1", 1),
			patch("late", "3", 3), patch("late", "2", 2), post("late", "1", 1),
			patch("early", "1", 1), post("early", "2", 2),
			patch("kept", "1", 1), post("kept", "", 2),
		),
	})
	if u := f.Users["u"]; u.Content != Canonical(tipoff.User{ID: "u", Country: "C", Version: tipoff.VersionOf(2)}) || u.Offset != 2 {
		t.Errorf("user %+v", u)
	}
	for id, want := range map[string]string{"e": "3 3", "late": "3 3", "early": "2 2", "kept": "1 2"} {
		if e := f.Events[id]; fmt.Sprint(e.text("result"), " ", e.Fields["version"]) != want {
			t.Errorf("event %s: %v, want result and version %s", id, e.Fields, want)
		}
	}
}

func TestDemand_WorkedOutByHand(t *testing.T) {
	f := fold(t, Topics{Coupons: topic(
		bet("k1", 12*time.Hour, "A"),
		bet("k2", 6*time.Hour, "B", "A"),
		bet("k3", 0, "C"),
		bet("late", 9*time.Hour, "D"), // k1 alone was bet on before
	)})
	all := f.demands()
	a := all["A"]
	if slices.Min(a.times) != noon.Add(-12*time.Hour).Unix() || slices.Max(a.times) != noon.Add(-6*time.Hour).Unix() || len(a.times) != 2 {
		t.Errorf("times of A: %v", a.times)
	}
	for halfLife, want := range map[float64]float64{popularityHalfLife: 1.5, 2 * 3600: 1.125, 3 * 3600: 1.25} {
		if got := a.faded(halfLife); !near(got, want) {
			t.Errorf("A with a half-life of %v s: %v, want %v", halfLife, got, want)
		}
	}
	if got := a.outcomes[outcome{"m", "1"}]; got != 2 {
		t.Errorf("bets on the outcome of A: %d", got)
	}
	for event, want := range map[string]map[string]uint64{
		"A": {"B": 65536}, // of the same coupon; A itself is no neighbour
		"B": {"A": 65536},
		"C": {"A": 65536, "B": 45875}, // the last leg first
		"D": {"A": 65536},
	} {
		refs := map[uint64]uint64{}
		for other, weight := range want {
			refs[tipoff.EventRef(other)] = weight
		}
		if got := all[event].neighbours; !maps.Equal(got, refs) {
			t.Errorf("neighbours of %s: %v, want %v", event, got, want)
		}
	}
}

func TestDemand_TenEventsPairUp(t *testing.T) {
	var records []topics.Record
	for i := range 12 {
		records = append(records, bet(fmt.Sprint("k", i), time.Duration(12-i)*time.Hour, fmt.Sprint("e", i)))
	}
	last := fold(t, Topics{Coupons: topic(records...)}).demands()["e11"].neighbours
	if len(last) != 10 || last[tipoff.EventRef("e10")] != 65536 || last[tipoff.EventRef("e1")] != 2645 {
		t.Errorf("neighbours: %v", last)
	}
}

func TestTaste_WorkedOutByHand(t *testing.T) {
	a, b := event("A"), event("B")
	b.League, b.Participants = "M", []string{"A1", "A1"} // named twice, and a team of A
	f := fold(t, Topics{Events: topic(posted(a), posted(b)), Coupons: topic(
		bet("k1", 30*24*time.Hour, "A"),
		bet("k2", 0, "B", "unannounced"),
	)})
	got := f.taste("u")
	if got.legs != 2 || got.at != noon.Unix() || !near(got.weight, 1.5) {
		t.Errorf("%d legs of %d, weight %v", got.legs, got.at, got.weight)
	}
	weights := func(list map[uint32]float64) []float64 { return slices.Sorted(maps.Values(list)) }
	for name, c := range map[string]struct {
		got  map[uint32]float64
		want []float64
	}{
		"sports":  {got.sports, []float64{1.5}},
		"leagues": {got.leagues, []float64{0.5, 1}},
		"teams":   {got.teams, []float64{0.5, 1.5}}, // A2; A1
		"markets": {got.markets, []float64{1.5}},
		"odds":    {got.odds, []float64{1.5}},
	} {
		if !slices.EqualFunc(weights(c.got), c.want, near) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if !near(got.odds[3], 1.5) { // 2 begins the fourth range
		t.Errorf("ranges of odds: %v", got.odds)
	}
}

func TestRejections_AreThoseThatMustBe(t *testing.T) {
	f := fold(t, Topics{Coupons: topic(bet("k", 0, "A"), bet("k", 0, "B"))})
	rejection := func(by string, offset int64) []byte {
		return topics.Rejection{By: by, Topic: topics.Coupons, Offset: offset, Key: company + "/u"}.Marshal()
	}
	must := rejection(topics.GroupBettors, 1)
	for name, c := range map[string]struct {
		values [][]byte
		kinds  []Kind
	}{
		"as it must be":        {[][]byte{must}, nil},
		"and again":            {[][]byte{must, must}, nil},
		"by the sink too":      {[][]byte{must, rejection(topics.GroupSink, 1)}, nil},
		"by the sink alone":    {[][]byte{rejection(topics.GroupSink, 1)}, []Kind{Lost}},
		"none":                 {nil, []Kind{Lost}},
		"one too many":         {[][]byte{must, rejection(topics.GroupBettors, 0)}, []Kind{Wrong}},
		"that cannot be read":  {[][]byte{must, []byte("x")}, []Kind{Wrong}},
		"of another company's": {[][]byte{must, topics.Rejection{Key: "other/u"}.Marshal()}, nil},
	} {
		if got := kinds(f.CompareRejections(c.values)); !slices.Equal(got, c.kinds) {
			t.Errorf("%s: %v, want %v", name, got, c.kinds)
		}
	}
}

func kinds(list []Difference) (kinds []Kind) {
	for _, d := range list {
		kinds = append(kinds, d.Kind)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

func TestCompareList_KnowsAFullList(t *testing.T) {
	want := map[string]uint64{"a": 5, "b": 4, "c": 1, "d": 1}
	entry := func(key string, count uint64) counted[string] { return counted[string]{key, count} }
	for name, c := range map[string]struct {
		got   []counted[string]
		most  int
		kinds []Kind
	}{
		"all":                         {[]counted[string]{entry("a", 5), entry("b", 4), entry("d", 1), entry("c", 1)}, 4, nil},
		"one too few":                 {[]counted[string]{entry("a", 5), entry("b", 4), entry("d", 1)}, 4, []Kind{Lost}},
		"less than it must be":        {[]counted[string]{entry("a", 5), entry("b", 3), entry("d", 1), entry("c", 1)}, 4, []Kind{Wrong}},
		"full":                        {[]counted[string]{entry("a", 5), entry("b", 2)}, 2, nil},
		"full, and more than it must": {[]counted[string]{entry("a", 6), entry("b", 2)}, 2, []Kind{Wrong}},
		"full, of what nobody bet":    {[]counted[string]{entry("a", 5), entry("x", 2)}, 2, []Kind{Wrong}},
		"full, and a slot empty":      {[]counted[string]{entry("a", 5)}, 2, []Kind{Lost}},
		"more than there are slots":   {[]counted[string]{entry("a", 5), entry("b", 4), entry("c", 1)}, 2, []Kind{Wrong}},
		"the largest not first":       {[]counted[string]{entry("b", 4), entry("a", 5), entry("c", 1), entry("d", 1)}, 4, []Kind{Wrong}},
		"the same twice, in full":     {[]counted[string]{entry("a", 5), entry("a", 5)}, 2, []Kind{Wrong}},
	} {
		var d differences
		compareList("list", c.got, want, c.most, &d)
		if got := kinds(d); !slices.Equal(got, c.kinds) {
			t.Errorf("%s: %v, want %v", name, got, c.kinds)
		}
	}
}
