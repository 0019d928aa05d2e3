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
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"tipoff"
	"tipoff/generator"
	"tipoff/sink"
	"tipoff/topics"
)

// sink compares mirroring coupons with LOAD DATA of the same rows into the same
// tables.
func (b *bench) sink(ctx context.Context) error {
	if b.settings.DatabaseURL == "" || strings.HasPrefix(b.settings.DatabaseURL, "sqlite") {
		b.leaveOut("sink", "set DATABASE_URL to a MySQL to compare with LOAD DATA")
		return nil
	}
	const coupons = 20_000
	now := time.Now()
	book := generator.NewSportsbook(4, 1000, 500, 7, now)
	book.Users()
	bets := book.Coupons(coupons, now)
	var records []topics.Record
	rows := 0
	for _, c := range bets {
		records = append(records, topics.CouponRecord(tipoff.DefaultCompany, c, now))
		rows += 1 + len(c.Selections)
	}
	ours := func() (float64, error) {
		return b.inEmptyDatabase(func(address string, _ *sql.DB) (time.Duration, error) {
			db, err := sink.Open(address)
			if err != nil {
				return 0, err
			}
			defer db.Close()
			if err := db.Migrate(ctx); err != nil {
				return 0, err
			}
			began := time.Now()
			err = sink.Mirror(ctx, db, topics.Coupons, records)
			return time.Since(began), err
		}, rows)
	}
	loadData := func() (float64, error) {
		return b.inEmptyDatabase(func(address string, raw *sql.DB) (time.Duration, error) {
			db, err := sink.Open(address)
			if err != nil {
				return 0, err
			}
			err = errors.Join(db.Migrate(ctx), db.Close())
			if err != nil {
				return 0, err
			}
			return loadRows(ctx, raw, bets)
		}, rows)
	}
	return b.turns(ctx, comparison{
		row: "sink", against: "LOAD DATA of the same rows", tipoff: rate(ours), other: rate(loadData), withoutFirst: true,
		figures: []figure{{name: "rate", what: "coupons and selections mirrored", unit: "rows/s", reach: []Reach{atLeast(0.5)}}},
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
		"LOAD DATA LOCAL INFILE 'Reader::coupons' INTO TABLE coupons (id, company_id, user_id, coupon_id, stake, placed_at, legs, received_at, source_id, source_offset, appended_at)",
		"LOAD DATA LOCAL INFILE 'Reader::selections' INTO TABLE selections (coupon_pk, position, company_id, event_id, odds, market, outcome)",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return 0, fmt.Errorf("%.40s...: %w", statement, err)
		}
	}
	return time.Since(began), nil
}
