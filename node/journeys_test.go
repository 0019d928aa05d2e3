package node

import (
	"fmt"
	"testing"
	"time"

	"tipoff/http"
	"tipoff/state"
	"tipoff/topics"
)

// come are the stages that a coupon has come to.
func (j *journeys) come(t *testing.T, user, coupon string) (names []string) {
	t.Helper()
	way, ok := j.Journey("c", user, coupon)
	if !ok {
		return nil
	}
	if len(way) != int(stages) {
		t.Errorf("%d stages", len(way))
	}
	for _, s := range way {
		if (s.At == nil) != (s.Millis == nil) {
			t.Errorf("%+v", s)
		}
		if s.At != nil {
			names = append(names, s.Stage)
		}
	}
	return names
}

func TestJourneys_NoteTheStagesOfFollowedCouponsAlone(t *testing.T) {
	t.Parallel()
	j := new(journeys)
	value := func(coupons ...string) []byte {
		b := new(state.Bettor)
		for _, c := range coupons {
			b.Bets = append(b.Bets, state.Bet{Coupon: state.CouponIDRef(c) | 77, Legs: []state.BetLeg{{Event: 1}}})
		}
		return b.Marshal()
	}
	key := topics.Key("c", "u")
	j.value(stageView, key, value("one"))
	if j.on.Load() || j.come(t, "u", "one") != nil {
		t.Error("follows before anything is accepted")
	}
	j.Posted("c", "u", "one")
	j.Posted("c", "u", "two")
	j.Posted("c", "v", "one")
	if j.come(t, "u", "two") != nil {
		t.Error("one that is being published is shown as accepted")
	}
	j.OnTopic("c", "u", "two")
	j.OnTopic("c", "v", "one")
	j.value(stageView, key, []byte("no value"))
	j.value(stageView, key, nil)
	j.OnTopic("c", "u", "one")
	j.value(stageTable, key, value("another", "one"))
	j.value(stageView, key, value("another", "one"))
	j.reached(stageLearnt, key, state.CouponIDRef("one")|5)
	first, _ := j.Journey("c", "u", "one")
	j.value(stageView, key, value("one"))
	if again, _ := j.Journey("c", "u", "one"); !again[stageView].At.Equal(*first[stageView].At) {
		t.Error("a stage is not the first time")
	}
	for of, want := range map[string]string{"u one": "[accepted on the topic bettor's table view of the gateway learnt]", "u two": "[accepted on the topic]", "v one": "[accepted on the topic]"} {
		var user, coupon string
		fmt.Sscan(of, &user, &coupon)
		if got := fmt.Sprint(j.come(t, user, coupon)); got != want {
			t.Errorf("%s: %s, want %s", of, got, want)
		}
	}
	if _, ok := j.Journey("other", "u", "one"); ok {
		t.Error("another company sees it")
	}
}

// TestJourneys_CountAsAcceptedOnceTheBrokerHasTheCoupon: a post may be answered 503 or 429,
// and be repeated.
func TestJourneys_CountAsAcceptedOnceTheBrokerHasTheCoupon(t *testing.T) {
	t.Parallel()
	j := new(journeys)
	j.Posted("c", "u", "refused")
	j.Posted("c", "u", "lost") // its post is answered 503, and has arrived
	if j.come(t, "u", "refused") != nil || j.come(t, "u", "lost") != nil {
		t.Error("what the broker does not have is shown")
	}
	first := j.all[0]
	first.at[stageAccepted] = first.at[stageAccepted].Add(-journeyFor / 2)
	j.reached(stageDatabase, topics.Key("c", "u"), state.CouponIDRef("lost"))
	j.Posted("c", "u", "refused")
	j.Posted("c", "u", "lost")
	j.OnTopic("c", "u", "refused")
	way, _ := j.Journey("c", "u", "refused")
	if len(way) == 0 || way[stageTopic].Millis == nil || *way[stageTopic].Millis > float64(journeyFor.Milliseconds())/2 {
		t.Errorf("the post that was refused counts: %+v", way)
	}
	if got := fmt.Sprint(j.come(t, "u", "lost")); got != "[accepted in the database]" {
		t.Errorf("one that arrived all the same: %s", got)
	}
}

func TestJourneys_AreBoundedAndKeepThoseThatSomebodyLooksAt(t *testing.T) {
	t.Parallel()
	j := new(journeys)
	j.Posted("c", "u", "looked at")
	j.OnTopic("c", "u", "looked at")
	j.Journey("c", "u", "looked at")
	for i := range 3 * mostJourneys {
		j.Posted("c", fmt.Sprint("u", i%700), fmt.Sprint(i))
	}
	if len(j.all) != mostJourneys || len(j.byUser) > mostJourneys || j.come(t, "u", "looked at") == nil {
		t.Errorf("%d are followed, of %d users", len(j.all), len(j.byUser))
	}
	if j.find(topics.Key("c", "u0"), "0") != nil {
		t.Error("the oldest that nobody looks at stays")
	}
	for _, one := range j.all {
		one.at[stageAccepted] = time.Now().Add(-2 * journeyFor)
	}
	j.newest.Store(time.Now().Add(-2 * journeyFor).UnixNano())
	if j.of(topics.Key("c", "u")) != nil || j.on.Load() || len(j.all) != 0 || len(j.byUser) != 0 {
		t.Errorf("%d are followed after their time", len(j.all))
	}
}

func TestJourneys_GiveWayWhereEachIsLookedAt(t *testing.T) {
	t.Parallel()
	j := new(journeys)
	for i := range mostJourneys + 1 {
		id := fmt.Sprint(i)
		j.Posted("c", "u", id)
		j.OnTopic("c", "u", id)
		if j.come(t, "u", id) == nil {
			t.Fatalf("%d is not followed", i)
		}
	}
	if len(j.all) != mostJourneys || j.come(t, "u", "0") != nil || j.come(t, "u", "1") == nil {
		t.Errorf("%d are followed, and not the newest", len(j.all))
	}
}

// BenchmarkJourneys is what a change of a table costs that is of nobody who is followed.
func BenchmarkJourneys(b *testing.B) {
	for _, followed := range []int{0, mostJourneys} {
		j := new(journeys)
		for i := range followed {
			j.Posted("c", fmt.Sprint("u", i), "coupon")
		}
		b.Run(fmt.Sprint(followed), func(b *testing.B) {
			for b.Loop() {
				j.value(stageView, "c/another", nil)
			}
		})
	}
}

var _ http.Journeys = new(journeys)
