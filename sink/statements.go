package sink

import (
	"fmt"
	"slices"
	"strings"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exp"
)

// maxParameters bounds the values of one statement: SQLite takes 32,766.
const maxParameters = 30_000

// preparedRows is how many rows a prepared statement inserts: with fewer, and with more,
// SQLite takes longer for a row.
const preparedRows = 64

// row is what a row of a table is to hold, column by column. All rows that are written at
// once have the same columns in the same order.
type row []column

type column struct {
	name  string
	value any
}

// shape says what becomes of a row whose key is there already.
type shape func(*goqu.InsertDataset) *goqu.InsertDataset

// insert adds rows that must be new.
func (t *transaction) insert(table string, rows []row) error {
	return t.write(table, rows, plain)
}

func plain(insert *goqu.InsertDataset) *goqu.InsertDataset { return insert }

// insertNew adds the rows whose key is not there yet.
func (t *transaction) insertNew(table string, rows []row, key ...string) error {
	return t.write(table, rows, unlessThere(key...))
}

func unlessThere(key ...string) shape {
	same := goqu.Record{key[0]: goqu.C(key[0])} // changes nothing
	return func(insert *goqu.InsertDataset) *goqu.InsertDataset {
		return insert.OnConflict(goqu.DoUpdate(target(key), same))
	}
}

// replace overwrites rows that exist and are locked.
func (t *transaction) replace(table string, rows []row, key ...string) error {
	if len(rows) == 0 {
		return nil
	}
	return t.write(table, rows, t.overwriting(rows[0], key...))
}

func (t *transaction) overwriting(like row, key ...string) shape {
	update := goqu.Record{}
	for _, c := range like {
		if !slices.Contains(key, c.name) {
			update[c.name] = t.db.incoming(c.name)
		}
	}
	return func(insert *goqu.InsertDataset) *goqu.InsertDataset {
		return insert.OnConflict(goqu.DoUpdate(target(key), update))
	}
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

// write inserts rows. Of a statement only the text for one row is built, as that of more is
// the same but for its length.
func (t *transaction) write(table string, rows []row, shape shape) error {
	if len(rows) == 0 {
		return nil
	}
	all, columns := len(rows), len(rows[0])
	statement, err := t.statement(table, rows[0], shape)
	if err == nil && t.db.sqlite {
		rows, err = t.prepared(statement, columns, rows)
	}
	if err == nil {
		err = t.inChunks(statement, columns, rows)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", table, err)
	}
	t.rows[table] += all
	return nil
}

// statement returns the text that inserts one row.
func (t *transaction) statement(table string, like row, shape shape) (string, error) {
	names, values := make([]any, len(like)), make(goqu.Vals, len(like))
	for i, c := range like {
		names[i], values[i] = c.name, 0
	}
	text, _, err := shape(t.Insert(table).Prepared(true).Cols(names...).Vals(values)).ToSQL()
	return text, err
}

// prepared writes rows into SQLite, a few with each run of a statement that it reads once,
// and returns the rest, which are too few. To read a statement of all rows takes SQLite as
// long as many of the rows do; with one row a run it would look for its place in the
// indexes again each time.
func (t *transaction) prepared(statement string, columns int, rows []row) (rest []row, err error) {
	if len(rows) < preparedRows {
		return rows, nil
	}
	insert, err := t.tx.PrepareContext(t.ctx, forRows(statement, columns, preparedRows))
	if err != nil {
		return nil, err
	}
	defer insert.Close()
	args := make([]any, 0, columns*preparedRows)
	for ; len(rows) >= preparedRows; rows = rows[preparedRows:] {
		if _, err := insert.ExecContext(t.ctx, arguments(args, rows[:preparedRows])...); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// inChunks writes as many rows as it may with each statement: to MySQL each is a round trip.
func (t *transaction) inChunks(statement string, columns int, rows []row) error {
	for chunk := range slices.Chunk(rows, maxParameters/columns) {
		args := arguments(make([]any, 0, len(chunk)*columns), chunk)
		if _, err := t.tx.ExecContext(t.ctx, forRows(statement, columns, len(chunk)), args...); err != nil {
			return err
		}
	}
	return nil
}

// forRows makes a statement that inserts one row insert n.
func forRows(statement string, columns, n int) string {
	one := "(?" + strings.Repeat(", ?", columns-1) + ")"
	return strings.Replace(statement, one, one+strings.Repeat(", "+one, n-1), 1)
}

// arguments lays out the values of rows in place of what the list held.
func arguments(list []any, rows []row) []any {
	list = list[:0]
	for _, r := range rows {
		for _, c := range r {
			list = append(list, c.value)
		}
	}
	return list
}

func keys[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for key := range m {
		list = append(list, key)
	}
	return list
}
