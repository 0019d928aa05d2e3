package sink

import (
	"fmt"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"
)

// maxParameters bounds the values of one statement: SQLite takes 32,766.
const maxParameters = 30_000

// insert adds rows that must be new.
func (t *transaction) insert(table string, rows []goqu.Record) error {
	return t.inChunks(table, rows, func(insert *goqu.InsertDataset) *goqu.InsertDataset { return insert })
}

// insertNew adds the rows whose key is not there yet.
func (t *transaction) insertNew(table string, rows []goqu.Record, key ...string) error {
	same := goqu.Record{key[0]: goqu.C(key[0])} // changes nothing
	return t.inChunks(table, rows, func(insert *goqu.InsertDataset) *goqu.InsertDataset {
		return insert.OnConflict(goqu.DoUpdate(target(key), same))
	})
}

// replace overwrites rows that exist and are locked.
func (t *transaction) replace(table string, rows []goqu.Record, key ...string) error {
	return t.inChunks(table, rows, func(insert *goqu.InsertDataset) *goqu.InsertDataset {
		update := goqu.Record{}
		for column := range rows[0] {
			update[column] = t.db.incoming(column)
		}
		for _, column := range key {
			delete(update, column)
		}
		return insert.OnConflict(goqu.DoUpdate(target(key), update))
	})
}

func target(key []string) string {
	list := key[0]
	for _, column := range key[1:] {
		list += ", " + column
	}
	return list
}

// incoming is the value that a conflicting insert brought.
func (d *Database) incoming(column string) exp.LiteralExpression {
	if d.sqlite {
		return goqu.L("excluded." + column)
	}
	return goqu.L("VALUES(" + column + ")") // MariaDB knows no other form
}

func (t *transaction) inChunks(table string, rows []goqu.Record, shape func(*goqu.InsertDataset) *goqu.InsertDataset) error {
	for len(rows) > 0 {
		n := min(len(rows), maxParameters/len(rows[0]))
		chunk := make([]any, n)
		for i := range chunk {
			chunk[i] = rows[i]
		}
		if _, err := shape(t.Insert(table).Prepared(true).Rows(chunk...)).Executor().ExecContext(t.ctx); err != nil {
			return fmt.Errorf("write %s: %w", table, err)
		}
		t.rows[table] += n
		rows = rows[n:]
	}
	return nil
}

func keys[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for key := range m {
		list = append(list, key)
	}
	return list
}
