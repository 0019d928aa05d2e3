package sink

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tipoff"
	"tipoff/topics"
)

// TestAnalysts_EveryQueryOfTheGuideRuns takes the queries out of docs/analysts.md,
// so that the guide cannot go stale.
func TestAnalysts_EveryQueryOfTheGuideRuns(t *testing.T) {
	guide, err := os.ReadFile("../docs/analysts.md")
	if err != nil {
		t.Fatal(err)
	}
	var queries []string
	for _, part := range strings.Split(string(guide), "```sql\n")[1:] {
		query, _, closed := strings.Cut(part, "```")
		if !closed {
			t.Fatal("a query of the guide has no end")
		}
		queries = append(queries, query)
	}
	if len(queries) != 10 {
		t.Errorf("the guide has %d queries, want ten", len(queries))
	}
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		users, events, coupons := newLog(topics.Users, "u"), newLog(topics.Events, "e"), newLog(topics.Coupons, "c")
		for i := range 12 {
			users.add(user(fmt.Sprint("u", i), fmt.Sprint("country ", i%3)))
			events.add(event(fmt.Sprint("e", i), fmt.Sprint("league ", i%4), "home", fmt.Sprint("away ", i)))
		}
		for i := range 60 {
			c := tipoff.Coupon{ID: fmt.Sprint("c", i), UserID: fmt.Sprint("u", i%14), Stake: 10, Timestamp: noon.Add(-time.Duration(i) * time.Hour)}
			for j := range 1 + i%3 {
				c.Selections = append(c.Selections, tipoff.Selection{EventID: fmt.Sprint("e", (i+j)%13), Odds: 1.5, Market: "winner", Outcome: fmt.Sprint(i % 2)})
			}
			coupons.add(topics.CouponRecord("default", c, noon))
		}
		users.mirror(t, w, 0, len(users.records))
		events.mirror(t, w, 0, len(events.records))
		coupons.mirror(t, w, 0, len(coupons.records))
		for _, q := range queries {
			if got := rows(t, db, q); len(got) == 0 {
				t.Errorf("no rows:\n%s", q)
			}
		}
		// The views agree with the rows they are made of.
		want(t, db, "SELECT CAST(ROUND(SUM(turnover)) AS CHAR) FROM analytics_turnover", rows(t, db, "SELECT CAST(ROUND(SUM(stake)) AS CHAR) FROM coupons")...)
		want(t, db, "SELECT SUM(legs) FROM analytics_popular", rows(t, db, "SELECT COUNT(*) FROM selections")...)
		want(t, db, "SELECT SUM(coupons), SUM(legs) FROM analytics_bettors", rows(t, db, "SELECT COUNT(*), SUM(legs) FROM coupons")...)
		want(t, db, "SELECT SUM(bettors) FROM analytics_new_bettors", rows(t, db, "SELECT COUNT(DISTINCT user_id) FROM coupons")...)
		want(t, db, "SELECT SUM(legs) FROM analytics_time_to_kickoff",
			rows(t, db, "SELECT COUNT(*) FROM selections s JOIN events e ON e.company_id = s.company_id AND e.event_id = s.event_id")...)
		want(t, db, "SELECT hours_before, legs FROM analytics_time_to_kickoff WHERE hours_before = 3 AND league = 'league 0'", "3 1")
	})
}
