package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tipoff"
	"tipoff/oracle"
)

// verifyDatabase: MySQL holds every user, event, coupon and selection, once and
// equal.
func (h *harness) verifyDatabase(ctx context.Context, facts *oracle.Facts) error {
	return errors.Join(h.verifyUsers(ctx, facts), h.verifyEvents(ctx, facts), h.verifyCoupons(ctx, facts))
}

// rows calls each for every row that a query returns.
func (h *harness) rows(ctx context.Context, query string, each func(*sql.Rows) error) error {
	found, err := h.sql.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		if err := each(found); err != nil {
			return err
		}
	}
	return found.Err()
}

func (h *harness) verifyUsers(ctx context.Context, facts *oracle.Facts) error {
	times := map[string]int{}
	err := h.rows(ctx, `SELECT user_id, birth_year, country, currency, gender, registration_date, COALESCE(name, ''), version, source_offset & 1099511627775 FROM users`, func(r *sql.Rows) error {
		var u tipoff.User
		var version sql.NullInt64
		var offset int64
		if err := r.Scan(&u.ID, &u.BirthYear, &u.Country, &u.Currency, &u.Gender, &u.RegistrationDate, &u.Name, &version, &offset); err != nil {
			return err
		}
		u.Version = tipoff.Version{Given: version.Valid, Number: version.Int64}
		times[u.ID]++
		if want := facts.Users[u.ID]; want != nil && (want.Content != oracle.Canonical(u) || want.Offset != offset) {
			h.wrong("user of offset %d and %d\n  MySQL %s\n  topic %s", offset, want.Offset, oracle.Canonical(u), want.Content)
		}
		return nil
	})
	if err != nil {
		return err
	}
	compareKeys(h, "user", facts.Users, times)
	return nil
}

func (h *harness) verifyEvents(ctx context.Context, facts *oracle.Facts) error {
	participants := map[int64][]string{}
	err := h.rows(ctx, `SELECT event_pk, name FROM event_participants ORDER BY event_pk, position`, func(r *sql.Rows) error {
		var event int64
		var name string
		err := r.Scan(&event, &name)
		participants[event] = append(participants[event], name)
		return err
	})
	if err != nil {
		return err
	}
	times := map[string]int{}
	err = h.rows(ctx, `SELECT id, event_id, announced, COALESCE(status, ''), COALESCE(result, ''), begin_at, end_at, COALESCE(sport, ''), COALESCE(league, ''),
		COALESCE(country, ''), COALESCE(extra, ''), version FROM events`, func(r *sql.Rows) error {
		var key int64
		var announced bool
		var begin, end sql.NullTime
		var e tipoff.Event
		var extra string
		var version sql.NullInt64
		if err := r.Scan(&key, &e.ID, &announced, &e.Status, &e.Result, &begin, &end, &e.Sport, &e.League, &e.Country, &extra, &version); err != nil {
			return err
		}
		times[e.ID]++
		e.Version = tipoff.Version{Given: version.Valid, Number: version.Int64}
		e.Begin, e.End, e.Participants = begin.Time, end.Time, participants[key]
		if extra != "" {
			e.Extra = []byte(extra)
		}
		if want := facts.Events[e.ID]; want != nil {
			h.compareEvent(e, announced, want)
		}
		return nil
	})
	if err != nil {
		return err
	}
	compareKeys(h, "event", facts.Events, times)
	return nil
}

func (h *harness) compareEvent(e tipoff.Event, announced bool, want *oracle.Event) {
	if announced != want.Announced {
		h.wrong("event %s is announced in MySQL: %v, on the topic: %v", e.ID, announced, want.Announced)
		return
	}
	got, fields := map[string]any{"event_id": e.ID, "status": e.Status, "result": e.Result, "version": e.Version}, want.Changes
	if announced {
		raw, _ := json.Marshal(e)
		got, fields = map[string]any{}, want.Fields
		_ = json.Unmarshal(raw, &got)
	}
	if oracle.Canonical(got) != oracle.Canonical(fields) {
		h.wrong("event\n  MySQL %s\n  topic %s", oracle.Canonical(got), oracle.Canonical(fields))
	}
}

func (h *harness) verifyCoupons(ctx context.Context, facts *oracle.Facts) error {
	legs := map[string][]tipoff.Selection{}
	err := h.rows(ctx, `SELECT c.user_id, c.coupon_id, s.event_id, s.odds, COALESCE(s.market, ''), COALESCE(s.outcome, '')
		FROM selections s JOIN coupons c ON c.id = s.coupon_pk ORDER BY s.coupon_pk, s.position`, func(r *sql.Rows) error {
		var user, coupon string
		var l tipoff.Selection
		if err := r.Scan(&user, &coupon, &l.EventID, &l.Odds, &l.Market, &l.Outcome); err != nil {
			return err
		}
		legs[user+"/"+coupon] = append(legs[user+"/"+coupon], l)
		return nil
	})
	if err != nil {
		return err
	}
	wanted, times := map[string]*oracle.Coupon{}, map[string]int{}
	for _, list := range facts.Coupons {
		for _, c := range list {
			wanted[c.UserID+"/"+c.ID] = c
		}
	}
	err = h.rows(ctx, `SELECT user_id, coupon_id, stake, placed_at FROM coupons`, func(r *sql.Rows) error {
		var user, id string
		var stake float64
		var placed time.Time
		if err := r.Scan(&user, &id, &stake, &placed); err != nil {
			return err
		}
		key := user + "/" + id
		times[key]++
		if want := wanted[key]; want != nil && (want.Stake != stake || !want.Timestamp.Equal(placed) || fmt.Sprint(want.Selections) != fmt.Sprint(legs[key])) {
			h.wrong("MySQL has coupon %s as %v %s %v, the topic %v %s %v", key, stake, placed, legs[key], want.Stake, want.Timestamp, want.Selections)
		}
		return nil
	})
	if err != nil {
		return err
	}
	compareKeys(h, "coupon", wanted, times)
	return nil
}

// compareKeys compares what is on the topic with how many times it is in MySQL.
func compareKeys[V any](h *harness, what string, want map[string]V, times map[string]int) {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if times[key] == 0 {
			h.lost("%s %s is on the topic, not in MySQL", what, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(times)) {
		if times[key] > 1 {
			h.twice("%s %s is in MySQL %d times", what, key, times[key])
		}
		if _, there := want[key]; !there {
			h.wrong("%s %s is in MySQL, not on the topic", what, key)
		}
	}
}
