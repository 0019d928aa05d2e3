package bench

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"tipoff"
	"tipoff/sink"
	"tipoff/topics"
)

// sinkCoupons is how many coupons a round has.
func (b *bench) sinkCoupons() int {
	if b.Small {
		return 2000
	}
	return 20_000
}

// sink compares mirroring coupons with their legs with the quickest way to bring the
// same rows into the same tables, with their indexes: SQLite's in one transaction, and
// LOAD DATA where the settings name a MySQL.
func (b *bench) sink(ctx context.Context) error {
	now := time.Now()
	s := newWorld(size{1000, 500, 1}, now).slips()
	var bets []tipoff.Coupon
	var records []topics.Record
	rows := 0
	for _, r := range s.records(b.sinkCoupons(), now) {
		f, err := topics.DecodeFact(r.Topic, mustID(r.Key), r.Value, tipoff.Reading{Now: now})
		if err != nil {
			return err
		}
		bets, records, rows = append(bets, *f.Coupon), append(records, r), rows+1+len(f.Coupon.Selections)
	}
	if err := b.sinkSQLite(ctx, bets, records, rows); err != nil {
		return err
	}
	if b.settings.DatabaseURL == "" || strings.HasPrefix(b.settings.DatabaseURL, "sqlite") {
		b.leaveOut("sink", "set DATABASE_URL to a MySQL to compare with LOAD DATA")
		return nil
	}
	return b.sinkMySQL(ctx, bets, records, rows)
}

// mustID is the id in a key that was made here.
func mustID(key string) string {
	_, id, _ := topics.SplitKey(key)
	return id
}

func mirror(ctx context.Context, db *sink.Database, records []topics.Record) (took time.Duration, err error) {
	began := time.Now()
	err = sink.Mirror(ctx, db, topics.Coupons, records)
	return time.Since(began), errors.Join(err, db.Close())
}

// sinkSQLite uses a file of its own for each turn.
func (b *bench) sinkSQLite(ctx context.Context, bets []tipoff.Coupon, records []topics.Record, rows int) error {
	file := func(fill func(path string, db *sink.Database) (time.Duration, error)) side {
		return rate(func() (float64, error) {
			path := filepath.Join(b.folder, fmt.Sprintf("mirror-%d.db", time.Now().UnixNano()))
			db, err := sink.OpenSQLite(path, false)
			if err != nil {
				return 0, err
			}
			if err := db.Migrate(ctx); err != nil {
				return 0, errors.Join(err, db.Close())
			}
			took, err := fill(path, db)
			return float64(rows) / took.Seconds(), errors.Join(err, os.Remove(path))
		})
	}
	return b.turns(ctx, comparison{
		row: "sink", against: "SQLite's bulk insert of the same rows in one transaction", withoutFirst: true,
		tipoff: file(func(_ string, db *sink.Database) (time.Duration, error) { return mirror(ctx, db, records) }),
		other: file(func(path string, db *sink.Database) (time.Duration, error) {
			if err := db.Close(); err != nil {
				return 0, err
			}
			return insertRows(ctx, path, bets)
		}),
		figures: []figure{{name: "rate", what: "coupons and legs mirrored into SQLite", unit: "rows/s", reach: []Reach{atLeast(.6)}}},
	})
}

const (
	couponColumns    = "coupons (id, company_id, user_id, coupon_id, stake, placed_at, legs, received_at, source_id, source_offset, appended_at)"
	selectionColumns = "selections (coupon_pk, position, company_id, event_id, odds, market, outcome)"
)

// insertRows brings the bets in as SQLite takes them quickest: prepared statements in
// one transaction.
func insertRows(ctx context.Context, path string, bets []tipoff.Coupon) (took time.Duration, err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=synchronous(NORMAL)")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	began := time.Now()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	coupon, err := tx.PrepareContext(ctx, "INSERT INTO "+couponColumns+" VALUES (?, 1, ?, ?, ?, ?, ?, ?, 1, ?, ?)")
	if err != nil {
		return 0, err
	}
	selection, err := tx.PrepareContext(ctx, "INSERT INTO "+selectionColumns+" VALUES (?, ?, 1, ?, ?, ?, ?)")
	if err != nil {
		return 0, err
	}
	for i, c := range bets {
		if _, err := coupon.ExecContext(ctx, i+1, c.UserID, c.ID, c.Stake, c.Timestamp, len(c.Selections), c.Timestamp, i, c.Timestamp); err != nil {
			return 0, err
		}
		for j, s := range c.Selections {
			if _, err := selection.ExecContext(ctx, i+1, j, s.EventID, s.Odds, s.Market, s.Outcome); err != nil {
				return 0, err
			}
		}
	}
	err = tx.Commit()
	return time.Since(began), err
}

// sinkMySQL uses a database of its own for each turn.
func (b *bench) sinkMySQL(ctx context.Context, bets []tipoff.Coupon, records []topics.Record, rows int) error {
	migrated := func(fill func(db *sink.Database, raw *sql.DB) (time.Duration, error)) side {
		return rate(func() (float64, error) {
			return b.inEmptyDatabase(func(address string, raw *sql.DB) (time.Duration, error) {
				db, err := sink.Open(address)
				if err != nil {
					return 0, err
				}
				if err := db.Migrate(ctx); err != nil {
					return 0, errors.Join(err, db.Close())
				}
				return fill(db, raw)
			}, rows)
		})
	}
	local := 0
	_, err := b.inEmptyDatabase(func(_ string, raw *sql.DB) (time.Duration, error) {
		return time.Second, raw.QueryRowContext(ctx, "SELECT @@local_infile").Scan(&local)
	}, rows)
	if err != nil {
		return err
	}
	if local == 0 {
		b.leaveOut("sink", "the MySQL server refuses LOAD DATA LOCAL: SET GLOBAL local_infile = 1 there")
		return nil
	}
	return b.turns(ctx, comparison{
		row: "sink", against: "LOAD DATA of the same rows", withoutFirst: true,
		tipoff: migrated(func(db *sink.Database, _ *sql.DB) (time.Duration, error) { return mirror(ctx, db, records) }),
		other: migrated(func(db *sink.Database, raw *sql.DB) (time.Duration, error) {
			if err := db.Close(); err != nil {
				return 0, err
			}
			return loadRows(ctx, raw, bets)
		}),
		figures: []figure{{name: "rate", what: "coupons and legs mirrored into MySQL", unit: "rows/s", reach: []Reach{atLeast(.7)},
			note: "the server allows local_infile; where it does not, .5 is enough, but LOAD DATA cannot be measured"}},
	})
}

// inEmptyDatabase creates a database for one round, and returns rows a second.
func (b *bench) inEmptyDatabase(run func(address string, raw *sql.DB) (time.Duration, error), rows int) (rate float64, err error) {
	u, err := url.Parse(b.settings.DatabaseURL)
	if err != nil {
		return 0, errors.New("DATABASE_URL: is not a URL")
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User = "tcp", u.Host, u.User.Username()
	c.Passwd, _ = u.User.Password()
	admin, err := sql.Open("mysql", c.FormatDSN())
	if err != nil {
		return 0, err
	}
	defer admin.Close()
	name := fmt.Sprintf("tipoff_bench_%x", rand.Uint64())
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		return 0, err
	}
	defer func() {
		_, dropped := admin.Exec("DROP DATABASE " + name)
		err = errors.Join(err, dropped)
	}()
	u.Path, c.DBName = "/"+name, name
	raw, err := sql.Open("mysql", c.FormatDSN())
	if err != nil {
		return 0, err
	}
	defer raw.Close()
	took, err := run(u.String(), raw)
	return float64(rows) / took.Seconds(), err
}

// loadRows brings the bets in as a dump would: two files, each in one statement.
func loadRows(ctx context.Context, db *sql.DB, bets []tipoff.Coupon) (time.Duration, error) {
	var coupons, selections bytes.Buffer
	for i, c := range bets {
		at := c.Timestamp.Format("2006-01-02 15:04:05.000000")
		fmt.Fprintf(&coupons, "%d\t1\t%s\t%s\t%v\t%s\t%d\t%s\t1\t%d\t%s\n", i+1, c.UserID, c.ID, c.Stake, at, len(c.Selections), at, i, at)
		for j, s := range c.Selections {
			fmt.Fprintf(&selections, "%d\t%d\t1\t%s\t%v\t%s\t%s\n", i+1, j, s.EventID, s.Odds, s.Market, s.Outcome)
		}
	}
	mysql.RegisterReaderHandler("coupons", func() io.Reader { return &coupons })
	mysql.RegisterReaderHandler("selections", func() io.Reader { return &selections })
	defer mysql.DeregisterReaderHandler("coupons")
	defer mysql.DeregisterReaderHandler("selections")
	began := time.Now()
	for _, statement := range []string{
		"LOAD DATA LOCAL INFILE 'Reader::coupons' INTO TABLE " + couponColumns,
		"LOAD DATA LOCAL INFILE 'Reader::selections' INTO TABLE " + selectionColumns,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return 0, fmt.Errorf("%.40s...: %w", statement, err)
		}
	}
	return time.Since(began), nil
}
