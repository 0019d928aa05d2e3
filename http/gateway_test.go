package http

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tipoff"
	"tipoff/topics"
)

// ports are all three ports of the gateway, played by the test.
type ports struct {
	mu        sync.Mutex
	published []topics.Record
	asked     tipoff.Query
	fails     error // of publishing, and of the archive
	items     int   // of a recommendation
}

func (p *ports) Publish(_ context.Context, records []topics.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails != nil {
		return p.fails
	}
	p.published = append(p.published, records...)
	return nil
}

func (p *ports) event(id string) tipoff.Event {
	return tipoff.Event{
		ID: id, Begin: noon.Add(25 * time.Hour), End: noon.Add(26 * time.Hour), Country: "USA", League: "L", Sport: "S",
		Participants: []string{"A"}, Status: tipoff.StatusOpen,
	}
}

func (p *ports) Recommend(company string, q tipoff.Query, now time.Time) tipoff.Recommendation {
	p.mu.Lock()
	defer p.mu.Unlock()
	if company != tipoff.DefaultCompany || !now.Equal(noon) {
		panic("another company or moment")
	}
	p.asked = q
	r := tipoff.Recommendation{UserID: q.UserID, Items: []tipoff.Item{}, ColdStart: true, EmptyBecause: "no event is open"}
	for i := range min(q.N, p.items) {
		r.Items = append(r.Items, tipoff.Item{Event: &tipoff.Offered{Event: p.event(fmt.Sprint("e", i))}, Score: 1.5, Reason: tipoff.Reason{Code: tipoff.ReasonPopular}})
		r.EmptyBecause = ""
	}
	return r
}

func (p *ports) Explain(_, event string, q tipoff.Query, now time.Time) (tipoff.Explanation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = q
	place, e := 2, p.event(event)
	switch event {
	case "none":
		return tipoff.Explanation{}, fmt.Errorf("event %s: %w", event, tipoff.ErrNotFound)
	case "bet":
		return tipoff.Explanation{}, &tipoff.Refusal{Kind: tipoff.ErrConflict, Reason: "the user has bet on it"}
	}
	return tipoff.Explanation{
		UserID: q.UserID, Event: &tipoff.Offered{Event: e}, Ranker: tipoff.RankerTipoff, Formula: "linear", Score: 0.5, Rank: &place,
		Reason: &tipoff.Reason{Code: tipoff.ReasonPopular}, Terms: []tipoff.Term{{Name: "bets ever", Value: 1, Weight: 0.5, Contribution: 0.5, Words: "bets"}}, At: now,
	}, nil
}

func (p *ports) Quality(_ string, now time.Time) tipoff.Quality {
	popular := 0.25
	span := tipoff.LiveSpan{Coupons: 4, NDCG: 0.5, HR: 0.75, PopularNDCG: &popular, PopularHR: &popular, Band: [2]float64{0.4, 0.6}}
	q := tipoff.Quality{Ranker: tipoff.RankerTipoff, WindowSeconds: 3600, Spans: []tipoff.LiveSpan{}, Weights: []tipoff.TermWeight{}, WeightsOverTime: []tipoff.WeightsThen{}}
	if p.items == 0 {
		return q
	}
	q.Leader, q.LastHour, q.LastDay = "linear", &span, &span
	q.Spans = append(q.Spans, span)
	q.Spans[0].From, q.Spans[0].PopularHR = now, nil
	q.Coverage = &tipoff.Coverage{Events: 0.5, Gini: 0.25, Leagues: []tipoff.LeagueShowing{{League: "L", Sport: "S", Events: 2, Shown: 1, Share: 1}}}
	q.Weights = []tipoff.TermWeight{{Term: "taste", Weight: -1.5}}
	q.WeightsOverTime = []tipoff.WeightsThen{{At: now, Weights: map[string]float64{"taste": -1.5}}}
	return q
}

func (p *ports) Held(_, event string, now time.Time) ([]tipoff.Neighbour, *tipoff.HeldEvent, bool) {
	if event != "e1" {
		return []tipoff.Neighbour{}, nil, false
	}
	return []tipoff.Neighbour{{Event: &tipoff.Offered{Event: p.event("e2")}, Weight: 0.5}}, &tipoff.HeldEvent{Bets: 3, Bettors: 2, FirstBet: &now, Open: true}, true
}

func (p *ports) Known(string, *tipoff.Coupon) string { return "known" }

func (p *ports) Popular(string, string, string, int, time.Time) []tipoff.PopularEvent {
	return []tipoff.PopularEvent{{Event: p.event("e1"), Score: 2, Bets: 3, Outcomes: []tipoff.PopularOutcome{{Market: "m", Outcome: "o", Bets: 1}}}}
}

func (p *ports) Event(_, id string) (tipoff.Event, bool) {
	return p.event(id), id == "e1" || id == "a/b ü"
}

func (p *ports) OpenEvents(string, tipoff.EventFilter, time.Time) ([]tipoff.Event, string, error) {
	return []tipoff.Event{p.event("from memory")}, "next", nil
}

func (p *ports) User(_, id string) (tipoff.User, bool) {
	u, err := tipoff.DecodeUser([]byte(goodUser), tipoff.Reading{Now: noon})
	return u, err == nil && id == "u1"
}

func (p *ports) Affinities(_, id string, _ time.Time) (tipoff.Affinities, bool) {
	none := []tipoff.Affinity{}
	return tipoff.Affinities{UserID: id, Bets: 1, Sports: []tipoff.Affinity{{Name: "S", Weight: 1, Share: 1}}, Leagues: none, Teams: none, Markets: none, Odds: none}, id == "u1"
}

// archive is the port to the past.
type archive struct{ *ports }

func (a archive) Event(_ context.Context, _, id string) (tipoff.Event, error) {
	if a.fails != nil {
		return tipoff.Event{}, a.fails
	}
	if id != "past" {
		return tipoff.Event{}, fmt.Errorf("event %s: %w", id, tipoff.ErrNotFound)
	}
	return a.event(id), nil
}

func (a archive) Events(context.Context, string, tipoff.EventFilter) ([]tipoff.Event, string, error) {
	return []tipoff.Event{a.event("from the archive")}, "", a.fails
}

func (a archive) Coupons(context.Context, string, string, string, int) ([]tipoff.Coupon, string, error) {
	c, err := tipoff.DecodeCoupon([]byte(goodCoupon), tipoff.Reading{Now: noon})
	return []tipoff.Coupon{c}, "", errors.Join(err, a.fails)
}

// letters is the port to the dead letters.
type letters struct{ *ports }

func (l letters) DeadLetters(_ context.Context, company string, f tipoff.DeadLetterFilter) (page tipoff.DeadLetterPage, err error) {
	cursor := "next"
	page.Rejected = []tipoff.DeadLetter{{ID: "3-1287", Reason: cmp.Or(f.Reason, "invalid"), Detail: fmt.Sprint(company, f.N, f.Cursor), At: noon, Value: "{"}}
	page.Cursor, page.Counts = &cursor, []tipoff.ReasonCount{{Reason: "invalid", Records: 2}}
	return page, l.fails
}

func (l letters) Retry(_ context.Context, _, id string) (string, error) {
	switch id {
	case "3-1287":
		return topics.Coupons, l.fails
	case "3-1288":
		return "", &tipoff.Conflict{Why: "it was sent again already"}
	}
	return "", fmt.Errorf("not here: %w", tipoff.ErrNotFound)
}

func (a archive) Counts(_ context.Context, _, event string) (tipoff.EventCounts, error) {
	c := tipoff.EventCounts{EventID: event, SampledOf: 1, Outcomes: []tipoff.OutcomeCount{}, Countries: []tipoff.CountryCount{}, Hours: []tipoff.HourCount{}}
	if event == "e1" {
		market := "1x2"
		c.Bets, c.Outcomes = 3, append(c.Outcomes, tipoff.OutcomeCount{Market: &market, Outcome: &market, Bets: 2, Stake: 12.5}, tipoff.OutcomeCount{Bets: 1, Stake: 1})
		c.Countries = append(c.Countries, tipoff.CountryCount{Country: "Spain", Bets: 3})
		c.Hours = append(c.Hours, tipoff.HourCount{From: noon, Bets: 3, Outcomes: []tipoff.OutcomeCount{{Bets: 3}}, Countries: c.Countries})
	}
	return c, a.fails
}

// gateway is a running server and what is behind it.
type gateway struct {
	*testing.T
	*ports
	server *Server
	logged *journal
}

// journal is a log that a test reads while the server writes it.
type journal struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lines.String()
}

func start(t *testing.T, change ...func(*Options)) *gateway {
	t.Helper()
	p := &ports{items: 3}
	g := &gateway{T: t, ports: p, logged: new(journal)}
	api := &API{Publisher: p, Recommender: p, Archive: archive{p}, DeadLetters: letters{p}}
	o := Options{
		Addr: "127.0.0.1:0", API: func() *API { return api }, Registry: prometheus.NewRegistry(),
		Readiness: func() Readiness {
			return Readiness{Ready: true, Parts: []Part{{Name: "kafka", Ready: true, Detail: "takes records"}}}
		},
		Log: slog.New(slog.NewTextHandler(g.logged, nil)), Now: func() time.Time { return noon },
	}
	for _, c := range change {
		c(&o)
	}
	server, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	g.server = server
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := server.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return g
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request and compares the response with the description.
func (g *gateway) ask(method, path, body string, header ...string) answer {
	g.Helper()
	q, err := http.NewRequest(method, g.server.URL()+path, strings.NewReader(body))
	if err != nil {
		g.Fatal(err)
	}
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		q.Header.Set(header[i], header[i+1])
	}
	if host := q.Header.Get("Host"); host != "" {
		q.Host = host
	}
	a, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		g.Fatalf("%s %s: %v", method, path, err)
	}
	defer a.Body.Close()
	got, err := io.ReadAll(a.Body)
	if err != nil {
		g.Fatalf("%s %s: %v", method, path, err)
	}
	described(g.T, q, a, got)
	return answer{a.StatusCode, a.Header, string(got)}
}

func (g *gateway) want(a answer, status int, parts ...string) {
	g.Helper()
	if a.status != status {
		g.Errorf("status %d, want %d: %s", a.status, status, a.body)
	}
	for _, part := range parts {
		if !strings.Contains(a.body, part) {
			g.Errorf("%s\nwant in it %s", a.body, part)
		}
	}
}

type publish func() error

func (p publish) Publish(context.Context, []topics.Record) error { return p() }
