package sink

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"

	"tipoff"
	"tipoff/topics"
)

// factsPage is how many rows are read at once.
const factsPage = 2000

// Facts visits everything that the mirror holds as records of the facts' topics,
// each with its origin: users and events as they stand, an event with its changes
// folded in, then coupons in the order in which they came. All is of one moment,
// so of each user's coupons none is missing before one that is there. visit may
// not keep the slice.
func (d *Database) Facts(ctx context.Context, visit func([]topics.Record) error) error {
	snapshot, err := d.goqu.BeginTx(ctx, &sql.TxOptions{Isolation: d.snapshot(), ReadOnly: true})
	if err != nil {
		return tipoff.Unavailable("read the facts", err)
	}
	f := &exporter{ctx: ctx, tx: snapshot, visit: visit}
	err = errors.Join(f.readSources(), f.users(), f.events(), f.coupons())
	if undone := snapshot.Rollback(); !errors.Is(undone, sql.ErrTxDone) {
		err = errors.Join(err, undone)
	}
	return err
}

// snapshot is the isolation under which all reads see one moment; SQLite knows no
// other.
func (d *Database) snapshot() sql.IsolationLevel {
	if d.sqlite {
		return sql.LevelDefault
	}
	return sql.LevelRepeatableRead
}

// CountFacts is about how many records [Database.Facts] visits.
func (d *Database) CountFacts(ctx context.Context) (n int64, err error) {
	for _, table := range []string{"users", "events", "coupons"} {
		rows, err := d.goqu.From(table).CountContext(ctx)
		if err != nil {
			return 0, tipoff.Unavailable("count the facts", err)
		}
		n += rows
	}
	return n, nil
}

// TopicIDs are the lives of topics that the mirror has rows from.
func (d *Database) TopicIDs(ctx context.Context) (ids []string, err error) {
	if err := d.goqu.From("sources").SelectDistinct("topic_id").ScanValsContext(ctx, &ids); err != nil {
		return nil, tipoff.Unavailable("read where rows came from", err)
	}
	return ids, nil
}

// exporter is one visit of everything that the mirror holds.
type exporter struct {
	ctx     context.Context
	tx      *goqu.TxDatabase
	visit   func([]topics.Record) error
	sources map[int64]topics.Origin // topic and partition
	company map[int64]string
}

func (f *exporter) readSources() error {
	f.sources, f.company = map[int64]topics.Origin{}, map[int64]string{}
	var sources []struct {
		ID        int64  `db:"id"`
		TopicID   string `db:"topic_id"`
		Partition int32  `db:"partition_no"`
	}
	if err := f.tx.From("sources").Select("id", "topic_id", "partition_no").ScanStructsContext(f.ctx, &sources); err != nil {
		return tipoff.Unavailable("read where rows came from", err)
	}
	for _, s := range sources {
		f.sources[s.ID] = topics.Origin{TopicID: s.TopicID, Partition: s.Partition}
	}
	var companies []struct {
		ID   int64  `db:"id"`
		Name string `db:"name"`
	}
	if err := f.tx.From("companies").Select("id", "name").ScanStructsContext(f.ctx, &companies); err != nil {
		return tipoff.Unavailable("read companies", err)
	}
	for _, c := range companies {
		f.company[c.ID] = c.Name
	}
	return nil
}

// rowOrigin is where a row came from.
type rowOrigin struct {
	ID       int64     `db:"id"`
	Company  int64     `db:"company_id"`
	Source   int64     `db:"source_id"`
	Offset   int64     `db:"source_offset"`
	Appended time.Time `db:"appended_at"`
	Received time.Time `db:"received_at"`
}

var originColumns = []any{"id", "company_id", "source_id", "source_offset", "appended_at", "received_at"}

// put gives the record of the row its origin.
func (f *exporter) put(r topics.Record, row *rowOrigin) topics.Record {
	r.Origin = f.sources[row.Source]
	r.Origin.Offset, r.Origin.Appended, r.Received = row.Offset, row.Appended.UTC(), row.Received.UTC()
	return r
}

// pages reads a table page by page, in the order of the columns by.
func (f *exporter) pages(table string, by func(after rowOrigin) (exp.Expression, []exp.OrderedExpression), columns []any,
	page func(*goqu.SelectDataset) (last rowOrigin, rows int, err error)) error {
	for after := (rowOrigin{Offset: -1}); ; {
		where, order := by(after)
		last, rows, err := page(f.tx.From(table).Prepared(true).Select(append(append([]any{}, originColumns...), columns...)...).
			Where(where).Order(order...).Limit(factsPage))
		if err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
		if rows < factsPage {
			return nil
		}
		after = last
	}
}

func byID(after rowOrigin) (exp.Expression, []exp.OrderedExpression) {
	id := goqu.C("id")
	return id.Gt(after.ID), []exp.OrderedExpression{id.Asc()}
}

// byPosition is the order of the topics, whenever the rows were written: the sink may
// have read some again later.
func byPosition(after rowOrigin) (exp.Expression, []exp.OrderedExpression) {
	source, offset := goqu.C("source_id"), goqu.C("source_offset")
	return goqu.Or(source.Gt(after.Source), goqu.And(source.Eq(after.Source), offset.Gt(after.Offset))),
		[]exp.OrderedExpression{source.Asc(), offset.Asc()}
}

func (f *exporter) users() error {
	columns := []any{"user_id", "birth_year", "country", "currency", "gender", "registration_date", "name", "favourite_sport", "favourite_league", "extra", "version"}
	return f.pages("users", byID, columns, func(q *goqu.SelectDataset) (last rowOrigin, n int, err error) {
		var rows []struct {
			rowOrigin
			UserID     string         `db:"user_id"`
			BirthYear  int            `db:"birth_year"`
			Country    string         `db:"country"`
			Currency   string         `db:"currency"`
			Gender     string         `db:"gender"`
			Registered time.Time      `db:"registration_date"`
			Name       sql.NullString `db:"name"`
			Sport      sql.NullString `db:"favourite_sport"`
			League     sql.NullString `db:"favourite_league"`
			Extra      sql.NullString `db:"extra"`
			Version    sql.NullInt64  `db:"version"`
		}
		if err := q.ScanStructsContext(f.ctx, &rows); err != nil || len(rows) == 0 {
			return last, 0, err
		}
		records := make([]topics.Record, len(rows))
		for i := range rows {
			r := &rows[i]
			u := tipoff.User{
				ID: r.UserID, BirthYear: r.BirthYear, Country: r.Country, Currency: r.Currency, Gender: r.Gender, RegistrationDate: r.Registered.UTC(),
				Name: r.Name.String, FavouriteSport: r.Sport.String, FavouriteLeague: r.League.String,
				Version: versionOf(r.Version),
			}
			if r.Extra.Valid {
				u.Extra = []byte(r.Extra.String)
			}
			records[i] = f.put(topics.UserRecord(f.company[r.Company], u, r.Received), &r.rowOrigin)
		}
		return rows[len(rows)-1].rowOrigin, len(rows), f.visit(records)
	})
}

func (f *exporter) events() error {
	columns := []any{"event_id", "announced", "sport", "league", "country", "begin_at", "end_at", "home", "away", "status", "result", "markets", "extra", "version"}
	return f.pages("events", byID, columns, func(q *goqu.SelectDataset) (last rowOrigin, n int, err error) {
		var rows []struct {
			eventRow
			Company  int64     `db:"company_id"`
			Received time.Time `db:"received_at"`
		}
		if err := q.ScanStructsContext(f.ctx, &rows); err != nil || len(rows) == 0 {
			return last, 0, err
		}
		pks := make([]int64, len(rows))
		for i := range rows {
			pks[i] = rows[i].ID
		}
		participants, err := f.participants(pks)
		if err != nil {
			return last, 0, err
		}
		records := make([]topics.Record, len(rows))
		for i := range rows {
			r := &rows[i]
			e, err := r.event()
			if err != nil {
				return last, 0, err
			}
			var record topics.Record
			if r.Announced != 0 {
				e.Participants = append([]string{}, participants[r.ID]...)
				record = topics.EventRecord(f.company[r.Company], e, r.Received)
			} else {
				record = topics.PatchRecord(f.company[r.Company], changesOf(&e), r.Received)
			}
			records[i] = f.put(record, &rowOrigin{Source: r.Source, Offset: r.Offset, Appended: r.Appended, Received: r.Received})
		}
		return rowOrigin{ID: rows[len(rows)-1].ID}, len(rows), f.visit(records)
	})
}

func (f *exporter) participants(events []int64) (map[int64][]string, error) {
	var rows []struct {
		Event int64  `db:"event_pk"`
		Name  string `db:"name"`
	}
	err := f.tx.From("event_participants").Prepared(true).Select("event_pk", "name").
		Where(goqu.Ex{"event_pk": events}).Order(goqu.C("event_pk").Asc(), goqu.C("position").Asc()).ScanStructsContext(f.ctx, &rows)
	names := map[int64][]string{}
	for _, r := range rows {
		names[r.Event] = append(names[r.Event], r.Name)
	}
	return names, err
}

func (f *exporter) coupons() error {
	columns := []any{"user_id", "coupon_id", "stake", "placed_at", "extra"}
	return f.pages("coupons", byPosition, columns, func(q *goqu.SelectDataset) (last rowOrigin, n int, err error) {
		var rows []struct {
			rowOrigin
			UserID   string         `db:"user_id"`
			CouponID string         `db:"coupon_id"`
			Stake    float64        `db:"stake"`
			Placed   time.Time      `db:"placed_at"`
			Extra    sql.NullString `db:"extra"`
		}
		if err := q.ScanStructsContext(f.ctx, &rows); err != nil || len(rows) == 0 {
			return last, 0, err
		}
		pks, legs := make([]int64, len(rows)), map[int64][]tipoff.Selection{}
		for i := range rows {
			pks[i] = rows[i].ID
		}
		err = readSelections(f.ctx, f.tx.From, pks, func(coupon int64, s tipoff.Selection) { legs[coupon] = append(legs[coupon], s) })
		if err != nil {
			return last, 0, err
		}
		records := make([]topics.Record, len(rows))
		for i := range rows {
			r := &rows[i]
			c := tipoff.Coupon{ID: r.CouponID, UserID: r.UserID, Stake: r.Stake, Timestamp: r.Placed.UTC(), Selections: legs[r.ID]}
			if r.Extra.Valid {
				c.Extra = []byte(r.Extra.String)
			}
			records[i] = f.put(topics.CouponRecord(f.company[r.Company], c, r.Received), &r.rowOrigin)
		}
		return rows[len(rows)-1].rowOrigin, len(rows), f.visit(records)
	})
}
