package sink

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/google/go-cmp/cmp"

	"tipoff"
	"tipoff/topics"
)

// bet is a coupon with one leg, or two of which the other one is on another event.
func bet(id, user, event, market, outcome string, at time.Time, others ...string) topics.Record {
	c := tipoff.Coupon{ID: id, UserID: user, Stake: 10, Timestamp: at, Selections: []tipoff.Selection{{EventID: event, Odds: 2, Market: market, Outcome: outcome}}}
	for _, other := range others {
		c.Selections = append(c.Selections, tipoff.Selection{EventID: other, Odds: 2})
	}
	return topics.CouponRecord("default", c, noon)
}

func TestCounts_AreByOutcomeCountryAndHour(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		users, coupons := newLog(topics.Users, "u"), newLog(topics.Coupons, "c")
		users.add(user("anna", "Spain"))
		users.add(user("ben", "Peru"))
		late := noon.Add(80 * time.Minute)
		coupons.add(bet("c0", "anna", "e", "1x2", "1", noon))
		coupons.add(bet("c1", "anna", "e", "1x2", "1", late))
		coupons.add(bet("c2", "ben", "e", "1x2", "X", late, "f"))
		coupons.add(bet("c3", "anna", "e", "", "", late.Add(time.Second)))
		coupons.add(bet("c4", "nobody posted", "e", "1x2", "X", noon.Add(59*time.Minute)))
		coupons.add(bet("c5", "anna", "f", "1x2", "1", noon))
		elsewhere := bet("c6", "anna", "e", "1x2", "1", noon)
		elsewhere.Key = strings.Replace(elsewhere.Key, "default", "other", 1)
		coupons.add(elsewhere)
		users.mirror(t, w, 0, 2)
		coupons.mirror(t, w, 0, 7)
		a := NewArchive(db, 10*time.Second)
		got, err := a.Counts(t.Context(), "default", "e")
		if err != nil {
			t.Fatal(err)
		}
		x12, one, x := "1x2", "1", "X"
		want := tipoff.EventCounts{
			EventID: "e", Bets: 5, SampledOf: 1,
			Outcomes: []tipoff.OutcomeCount{
				{Market: &x12, Outcome: &one, Bets: 2, Stake: 20}, {Market: &x12, Outcome: &x, Bets: 2, Stake: 15}, {Bets: 1, Stake: 10},
			},
			Countries: []tipoff.CountryCount{{Country: "Spain", Bets: 3}, {Country: "Peru", Bets: 1}},
			Hours: []tipoff.HourCount{
				{From: noon, Bets: 2, Outcomes: []tipoff.OutcomeCount{{Market: &x12, Outcome: &one, Bets: 1}, {Market: &x12, Outcome: &x, Bets: 1}},
					Countries: []tipoff.CountryCount{{Country: "Spain", Bets: 1}}},
				{From: noon.Add(time.Hour), Bets: 3, Outcomes: []tipoff.OutcomeCount{{Bets: 1}, {Market: &x12, Outcome: &one, Bets: 1}, {Market: &x12, Outcome: &x, Bets: 1}},
					Countries: []tipoff.CountryCount{{Country: "Spain", Bets: 2}, {Country: "Peru", Bets: 1}}},
			},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if none, err := a.Counts(t.Context(), "default", "none"); err != nil || none.Bets != 0 || none.Hours == nil {
			t.Errorf("%+v, %v", none, err)
		}
	})
}

// TestCounts_AreBounded, whatever is posted.
func TestCounts_AreBounded(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		users, coupons := newLog(topics.Users, "u"), newLog(topics.Coupons, "c")
		for i := range 60 {
			users.add(user(fmt.Sprint("u", i), fmt.Sprint("country ", i)))
		}
		for i := range 220 { // each in an hour of its own, with an outcome of its own
			coupons.add(bet(fmt.Sprint("a", i), fmt.Sprint("u", i%60), "e", "m", fmt.Sprint("o", i), noon.Add(-time.Duration(i)*time.Hour)))
		}
		for i := range 30 { // all in one hour
			coupons.add(bet(fmt.Sprint("b", i), fmt.Sprint("u", i), "e", "m", fmt.Sprint("o", i%15), noon))
		}
		users.mirror(t, w, 0, 60)
		coupons.mirror(t, w, 0, 250)
		got, err := NewArchive(db, 10*time.Second).Counts(t.Context(), "default", "e")
		if err != nil || got.Bets != 250 || len(got.Outcomes) != tipoff.MaxListedOutcomes || len(got.Countries) != tipoff.MaxCountries || len(got.Hours) != tipoff.MaxHours {
			t.Fatalf("%d bets, %d outcomes, %d countries, %d hours, %v", got.Bets, len(got.Outcomes), len(got.Countries), len(got.Hours), err)
		}
		last := got.Hours[len(got.Hours)-1]
		if !last.From.Equal(noon) || last.Bets != 31 || len(last.Outcomes) != tipoff.MaxOfHour || len(last.Countries) != tipoff.MaxOfHour || last.Outcomes[0].Bets != 3 {
			t.Errorf("the last hour: %+v", last)
		}
		if !slices.IsSortedFunc(got.Hours, func(a, b tipoff.HourCount) int { return a.From.Compare(b.From) }) {
			t.Error("the hours are in no order")
		}
	})
}

// TestCounts_OfVeryManyBetsAreOfASampleThatCountsForAll, whatever steps the numbers of their
// rows go in.
func TestCounts_OfVeryManyBetsAreOfASampleThatCountsForAll(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		users, coupons := newLog(topics.Users, "u"), newLog(topics.Coupons, "c")
		users.add(user("u", "Spain"))
		for i := range 1200 { // every third one is on e
			coupons.add(bet(fmt.Sprint("c", i), "u", []string{"e", "f", "g"}[i%3], "m", "1", noon))
		}
		users.mirror(t, w, 0, 1)
		for i := range 4 {
			coupons.mirror(t, w, i*300, i*300+300)
		}
		a := NewArchive(db, 10*time.Second)
		a.counted = 150
		c, err := a.Counts(t.Context(), "default", "e")
		if err != nil || c.Bets != 400 || c.SampledOf != 3 {
			t.Fatalf("%+v, %v", c, err)
		}
		// One in 3 of 400 are 133; four standard deviations are 38 of them.
		for what, bets := range map[string]uint64{"outcome": c.Outcomes[0].Bets, "country": c.Countries[0].Bets, "hour": c.Hours[0].Bets, "stake": uint64(c.Outcomes[0].Stake / 10)} {
			if bets < 3*(133-38) || bets > 3*(133+38) {
				t.Errorf("%s: %d bets, want some 400", what, bets)
			}
		}
	})
}

// TestCounts_StandForAMoment: a page that many look at asks the database as one does.
func TestCounts_StandForAMoment(t *testing.T) {
	t.Parallel()
	a := NewArchive(migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db")), 10*time.Second)
	w, coupons := &writer{db: a.db}, newLog(topics.Coupons, "c")
	coupons.add(bet("c0", "u", "e", "m", "1", noon))
	coupons.add(bet("c1", "u", "e", "m", "1", noon))
	coupons.mirror(t, w, 0, 1)
	of := countsOf{"default", "e"}
	count := func() uint64 {
		c, err := a.Counts(t.Context(), of.company, of.event)
		if err != nil {
			t.Fatal(err)
		}
		return c.Bets
	}
	if n := count(); n != 1 {
		t.Errorf("%d bets", n)
	}
	coupons.mirror(t, w, 1, 2)
	if n := count(); n != 1 {
		t.Errorf("%d bets: they were counted again", n)
	}
	kept := a.counts.all[of]
	kept.at = kept.at.Add(-countsKept)
	a.counts.all[of] = kept
	if n := count(); n != 2 {
		t.Errorf("%d bets after their time", n)
	}
	for i := range 2 * mostCountsKept {
		a.counts.put(countsOf{"default", fmt.Sprint(i)}, tipoff.EventCounts{}, time.Now())
	}
	if len(a.counts.all) != mostCountsKept {
		t.Errorf("%d are kept", len(a.counts.all))
	}
}

// TestCounts_ReadTheBetsOnTheEventAlone: each statement begins at the index of an event's
// selections, and goes on by unique keys.
func TestCounts_ReadTheBetsOnTheEventAlone(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		users, coupons := newLog(topics.Users, "u"), newLog(topics.Coupons, "c")
		for i := range 40 {
			users.add(user(fmt.Sprint("u", i), "Spain"))
		}
		for i := range 2000 {
			coupons.add(bet(fmt.Sprint("c", i), fmt.Sprint("u", i%40), fmt.Sprint("e", i%100), "m", "1", noon))
		}
		users.mirror(t, w, 0, 40)
		for i := range 4 {
			coupons.mirror(t, w, i*500, i*500+500)
		}
		for _, table := range []string{"companies", "selections", "coupons", "users"} {
			if _, err := db.sql.Exec(map[bool]string{true: "ANALYZE ", false: "ANALYZE TABLE "}[db.sqlite] + table); err != nil {
				t.Fatal(err)
			}
		}
		q := countQueries{db, "default", "e7", 1}
		for name, statement := range map[string]*goqu.SelectDataset{
			"all": q.all(), "outcomes": q.outcomes(), "countries": q.countries(), "outcomes by hour": q.byHour(false, "market", "outcome"), "countries by hour": q.byHour(true, "country"),
		} {
			text, _, err := statement.Prepared(false).ToSQL()
			if err != nil {
				t.Fatal(err)
			}
			explain, bad := "EXPLAIN QUERY PLAN ", regexp.MustCompile(`SCAN (s|c|u)\b`)
			if !db.sqlite {
				explain, bad = "EXPLAIN ", regexp.MustCompile(`\b(s|c|u) (NULL )?(ALL|index) `)
			}
			plan := strings.Join(rows(t, db, explain+text), "\n")
			if bad.MatchString(plan) || !strings.Contains(plan, "selections_event") {
				t.Errorf("%s: %s\n%s", name, text, plan)
			}
		}
	})
}

func TestCounts_SayUnavailableWhenTheDatabaseIsDown(t *testing.T) {
	db, err := Open("mysql://u:p@127.0.0.1:1/none")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := NewArchive(db, time.Second).Counts(t.Context(), "default", "e"); !errors.Is(err, tipoff.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

// TestCounts_OneIsAnsweredAtATime: whoever asks again and again does not take the
// connections that the mirror writes through.
func TestCounts_OneIsAnsweredAtATime(t *testing.T) {
	a := NewArchive(nil, 50*time.Millisecond)
	a.counting <- struct{}{}
	if _, err := a.Counts(t.Context(), "default", "e1"); !errors.Is(err, tipoff.ErrUnavailable) {
		t.Errorf("while another is answered: %v", err)
	}
}
