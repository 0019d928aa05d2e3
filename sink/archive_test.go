package sink

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tipoff"
	"tipoff/topics"
)

func TestArchive_Pages(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		events, coupons := newLog(topics.Events, "e"), newLog(topics.Coupons, "c")
		for i := range 25 {
			events.add(event(fmt.Sprintf("e%02d", i), []string{"A", "B"}[i%2], "x"))
			coupons.add(coupon(fmt.Sprintf("c%02d", i), "u", 1, "e"))
		}
		events.add(patch("e03", tipoff.StatusFinished))
		events.add(patch("never posted", tipoff.StatusFinished))
		events.mirror(t, w, 0, 27)
		coupons.mirror(t, w, 0, 25)
		a := NewArchive(db, 2*time.Second)
		var got []string
		f := tipoff.EventFilter{N: 10}
		for pages := 0; pages == 0 || f.Cursor != ""; pages++ {
			page, cursor, err := a.Events(t.Context(), "default", f)
			if err != nil || pages > 3 {
				t.Fatalf("page %d: %v", pages, err)
			}
			for _, e := range page {
				got = append(got, e.ID)
			}
			f.Cursor = cursor
		}
		if len(got) != 25 || !slices.IsSorted(got) {
			t.Errorf("events = %v", got)
		}
		got = nil
		for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
			page, next, err := a.Coupons(t.Context(), "default", "u", cursor, 10)
			if err != nil || pages > 3 {
				t.Fatalf("page %d: %v", pages, err)
			}
			for _, c := range page {
				got = append(got, c.ID)
			}
			cursor = next
		}
		slices.Reverse(got)
		if len(got) != 25 || !slices.IsSorted(got) {
			t.Errorf("coupons = %v", got)
		}
		for n, f := range map[int]tipoff.EventFilter{
			1:  {N: 50, Status: tipoff.StatusFinished},
			13: {N: 50, League: "A"},
			25: {N: 50, From: noon, Until: noon.Add(4 * time.Hour), Sport: "Tennis"},
			0:  {N: 50, From: noon.Add(4 * time.Hour)},
		} {
			if page, _, err := a.Events(t.Context(), "default", f); err != nil || len(page) != n {
				t.Errorf("%+v: %d events, %v; want %d", f, len(page), err, n)
			}
		}
		if _, _, err := a.Events(t.Context(), "default", tipoff.EventFilter{N: 1, Cursor: "nonsense"}); err == nil {
			t.Error("a broken cursor was taken")
		}
	})
}

func TestArchive_SaysUnavailableWhenTheDatabaseIsDown(t *testing.T) {
	db, err := Open("mysql://u:p@127.0.0.1:1/none")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a := NewArchive(db, time.Second)
	if _, err := a.Event(t.Context(), "default", "e"); !errors.Is(err, tipoff.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if _, _, err := a.Coupons(t.Context(), "default", "u", "", 5); !errors.Is(err, tipoff.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}
