package sink

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"

	"tipoff/topics"
)

// writer puts batches of facts into the database.
type writer struct {
	db        *Database
	companies ids
	sources   ids
}

// ids remembers the integer keys of rows that never change.
type ids struct {
	mu   sync.Mutex
	keys map[string]int64
}

// partition is one partition of a topic in its present life.
type partition struct {
	topic, topicID string
	number         int32
}

// write mirrors facts of one partition, in their order, in one transaction. It may
// be called again with the same facts, or with some of them. It returns how many
// rows of each table it wrote.
func (w *writer) write(ctx context.Context, from partition, facts []fact) (rows map[string]int, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			rows, err = nil, fmt.Errorf("%w: the sink panicked: %v", errBroken, fault)
		}
	}()
	source, err := w.sources.get(fmt.Sprintf("%s/%d", from.topicID, from.number), func() (int64, error) {
		return w.db.idOf(ctx, "sources", goqu.Record{"topic_id": from.topicID, "partition_no": from.number}, goqu.Record{"topic": from.topic})
	})
	if err != nil {
		return nil, fmt.Errorf("key of source: %w", err)
	}
	byCompany := map[int64][]fact{}
	for i := range facts {
		name := facts[i].company
		company, err := w.companies.get(name, func() (int64, error) {
			return w.db.idOf(ctx, "companies", goqu.Record{"name": name}, nil)
		})
		if err != nil {
			return nil, fmt.Errorf("key of company %s: %w", name, err)
		}
		facts[i].sourceID = source
		byCompany[company] = append(byCompany[company], facts[i])
	}
	end, err := w.db.writeTurn(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer end()
	tx, err := w.db.sql.BeginTx(ctx, w.db.isolation())
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	b := &transaction{TxDatabase: goqu.NewTx(w.db.goqu.Dialect(), tx), tx: tx, db: w.db, ctx: ctx, rows: map[string]int{}}
	for company, facts := range byCompany {
		if err := b.mirror(company, from.topic, facts); err != nil {
			return nil, err
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	return b.rows, nil
}

// forget drops the remembered keys: the database that comes back may be another one,
// or an older state of it.
func (w *writer) forget() {
	w.companies.forget()
	w.sources.forget()
}

func (k *ids) forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.keys)
}

// isolation keeps MySQL from locking gaps between keys, over which batches of
// other partitions would deadlock. SQLite has one writer anyway.
func (d *Database) isolation() *sql.TxOptions {
	if d.sqlite {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

func (k *ids) get(name string, find func() (int64, error)) (int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if id, ok := k.keys[name]; ok {
		return id, nil
	}
	id, err := find()
	if err != nil {
		return 0, err
	}
	if k.keys == nil {
		k.keys = map[string]int64{}
	}
	k.keys[name] = id
	return id, nil
}

// idOf finds the row with the unique columns, or creates it with the others too.
func (d *Database) idOf(ctx context.Context, table string, unique, others goqu.Record) (int64, error) {
	find := d.goqu.From(table).Prepared(true).Select("id").Where(goqu.Ex(unique))
	for attempt := 0; ; attempt++ {
		var id int64
		found, err := find.ScanValContext(ctx, &id)
		if err != nil || found {
			return id, err
		}
		row := goqu.Record{}
		for _, part := range []goqu.Record{unique, others} {
			for column, value := range part {
				row[column] = value
			}
		}
		_, err = d.goqu.Insert(table).Prepared(true).Rows(row).Executor().ExecContext(ctx)
		if err != nil && attempt > 0 { // the first time another process may have been quicker
			return 0, err
		}
	}
}

// transaction is one batch under way.
type transaction struct {
	*goqu.TxDatabase // builds statements of tx
	tx               *sql.Tx
	db               *Database
	ctx              context.Context
	rows             map[string]int // written, by table
}

func (t *transaction) mirror(company int64, topic string, facts []fact) error {
	switch topic {
	case topics.Users:
		return t.users(company, facts)
	case topics.Events:
		return t.events(company, facts)
	case topics.Coupons:
		return t.coupons(company, facts)
	}
	return fmt.Errorf("no table mirrors topic %s", topic)
}

// locked selects rows for the rest of the transaction. Where rows are new there is
// nothing to lock: then inserting fails for the slower of two writers, who tries
// the whole batch again.
func (t *transaction) locked(from *goqu.SelectDataset) *goqu.SelectDataset {
	if t.db.sqlite {
		return from
	}
	return from.ForUpdate(exp.Wait)
}

// coupons inserts the coupons that are not there yet, and the selections of those
// whose row came from these very records: a coupon posted again with another
// content leaves the first one as it stands.
func (t *transaction) coupons(company int64, facts []fact) error {
	rows := make([]row, 0, len(facts))
	byOffset := map[int64]*fact{}
	for i := range facts {
		f := &facts[i]
		rows = append(rows, f.put(couponRow(company, f.Coupon)))
		byOffset[f.offset] = f
	}
	if err := t.insertNew("coupons", rows, "company_id", "user_id", "coupon_id"); err != nil {
		return err
	}
	var made []struct {
		ID     int64 `db:"id"`
		Offset int64 `db:"source_offset"`
	}
	first, last := &facts[0], &facts[len(facts)-1]
	err := t.From("coupons").Prepared(true).Select("id", "source_offset").
		Where(goqu.C("source_id").Eq(first.sourceID), goqu.C("source_offset").Between(goqu.Range(first.offset, last.offset))).
		ScanStructsContext(t.ctx, &made)
	if err != nil {
		return fmt.Errorf("read keys of coupons: %w", err)
	}
	var selections []row
	for _, c := range made {
		if f := byOffset[c.Offset]; f != nil {
			for i := range f.Coupon.Selections {
				selections = append(selections, selectionRow(company, c.ID, i, &f.Coupon.Selections[i]))
			}
		}
	}
	return t.insertNew("selections", selections, "coupon_pk", "position")
}
