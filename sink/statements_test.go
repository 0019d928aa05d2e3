package sink

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/doug-martin/goqu/v9"

	"tipoff/topics"
)

func TestStatement_OfManyRowsIsAsGoquBuildsIt(t *testing.T) {
	like := row{{"company_id", 1}, {"user_id", "a (?, ?) b"}, {"name", nil}}
	for _, address := range []string{"sqlite:" + filepath.Join(t.TempDir(), "test.db"), "mysql://a:b@127.0.0.1:1/c"} {
		db, err := Open(address)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		tx := &transaction{TxDatabase: goqu.NewTx(db.goqu.Dialect(), nil), db: db}
		for name, shape := range map[string]shape{
			"insert":  plain,
			"new":     unlessThere("company_id", "user_id"),
			"replace": tx.overwriting(like, "company_id", "user_id"),
		} {
			one, err := tx.statement("users", like, shape)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{1, 2, 1000} {
				built, args, err := shape(tx.Insert("users").Prepared(true).Cols("company_id", "user_id", "name").
					Vals(slices.Repeat([][]any{{1, "a (?, ?) b", ""}}, n)...)).ToSQL()
				if err != nil || len(args) != n*len(like) {
					t.Fatal(err, len(args))
				}
				if got := forRows(one, len(like), n); got != built {
					t.Errorf("%s: %s of %d rows: %.300s, goqu builds %.300s", db.Where(), name, n, got, built)
				}
			}
		}
	}
}

func TestWrite_AsManyRowsAsThereAre(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		coupons, all := newLog(topics.Coupons, "c"), 0
		for _, n := range []int{1, preparedRows - 1, preparedRows, preparedRows + 1, 3 * preparedRows, 10*preparedRows + 3} {
			for range n {
				coupons.add(coupon(fmt.Sprint("c", all), "u", 1, "e"))
				all++
			}
			first := all - n
			for range 2 { // the second time they are there already
				coupons.mirror(t, &writer{db: db}, first, all)
				want(t, db, "SELECT COUNT(*), COUNT(DISTINCT coupon_id), SUM(legs) FROM coupons", fmt.Sprint(all, all, all))
				want(t, db, "SELECT COUNT(*), COUNT(DISTINCT coupon_pk) FROM selections", fmt.Sprint(all, all))
			}
		}
	})
}

// TestWrite_WhatATableRefusesIsAnError: and not a row that is missing.
func TestWrite_WhatATableRefusesIsAnError(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		begun, err := db.sql.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer begun.Rollback()
		tx := &transaction{TxDatabase: goqu.NewTx(db.goqu.Dialect(), begun), tx: begun, db: db, ctx: t.Context(), rows: map[string]int{}}
		if err := tx.insertNew("companies", []row{{{"name", nil}}}, "name"); err == nil {
			t.Error("a company without a name was taken for written")
		}
	})
}
