package sink

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tipoff"
	"tipoff/topics"
)

func TestFacts_AreThoseThatWereMirroredWithTheirPositions(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		users, events, coupons := newLog(topics.Users, "u"), newLog(topics.Events, "e"), newLog(topics.Coupons, "c")
		users.add(user("u1", "Peru"))
		users.add(user("u1", "Perú \U0001F3BE"))
		events.add(patch("early", tipoff.StatusSuspended))
		events.add(event("e1", "ATP", "Ana", "Eva"))
		events.add(patch("e1", tipoff.StatusFinished))
		for i := range 5 {
			coupons.add(coupon(fmt.Sprint("c", 9-i), "u1", 0.1+float64(i)/3, "e1", "e2"))
		}
		coupons.add(coupon("c9", "u1", 77, "e1")) // another content: the first one stands
		for i := range events.records {           // of one batch, new events have no order
			events.mirror(t, w, i, i+1)
		}
		users.mirror(t, w, 0, len(users.records))
		coupons.mirror(t, w, 0, len(coupons.records))
		if n, err := db.CountFacts(t.Context()); err != nil || n != 8 {
			t.Errorf("%d facts, %v", n, err)
		}
		finished := event("e1", "ATP", "Ana", "Eva")
		e, err := tipoff.DecodeEvent(finished.Value, tipoff.Reading{Now: noon})
		if err != nil {
			t.Fatal(err)
		}
		e.Status = tipoff.StatusFinished
		want := []topics.Record{user("u1", "Perú \U0001F3BE"), patch("early", tipoff.StatusSuspended), topics.EventRecord("default", e, noon)}
		for i := range 5 {
			want = append(want, coupon(fmt.Sprint("c", 9-i), "u1", 0.1+float64(i)/3, "e1", "e2"))
		}
		for i, position := range []struct {
			topic  string
			offset int
		}{{"u", 1}, {"e", 0}, {"e", 2}, {"c", 0}, {"c", 1}, {"c", 2}, {"c", 3}, {"c", 4}} {
			want[i].Origin = topics.Origin{TopicID: position.topic, Offset: int64(position.offset), Appended: noon.Add(time.Duration(position.offset) * time.Millisecond)}
		}
		var got []topics.Record
		err = db.Facts(t.Context(), func(records []topics.Record) error {
			if len(got) == 0 { // what comes meanwhile is not of the same moment, and is not held up
				late := newLog(topics.Coupons, "late")
				late.add(coupon("late", "u2", 1, "e1"))
				late.mirror(t, w, 0, 1)
			}
			got = append(got, records...)
			return nil
		})
		if d := cmp.Diff(want, got, cmp.Transformer("text", func(b []byte) string { return string(b) })); err != nil || d != "" {
			t.Errorf("%v %s", err, d)
		}
		if ids, err := db.TopicIDs(t.Context()); err != nil || len(ids) != 4 {
			t.Errorf("topics %v, %v", ids, err)
		}
	})
}

func TestFacts_OfManyPages(t *testing.T) {
	db := migrated(t, "sqlite:"+t.TempDir()+"/many.db")
	const coupons = 2*factsPage + 1
	var records []topics.Record
	for i := range coupons {
		records = append(records, coupon(fmt.Sprint("c", i), fmt.Sprint("u", i%7), 1, "e"))
	}
	if err := Mirror(t.Context(), db, topics.Coupons, records); err != nil {
		t.Fatal(err)
	}
	next := int64(0)
	err := db.Facts(t.Context(), func(page []topics.Record) error {
		for _, r := range page {
			if r.Origin.Offset != next {
				return fmt.Errorf("offset %d comes where %d should", r.Origin.Offset, next)
			}
			next++
		}
		return nil
	})
	if err != nil || next != coupons {
		t.Errorf("%d of %d coupons, %v", next, coupons, err)
	}
}

// TestFacts_ComeInTheOrderOfTheirTopic: also where the sink read the earlier ones
// again after the later ones, as from a restored database.
func TestFacts_ComeInTheOrderOfTheirTopic(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		coupons := newLog(topics.Coupons, "c")
		for i := range 6 {
			coupons.add(coupon(fmt.Sprint("c", i), "u1", 1, "e1"))
		}
		coupons.mirror(t, w, 4, 6)
		coupons.mirror(t, w, 0, 6)
		var offsets []int64
		err := db.Facts(t.Context(), func(records []topics.Record) error {
			for _, r := range records {
				offsets = append(offsets, r.Origin.Offset)
			}
			return nil
		})
		if err != nil || !slices.Equal(offsets, []int64{0, 1, 2, 3, 4, 5}) {
			t.Errorf("offsets %v, %v", offsets, err)
		}
	})
}
