package bench

import (
	"testing"
	"time"

	"tipoff"
	"tipoff/node"
	"tipoff/state"
	"tipoff/topics"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"
)

func TestWorld_IsOfBettorsWithTheirBets(t *testing.T) {
	w := newWorld(size{50, 40, 30}, time.Now())
	open := 0
	for i := range w.users {
		read, err := state.UnmarshalBettor(w.bettor(i).Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if read.LegCount < 30 || read.LegCount > 34 || len(read.Sports) == 0 || !read.Known {
			t.Errorf("bettor %d has %d counted legs, %d sports", i, read.LegCount, len(read.Sports))
		}
		for _, bet := range read.Bets {
			if bet.Waiting != 0 {
				t.Errorf("bettor %d: legs wait", i)
			}
			for _, leg := range bet.Legs {
				if !leg.HasBegun() {
					open++
				}
			}
		}
	}
	counted := uint64(0)
	for id, f := range w.fixtures {
		read, err := state.UnmarshalFixture(f.Marshal())
		if err != nil || !read.Known || read.Event.ID != id || !read.Event.Begin.After(w.now) {
			t.Fatalf("%s: %v, %+v", id, err, read)
		}
		counted += read.LegCount
	}
	if open == 0 || counted == 0 {
		t.Errorf("%d legs of open events, %d counted", open, counted)
	}
}

// TestNode_ServesAWorld: a node takes over what was written, and goes on from it.
func TestNode_ServesAWorld(t *testing.T) {
	ctx := t.Context()
	b := &bench{Options: Options{Small: true}, settings: &node.Settings{Topics: node.Topics{Partitions: 2, Retention: time.Hour}},
		folder: t.TempDir(), bar: t.Output(), homes: map[size]*home{}}
	n, h, err := b.shared(ctx, size{60, 40, 30})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.stopShared(); err != nil {
			t.Error(err)
		}
	}()
	user := h.users[7].ID
	before, known := n.Views().Affinities(tipoff.DefaultCompany, user, time.Now())
	if !known || before.Bets < 30 || before.Bets > 34 {
		t.Fatalf("%t, %+v", known, before)
	}
	if posted, _ := n.Views().User(tipoff.DefaultCompany, user); posted.Country != h.users[7].Country {
		t.Errorf("%+v", posted)
	}
	s := h.slips()
	if err := s.postAll(ctx, n.URL(), 2*postSize, func(int) {}); err != nil {
		t.Fatal(err)
	}
	if err := settled(ctx, n.Cluster()); err != nil {
		t.Fatal(err)
	}
	if rejected, err := n.Cluster().Size(t.Context(), topics.Rejected); err != nil || rejected > 0 {
		t.Errorf("%d rejected, %v", rejected, err)
	}
	counted, legs := 0.0, 0.0
	for i := range h.users {
		after, _ := n.Views().Affinities(tipoff.DefaultCompany, h.users[i].ID, time.Now())
		counted += float64(after.Bets)
	}
	for i := range uint64(2 * postSize) {
		legs += float64(len(s.all[(i+1)%uint64(len(s.all))].coupon.Selections))
	}
	if counted < 60*30+legs {
		t.Errorf("%v bets are counted, %v of them new", counted, legs)
	}
}

func TestSlips_AreCoupons(t *testing.T) {
	w := newWorld(size{50, 40, 30}, time.Now())
	s := w.slips()
	var posted []tipoff.Coupon
	if err := json.Unmarshal(s.appendBatch(nil, 3, time.Now()), &posted); err != nil || len(posted) != 3 {
		t.Fatal(err, posted)
	}
	if posted[0].ID == posted[1].ID || posted[0].UserID == "" || len(posted[0].Selections) == 0 {
		t.Errorf("%+v", posted)
	}
	// The same request is prepared again and again, in the body's own memory.
	l, q := s.posting("http://127.0.0.1:1", 1, 1), fasthttp.AcquireRequest()
	defer fasthttp.ReleaseRequest(q)
	ids := map[string]bool{}
	for i := range uint64(10) {
		l.prepare(q, i)
		_, err := tipoff.DecodeFact(tipoff.KindCoupon, q.Body(), tipoff.Reading{Now: time.Now()})
		var c tipoff.Coupon
		if err := json.Unmarshal(q.Body(), &c); err != nil {
			t.Fatal(err)
		}
		if ids[c.ID] = true; err != nil || len(ids) != int(i+1) {
			t.Fatal(err, c)
		}
	}
}
