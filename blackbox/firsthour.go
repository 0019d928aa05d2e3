package blackbox

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strconv"
	"testing"
	"time"

	"tipoff"
	"tipoff/broker"
	"tipoff/processors"
	"tipoff/topics"
)

// firstHourSports are what the bettors of a first hour follow, one each.
var firstHourSports = []string{"tennis", "mma", "football", "golf"}

// FirstHours lets 7, 60 and 240 bets come in and asks what everybody sees: the first
// bettor bets on tennis alone, another on two fights, and 28 more on one sport each.
func FirstHours(t *testing.T, address string, c *broker.Cluster) {
	publisher, err := c.NewPublisher(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.Close()
	h := &firstHour{Service: &Service{t, address, fmt.Sprintf("%x", rand.Uint32())}, publisher: publisher, bets: map[string]int{}}
	for i := range 20 {
		for _, sport := range firstHourSports {
			e := h.Event(fmt.Sprint(sport, i), fmt.Sprint(sport, " league ", i%3))
			e.Sport = sport
			h.Post("/v1/events", 202, e)
		}
	}
	h.Eventually(func() error { // the learner follows the same tables
		if known := len(h.old("newcomer", "&n=0")); known != 80 {
			return fmt.Errorf("%d events are known, want 80", known)
		}
		return nil
	})
	for range 5 {
		h.bet(0)
	}
	h.bet(1)
	h.bet(1)
	h.wantEverybodySeesHisSport()
	for _, coupons := range []int{60, 240} {
		for h.coupons < coupons {
			h.bet(h.coupons % 30)
		}
		h.wantEverybodySeesHisSport()
	}
}

type firstHour struct {
	*Service
	publisher *broker.Publisher
	coupons   int
	bets      map[string]int // by user
}

// bet lets a user bet on an event of his sport that he has not bet on yet.
func (h *firstHour) bet(user int) {
	h.Helper()
	name := fmt.Sprint("u", user)
	h.coupons++
	event := fmt.Sprint(firstHourSports[user%4], (user+h.bets[name])%20)
	h.Post("/v1/coupons", 202, h.Coupon(fmt.Sprint("c", h.coupons), name, event))
	h.bets[name]++
}

var learntCoupons = regexp.MustCompile(`tipoff_learner_coupons_total\{company="default"\} (\d+)`)

// wantLearnt waits until a model has learnt from the coupons, but for the first ones,
// which may come before the learner has seen their events. It asks for the model to be
// written, which else is done every ten seconds.
func (h *firstHour) wantLearnt() {
	h.Helper()
	write := processors.RewriteModel(topics.TableSet{}, topics.Key(tipoff.DefaultCompany, topics.ModelID))
	if err := h.publisher.Publish(h.Context(), []topics.Record{write}); err != nil {
		h.Fatal(err)
	}
	h.Eventually(func() error {
		_, metrics, _ := h.Send("GET", "/metrics", "")
		steps := 0
		if found := learntCoupons.FindStringSubmatch(metrics); found != nil {
			steps, _ = strconv.Atoi(found[1])
		}
		if steps < h.coupons-7 {
			return fmt.Errorf("the model has learnt from %d of %d coupons", steps, h.coupons)
		}
		return nil
	})
}

func (h *firstHour) wantEverybodySeesHisSport() {
	h.Helper()
	for user, bets := range h.bets {
		h.WantBets(user, uint64(bets))
	}
	h.wantLearnt()
	first := 0
	for user := range h.bets {
		n, _ := strconv.Atoi(user[1:])
		sport := firstHourSports[n%4]
		for _, diversity := range []string{"", "&diversity=0"} {
			var r tipoff.Recommendation
			if err := h.Get("/v1/recommendations?n=5&user_id="+url.QueryEscape(h.ID(user))+diversity, &r); err != nil {
				h.Fatal(err)
			}
			seen := 0
			for _, item := range r.Items {
				if item.Event.Sport == sport {
					seen++
				}
			}
			if len(r.Items) != 5 || seen < 4 {
				h.Errorf("after %d bets, %s, who bets on %s alone, sees %d of it: %+v", h.coupons, user, sport, seen, r.Items)
			}
			if len(r.Items) > 0 && r.Items[0].Event.Sport == sport {
				first++
			}
		}
		h.wantOldRouteOf(user, sport)
	}
	if first < 2*len(h.bets) {
		h.Errorf("after %d bets, %d of %d lists begin with the bettor's sport", h.coupons, first, 2*len(h.bets))
	}
	for query, n := range map[string]int{"": 1, "&n=0": 80, "&n=7": 7} { // who follows nothing sees what is popular
		if list := h.old("newcomer", query); len(list) != n {
			h.Errorf("after %d bets, a newcomer is shown %d events for %q, want %d", h.coupons, len(list), query, n)
		}
	}
}

// wantOldRouteOf wants events of one sport alone, whatever number is asked for.
func (h *firstHour) wantOldRouteOf(user, sport string) {
	h.Helper()
	left := 20 - h.bets[user]
	for query, n := range map[string]int{"": 1, "&n=-2": 1, "&n=0": left, "&n=5": 5, "&n=70": left} {
		list := h.old(user, query)
		if len(list) != n {
			h.Errorf("after %d bets, %s is shown %d events for %q, want %d", h.coupons, user, len(list), query, n)
		}
		for _, e := range list {
			if e.Sport != sport {
				h.Errorf("after %d bets, %s follows %s and is shown %s of %s for %q", h.coupons, user, sport, e.ID, e.Sport, query)
			}
		}
	}
}

// oldItem is what the old route shows of an event.
type oldItem struct {
	ID    string `json:"event_id"`
	Sport string `json:"sport"`
}

func (h *firstHour) old(user, query string) (list []oldItem) {
	h.Helper()
	if err := h.Get("/recommend?user_id="+url.QueryEscape(h.ID(user))+query, &list); err != nil {
		h.Fatal(err)
	}
	return list
}
