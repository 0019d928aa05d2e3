package sink

import (
	"context"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"

	"tipoff"
)

// Archive reads the past back from the mirror: what the views no longer hold. All
// its errors wrap [tipoff.ErrNotFound], [tipoff.ErrUnavailable] or are
// [tipoff.Faults] of the question.
type Archive struct {
	db       *Database
	patience time.Duration
	counted  uint64        // see [countedMost]
	counting chan struct{} // held by the one that counts: the mirror writes through the same connections
	counts   keptCounts
}

// NewArchive reads from the database, giving each question up after patience.
func NewArchive(db *Database, patience time.Duration) *Archive {
	return &Archive{db: db, patience: patience, counted: countedMost, counting: make(chan struct{}, 1)}
}

// Event finds one event.
func (a *Archive) Event(ctx context.Context, company, id string) (tipoff.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	events, err := a.events(ctx, a.announced(company).Where(goqu.I("e.event_id").Eq(id)))
	if err != nil {
		return tipoff.Event{}, err
	}
	if len(events) == 0 {
		return tipoff.Event{}, fmt.Errorf("event %s: %w", id, tipoff.ErrNotFound)
	}
	return events[0], nil
}

// Events lists the events that pass the filter, by beginning and id, and the
// cursor of the next page, "" after the last one.
func (a *Archive) Events(ctx context.Context, company string, f tipoff.EventFilter) ([]tipoff.Event, string, error) {
	after, err := tipoff.ParseEventCursor(f.Cursor)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	q := a.announced(company).Order(goqu.I("e.begin_at").Asc(), goqu.I("e.event_id").Asc()).Limit(uint(f.N) + 1)
	for column, value := range map[string]string{"e.sport": f.Sport, "e.league": f.League, "e.status": f.Status} {
		if value != "" {
			q = q.Where(goqu.I(column).Eq(value))
		}
	}
	if !f.From.IsZero() {
		q = q.Where(goqu.I("e.begin_at").Gte(sqlTime(f.From)))
	}
	if !f.Until.IsZero() {
		q = q.Where(goqu.I("e.begin_at").Lt(sqlTime(f.Until)))
	}
	if after.ID != "" {
		begin := sqlTime(after.Begin)
		q = q.Where(goqu.Or(
			goqu.I("e.begin_at").Gt(begin),
			goqu.And(goqu.I("e.begin_at").Eq(begin), goqu.I("e.event_id").Gt(after.ID)),
		))
	}
	events, err := a.events(ctx, q)
	if err != nil {
		return nil, "", err
	}
	cursor := ""
	if len(events) > f.N {
		events = events[:f.N]
		cursor = tipoff.EventCursorAfter(&events[f.N-1])
	}
	return events, cursor, nil
}

// announced selects a company's events, but not the changes of events that were
// never posted.
func (a *Archive) announced(company string) *goqu.SelectDataset {
	return a.db.goqu.From(goqu.T("events").As("e")).Prepared(true).
		Join(goqu.T("companies").As("c"), goqu.On(goqu.I("c.id").Eq(goqu.I("e.company_id")))).
		Where(goqu.I("c.name").Eq(company), goqu.I("e.announced").Eq(1))
}

func (a *Archive) events(ctx context.Context, q *goqu.SelectDataset) ([]tipoff.Event, error) {
	var rows []eventRow
	columns := []any{}
	for _, column := range []string{"id", "event_id", "announced", "sport", "league", "country", "begin_at", "end_at", "home",
		"away", "status", "result", "markets", "extra", "version", "source_id", "source_offset", "appended_at"} {
		columns = append(columns, goqu.I("e."+column))
	}
	if err := q.Select(columns...).ScanStructsContext(ctx, &rows); err != nil {
		return nil, tipoff.Unavailable("read events", err)
	}
	events := make([]tipoff.Event, len(rows))
	index := map[int64]int{}
	pks := make([]int64, len(rows))
	for i := range rows {
		event, err := rows[i].event()
		if err != nil {
			return nil, err
		}
		event.Participants = []string{}
		events[i], index[rows[i].ID], pks[i] = event, i, rows[i].ID
	}
	if len(pks) == 0 {
		return events, nil
	}
	var names []struct {
		Event int64  `db:"event_pk"`
		Name  string `db:"name"`
	}
	err := a.db.goqu.From("event_participants").Prepared(true).Select("event_pk", "name").
		Where(goqu.Ex{"event_pk": pks}).Order(goqu.C("event_pk").Asc(), goqu.C("position").Asc()).ScanStructsContext(ctx, &names)
	if err != nil {
		return nil, tipoff.Unavailable("read participants", err)
	}
	for _, n := range names {
		e := &events[index[n.Event]]
		e.Participants = append(e.Participants, n.Name)
	}
	return events, nil
}

// Coupons lists a user's coupons, the newest first, and the cursor of the next
// page, "" after the last one.
func (a *Archive) Coupons(ctx context.Context, company, user, cursor string, n int) ([]tipoff.Coupon, string, error) {
	after, err := tipoff.ParseCouponCursor(cursor)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	q := a.db.goqu.From(goqu.T("coupons").As("k")).Prepared(true).
		Join(goqu.T("companies").As("c"), goqu.On(goqu.I("c.id").Eq(goqu.I("k.company_id")))).
		Select(goqu.I("k.id"), goqu.I("k.coupon_id"), goqu.I("k.stake"), goqu.I("k.placed_at"), goqu.I("k.extra")).
		Where(goqu.I("c.name").Eq(company), goqu.I("k.user_id").Eq(user)).
		Order(goqu.I("k.placed_at").Desc(), goqu.I("k.coupon_id").Desc()).Limit(uint(n) + 1)
	if after.ID != "" {
		at := sqlTime(after.Timestamp)
		q = q.Where(goqu.Or(
			goqu.I("k.placed_at").Lt(at),
			goqu.And(goqu.I("k.placed_at").Eq(at), goqu.I("k.coupon_id").Lt(after.ID)),
		))
	}
	var rows []struct {
		ID       int64     `db:"id"`
		CouponID string    `db:"coupon_id"`
		Stake    float64   `db:"stake"`
		Placed   time.Time `db:"placed_at"`
		Extra    *string   `db:"extra"`
	}
	if err := q.ScanStructsContext(ctx, &rows); err != nil {
		return nil, "", tipoff.Unavailable("read coupons", err)
	}
	more := len(rows) > n
	rows = rows[:min(n, len(rows))]
	coupons := make([]tipoff.Coupon, len(rows))
	index := map[int64]int{}
	pks := make([]int64, len(rows))
	for i, row := range rows {
		coupons[i] = tipoff.Coupon{ID: row.CouponID, UserID: user, Stake: row.Stake, Timestamp: row.Placed.UTC(), Selections: []tipoff.Selection{}}
		if row.Extra != nil {
			coupons[i].Extra = []byte(*row.Extra)
		}
		index[row.ID], pks[i] = i, row.ID
	}
	if err := readSelections(ctx, a.db.goqu.From, pks, func(pk int64, s tipoff.Selection) {
		c := &coupons[index[pk]]
		c.Selections = append(c.Selections, s)
	}); err != nil {
		return nil, "", err
	}
	next := ""
	if more {
		next = tipoff.CouponCursorAfter(&coupons[n-1])
	}
	return coupons, next, nil
}

// readSelections reads the selections of coupons, of each in their order.
func readSelections(ctx context.Context, from func(...any) *goqu.SelectDataset, coupons []int64, add func(coupon int64, s tipoff.Selection)) error {
	if len(coupons) == 0 {
		return nil
	}
	var legs []struct {
		Coupon  int64   `db:"coupon_pk"`
		EventID string  `db:"event_id"`
		Odds    float64 `db:"odds"`
		Market  *string `db:"market"`
		Outcome *string `db:"outcome"`
	}
	err := from("selections").Prepared(true).Select("coupon_pk", "event_id", "odds", "market", "outcome").
		Where(goqu.Ex{"coupon_pk": coupons}).Order(goqu.C("coupon_pk").Asc(), goqu.C("position").Asc()).ScanStructsContext(ctx, &legs)
	if err != nil {
		return tipoff.Unavailable("read selections", err)
	}
	for _, leg := range legs {
		s := tipoff.Selection{EventID: leg.EventID, Odds: leg.Odds}
		if leg.Market != nil {
			s.Market = *leg.Market
		}
		if leg.Outcome != nil {
			s.Outcome = *leg.Outcome
		}
		add(leg.Coupon, s)
	}
	return nil
}
