package sink

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/doug-martin/goqu/v9"

	"tipoff"
)

// countedMost is how many bets on an event are looked at one by one, which takes some
// tenths of a second for each statement. Of more a sample counts for all.
const countedMost = 100_000

// Counts says how an event was bet on, in all and by the hour; no bets where it is not
// known. Its statements begin at the index selections_event, so that they read the bets on
// this event and no others. One is counted at a time, and stands for some seconds for all
// who ask the same; who waits too long is told to come again.
func (a *Archive) Counts(ctx context.Context, company, event string) (tipoff.EventCounts, error) {
	of := countsOf{company, event}
	if c, known := a.counts.get(of, time.Now()); known {
		return c, nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	select {
	case a.counting <- struct{}{}:
		defer func() { <-a.counting }()
	case <-ctx.Done():
		return tipoff.EventCounts{}, tipoff.Unavailable("count bets, as others are being counted", ctx.Err())
	}
	if c, known := a.counts.get(of, time.Now()); known { // by the one that was waited for
		return c, nil
	}
	c, err := a.count(ctx, of)
	if err == nil {
		a.counts.put(of, c, time.Now())
	}
	return c, err
}

// countsKept is how long counts stand.
const (
	countsKept     = 3 * time.Second
	mostCountsKept = 64
)

type countsOf struct{ company, event string }

// keptCounts are those that were counted just now, so that a page that many look at loads
// the database as one does. Nobody changes what their lists hold.
type keptCounts struct {
	mu  sync.Mutex
	all map[countsOf]countedAt
}

type countedAt struct {
	counts tipoff.EventCounts
	at     time.Time
}

func (k *keptCounts) get(of countsOf, now time.Time) (tipoff.EventCounts, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, known := k.all[of]
	return c.counts, known && now.Sub(c.at) < countsKept
}

func (k *keptCounts) put(of countsOf, c tipoff.EventCounts, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.all, func(_ countsOf, c countedAt) bool { return now.Sub(c.at) >= countsKept })
	if k.all == nil {
		k.all = map[countsOf]countedAt{}
	}
	if len(k.all) < mostCountsKept {
		k.all[of] = countedAt{c, now}
	}
}

// count asks the database.
func (a *Archive) count(ctx context.Context, of countsOf) (tipoff.EventCounts, error) {
	company, event := of.company, of.event
	c := tipoff.EventCounts{EventID: event, Outcomes: []tipoff.OutcomeCount{}, Countries: []tipoff.CountryCount{}, Hours: []tipoff.HourCount{}}
	q := countQueries{a.db, company, event, 1}
	if _, err := q.all().ScanValContext(ctx, &c.Bets); err != nil {
		return c, tipoff.Unavailable("count bets", err)
	}
	q.of = max(1, (c.Bets+a.counted-1)/a.counted)
	if c.SampledOf = q.of; c.Bets == 0 {
		return c, nil
	}
	var outcomes []outcomeRow
	if err := q.outcomes().ScanStructsContext(ctx, &outcomes); err != nil {
		return c, tipoff.Unavailable("count outcomes", err)
	}
	for i := range outcomes {
		c.Outcomes = append(c.Outcomes, outcomes[i].count(q.of))
	}
	var countries []countryRow
	if err := q.countries().ScanStructsContext(ctx, &countries); err != nil {
		return c, tipoff.Unavailable("count countries", err)
	}
	for _, row := range countries {
		c.Countries = append(c.Countries, tipoff.CountryCount{Country: row.Country, Bets: row.Bets * q.of})
	}
	return c, q.readHours(ctx, &c)
}

type outcomeRow struct {
	Market  *string `db:"market"`
	Outcome *string `db:"outcome"`
	Bets    uint64  `db:"bets"`
	Stake   float64 `db:"stake"`
}

func (r *outcomeRow) count(of uint64) tipoff.OutcomeCount {
	return tipoff.OutcomeCount{Market: r.Market, Outcome: r.Outcome, Bets: r.Bets * of, Stake: r.Stake * float64(of)}
}

type countryRow struct {
	Country string `db:"country"`
	Bets    uint64 `db:"bets"`
}

// ofHour is beside a row of an hour.
type ofHour struct {
	Hour  string `db:"hour"` // as hourForm
	Total uint64 `db:"total"`
}

// hourForm is the form of an hour in answers of the database.
const hourForm = "2006-01-02 15"

func (q countQueries) readHours(ctx context.Context, c *tipoff.EventCounts) error {
	var outcomes []struct {
		ofHour
		outcomeRow
	}
	if err := q.byHour(false, "market", "outcome").ScanStructsContext(ctx, &outcomes); err != nil {
		return tipoff.Unavailable("count outcomes by the hour", err)
	}
	at := map[string]int{}
	for i := range outcomes {
		row := &outcomes[i]
		if _, known := at[row.Hour]; !known {
			from, err := time.Parse(hourForm, row.Hour)
			if err != nil {
				return fmt.Errorf("an hour of bets on event %s: %w", q.event, err)
			}
			at[row.Hour] = len(c.Hours)
			c.Hours = append(c.Hours, tipoff.HourCount{From: from, Bets: row.Total * q.of, Outcomes: []tipoff.OutcomeCount{}, Countries: []tipoff.CountryCount{}})
		}
		hour := &c.Hours[at[row.Hour]]
		hour.Outcomes = append(hour.Outcomes, row.count(q.of))
	}
	var countries []struct {
		ofHour
		countryRow
	}
	if err := q.byHour(true, "country").ScanStructsContext(ctx, &countries); err != nil {
		return tipoff.Unavailable("count countries by the hour", err)
	}
	for _, row := range countries {
		if i, known := at[row.Hour]; known { // else it is older than the hours that are listed
			c.Hours[i].Countries = append(c.Hours[i].Countries, tipoff.CountryCount{Country: row.Country, Bets: row.Bets * q.of})
		}
	}
	slices.SortFunc(c.Hours, func(a, b tipoff.HourCount) int { return a.From.Compare(b.From) })
	return nil
}

// countQueries are the statements that count the bets on one event.
type countQueries struct {
	db             *Database
	company, event string
	of             uint64 // one in so many legs is looked at
}

// legs selects the event's legs.
func (q countQueries) legs() *goqu.SelectDataset {
	return q.db.goqu.From(goqu.T("companies").As("co")).Prepared(true).
		Join(goqu.T("selections").As("s"), goqu.On(goqu.I("s.company_id").Eq(goqu.I("co.id")))).
		Where(goqu.I("co.name").Eq(q.company), goqu.I("s.event_id").Eq(q.event))
}

// Numbers are given in steps (auto_increment_increment, coupons of three legs), which a
// sample must not be in step with: MySQL's is by a hash. SQLite has none, but the fraction of
// a multiple of the golden ratio's is as even; it is the row's number, which the index has,
// so that no row is read that is not in the sample.
const (
	sampleMySQL  = "CRC32(CONCAT(s.coupon_pk, '/', s.position)) % ? = 0"
	sampleSQLite = "((((s.rowid & 2147483647) * 2654435769) & 4294967295) >> 8) % ? = 0"
)

// coupons selects those of the sample with their coupons.
func (q countQueries) coupons() *goqu.SelectDataset {
	legs := q.legs().Join(goqu.T("coupons").As("c"), goqu.On(goqu.I("c.id").Eq(goqu.I("s.coupon_pk"))))
	if q.of > 1 {
		sample := sampleMySQL
		if q.db.sqlite {
			sample = sampleSQLite
		}
		legs = legs.Where(goqu.L(sample, q.of))
	}
	return legs
}

// users selects those whose user is posted, with their user.
func (q countQueries) users() *goqu.SelectDataset {
	return q.coupons().Join(goqu.T("users").As("u"), goqu.On(goqu.I("u.company_id").Eq(goqu.I("c.company_id")), goqu.I("u.user_id").Eq(goqu.I("c.user_id"))))
}

func (q countQueries) all() *goqu.SelectDataset { return q.legs().Select(goqu.COUNT(goqu.Star())) }

func (q countQueries) outcomes() *goqu.SelectDataset {
	return q.coupons().Select(goqu.I("s.market"), goqu.I("s.outcome"), goqu.COUNT(goqu.Star()).As("bets"), goqu.L("SUM(c.stake / c.legs)").As("stake")).
		GroupBy(goqu.I("s.market"), goqu.I("s.outcome")).
		Order(goqu.C("bets").Desc(), goqu.I("s.market").Asc(), goqu.I("s.outcome").Asc()).Limit(tipoff.MaxListedOutcomes)
}

func (q countQueries) countries() *goqu.SelectDataset {
	return q.users().Select(goqu.I("u.country"), goqu.COUNT(goqu.Star()).As("bets")).
		GroupBy(goqu.I("u.country")).Order(goqu.C("bets").Desc(), goqu.I("u.country").Asc()).Limit(tipoff.MaxCountries)
}

// byHour counts by hour and columns, the newest hours first, and keeps the largest counts
// of each; total is of the whole hour.
func (q countQueries) byHour(withUsers bool, columns ...string) *goqu.SelectDataset {
	from, table, hour := q.coupons(), "s.", goqu.L("DATE_FORMAT(c.placed_at, '%Y-%m-%d %H')")
	if withUsers {
		from, table = q.users(), "u."
	}
	if q.db.sqlite {
		hour = goqu.L("SUBSTR(c.placed_at, 1, 13)")
	}
	selected, groups, order := []any{hour.As("hour")}, []any{goqu.C("hour")}, ""
	for _, column := range columns {
		selected, groups = append(selected, goqu.I(table+column)), append(groups, goqu.I(table+column))
		order += ", " + column
	}
	counted := from.Select(append(selected, goqu.COUNT(goqu.Star()).As("bets"))...).GroupBy(groups...)
	placed := q.db.goqu.From(counted.As("counted")).Prepared(true).Select(goqu.Star(),
		goqu.L("SUM(bets) OVER (PARTITION BY hour)").As("total"),
		goqu.L("ROW_NUMBER() OVER (PARTITION BY hour ORDER BY bets DESC"+order+")").As("place"),
		goqu.L("DENSE_RANK() OVER (ORDER BY hour DESC)").As("age"))
	shown := []any{goqu.C("hour"), goqu.C("bets"), goqu.C("total")}
	for _, column := range columns {
		shown = append(shown, goqu.C(column))
	}
	return q.db.goqu.From(placed.As("placed")).Prepared(true).Select(shown...).
		Where(goqu.C("place").Lte(tipoff.MaxOfHour), goqu.C("age").Lte(tipoff.MaxHours)).
		Order(goqu.C("hour").Desc(), goqu.C("place").Asc())
}
