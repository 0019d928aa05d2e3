package http

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// noted is a port to journeys that notes what it is told.
type noted struct {
	mu   sync.Mutex
	said []string
}

func (n *noted) say(words ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said = append(n.said, strings.Join(words, " "))
}

func (n *noted) all() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.said, ", ")
}

func (n *noted) Posted(company, user, coupon string)  { n.say("posted", company, user, coupon) }
func (n *noted) OnTopic(company, user, coupon string) { n.say("published", company, user, coupon) }
func (n *noted) Journey(_, _, coupon string) ([]Stage, bool) {
	millis, at := 0.0, time.Now().UTC()
	return []Stage{{"accepted", &at, &millis}, {"learnt", nil, nil}}, coupon == "c1"
}

func TestJourney_IsFollowedOnlyWhileSomebodyLooks(t *testing.T) {
	n := new(noted)
	g := start(t, withStatus, func(o *Options) {
		api := *o.API()
		api.Journeys = n
		o.API = func() *API { return &api }
	})
	post := func(path, body string, status int) {
		t.Helper()
		g.want(g.ask("POST", path, body), status)
	}
	post("/v1/coupons", goodCoupon, 202)
	if said := n.all(); said != "" {
		t.Errorf("while nobody looks: %s", said)
	}
	g.want(g.ask("GET", "/v1/coupons/c2/journey?user_id=u1", ""), 404, "stream")
	g.want(g.ask("GET", "/v1/coupons/c1/journey", ""), 400, "user_id")
	g.want(g.ask("GET", "/v1/coupons/c1/journey?user_id=u1", ""), 200, `{"coupon_id":"c1"`, `"ms":0`, `"at":null,"ms":null`)
	post("/v1/coupons", goodCoupon, 202)
	post("/register_coupon", goodCoupon, 200)
	post("/v1/users", goodUser, 202)
	post("/v1/coupons", "["+strings.Repeat(goodCoupon+",", followMost)+goodCoupon+"]", 202) // too many
	want := "posted default u1 c1, published default u1 c1"
	if said := n.all(); said != want+", "+want {
		t.Errorf("after a question: %s", said)
	}
	g.server.journeyAsked.Store(0)
	_, a := g.open()
	defer a.Body.Close()
	post("/v1/coupons", goodCoupon, 202)
	if said := n.all(); strings.Count(said, "published") != 3 {
		t.Errorf("with a stream: %s", said)
	}
}
