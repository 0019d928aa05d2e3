package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/prometheus/client_golang/prometheus"

	"tipoff"
)

var noon = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)

const (
	goodUser   = `{"user_id":"u1","birth_year":1990,"country":"USA","currency":"USD","gender":"male","registration_date":"2023-05-17"}`
	goodEvent  = `{"event_id":"e1","begin_timestamp":"2026-05-18","end_timestamp":"2026-05-18","country":"USA","league":"L","sport":"S","participants":["A","B"]}`
	goodCoupon = `{"coupon_id":"c1","user_id":"u1","stake":50.5,"timestamp":"2020-01-01T01:05:01","selections":[{"event_id":"e1","odds":10.0}]}`
)

func TestOldRecommend_ReadsNAsTheOldServiceDid(t *testing.T) {
	g := start(t)
	for query, want := range map[string]tipoff.Query{
		"user_id=u":          {UserID: "u", N: 1, Followed: true},
		"user_id=u&n=-3":     {UserID: "u", N: 1, Followed: true},
		"user_id=u&n=0":      {UserID: "u", N: 1000, Followed: true},
		"user_id=u&n=7":      {UserID: "u", N: 7, Followed: true},
		"user_id=u&n=50000":  {UserID: "u", N: 1000, Followed: true},
		"user_id=u&n=2&x=y":  {UserID: "u", N: 2, Followed: true},
		"user_id=a%20b&n=2":  {UserID: "a b", N: 2, Followed: true},
		"user_id=%C3%BC&n=2": {UserID: "ü", N: 2, Followed: true},
	} {
		a := g.ask("GET", "/recommend?"+query, "")
		g.want(a, 200)
		if got := g.asked; got.UserID != want.UserID || got.N != want.N || got.Followed != want.Followed {
			t.Errorf("%s: asked %+v", query, got)
		}
	}
	g.want(g.ask("GET", "/recommend?user_id=u", ""), 200,
		`[{"id":`, `"event_id":"e0","begin_timestamp":"2026-05-18","end_timestamp":"2026-05-18","country":"USA","league":"L","participants":["A"],"sport":"S"}]`)
	g.items = 0
	if a := g.ask("GET", "/recommend?user_id=u", ""); a.body != "[]" {
		t.Errorf("without events: %s", a.body)
	}
	for _, query := range []string{"", "user_id=", "user_id=u&n=many", "user_id=u&n=1.5", "user_id=" + strings.Repeat("x", 51)} {
		g.want(g.ask("GET", "/recommend?"+query, ""), 400, `{"error":"`)
	}
}

func TestRecommendations_ReadEveryParameter(t *testing.T) {
	g := start(t)
	a := g.ask("GET", "/v1/recommendations?user_id=u&n=2&sport=S&league=L&country=C&within=36h30m&exclude=a,b&exclude=c&diversity=0.4&max_per_league=3&scenario=bet-slip", "")
	g.want(a, 200, `"recommendation_id":"`, `"items":[{"event":{"event_id":"e0"`, `"reason":{"code":"POPULAR"`, `"cold_start":true`)
	want := tipoff.Query{
		UserID: "u", N: 2, Sport: "S", League: "L", Country: "C", Within: 36*time.Hour + 30*time.Minute,
		Exclude: []string{"a", "b", "c"}, Diversity: 0.4, MaxPerLeague: 3,
	}
	if fmt.Sprint(g.asked) != fmt.Sprint(want) {
		t.Errorf("asked %+v, want %+v", g.asked, want)
	}
	g.ask("GET", "/v1/recommendations?user_id=u", "")
	if g.asked.N != 10 || g.asked.Diversity != tipoff.DefaultVariety {
		t.Errorf("asked %+v", g.asked)
	}
	g.ask("GET", "/v1/recommendations?user_id=u&scenario=bet-slip", "")
	if g.asked.Diversity != 0 {
		t.Errorf("asked %+v", g.asked)
	}
	g.ask("GET", "/v1/recommendations?user_id=u&scenario=similar&diversity=0.3", "")
	if g.asked.Diversity != 0.3 || !g.asked.Followed {
		t.Errorf("asked %+v", g.asked)
	}
	g.items = 0
	g.want(g.ask("GET", "/v1/recommendations?user_id=u", ""), 200, `"items":[]`, `"empty_because":"no event is open"`)
}

func TestRecommendations_NameTheParameterAndTheBound(t *testing.T) {
	g := start(t)
	for query, part := range map[string]string{
		"":                           `"field":"user_id","message":"is required"`,
		"user_id=%20":                "white space",
		"user_id=%ff":                "UTF-8",
		"user_id=u&n=0":              `"field":"n","message":"must be an integer from 1 to 100`,
		"user_id=u&n=101":            `"field":"n","message":"must be an integer from 1 to 100`,
		"user_id=u&n=ten":            `"field":"n","message":"must be an integer from 1 to 100`,
		"user_id=u&within=two":       `"field":"within","message":"must be a duration above 0 to 8784h`,
		"user_id=u&within=-1h":       `"field":"within","message":"must be a duration above 0 to 8784h`,
		"user_id=u&within=9000h":     `"field":"within","message":"must be a duration above 0 to 8784h`,
		"user_id=u&diversity=NaN":    `"field":"diversity","message":"must be a number from 0 to 1`,
		"user_id=u&diversity=1.1":    `"field":"diversity","message":"must be a number from 0 to 1`,
		"user_id=u&max_per_league=0": `"field":"max_per_league","message":"must be an integer from 1 to 100`,
		"user_id=u&scenario=push":    `"field":"scenario","message":"must be one of home, bet-slip, similar`,
		"user_id=u&sport=" + strings.Repeat("x", 51):     `"field":"sport","message":"must have at most 50 characters`,
		"user_id=u&exclude=" + strings.Repeat("x,", 201): `"field":"exclude","message":"must name at most 200 ids, names 201`,
		"user_id=u&spport=x":                             `"field":"spport","message":"is not a parameter of this route`,
		"user_id=u&user_id=v":                            `"field":"user_id","message":"must be given once`,
	} {
		g.want(g.ask("GET", "/v1/recommendations?"+query, ""), 400, part)
	}
}

func TestReading(t *testing.T) {
	g := start(t)
	g.want(g.ask("GET", "/v1/events/e1", ""), 200, `"event_id":"e1","begin_timestamp":"2026-05-18T13:00:00Z"`)
	g.want(g.ask("GET", "/v1/events/a%2Fb%20%C3%BC", ""), 200, `"event_id":"a/b ü"`)
	g.want(g.ask("GET", "/v1/events/past", ""), 200, `"event_id":"past"`)
	g.want(g.ask("GET", "/v1/events/none", ""), 404, "not found")
	g.want(g.ask("GET", "/v1/events", ""), 200, "from memory", `"cursor":"next"`)
	g.want(g.ask("GET", "/v1/events?status=any", ""), 200, "from the archive")
	g.want(g.ask("GET", "/v1/events?status=finished&from=2026-01-01&until=2026-02-01T10:00:00Z&sport=S&league=L&n=5", ""), 200, "from the archive")
	g.want(g.ask("GET", "/v1/events?status=won&from=soon&n=501", ""), 400, `"field":"status","message":"must be one of`, `"field":"from","message":"must be a date`, `"field":"n","message":"must be an integer from 1 to 500`)
	g.want(g.ask("GET", "/v1/users/u1", ""), 200, `"user_id":"u1"`, `"registration_date":"2023-05-17T00:00:00Z"`)
	g.want(g.ask("GET", "/v1/users/u2", ""), 404)
	g.want(g.ask("GET", "/v1/users/u1/affinities", ""), 200, `"sports":[{"name":"S","weight":1,"share":1}]`)
	g.want(g.ask("GET", "/v1/users/u2/affinities", ""), 404)
	g.want(g.ask("GET", "/v1/users/u1/coupons?n=5", ""), 200, `"coupons":[{"coupon_id":"c1"`)
	g.want(g.ask("GET", "/v1/users/u1?x=1", ""), 400, `"field":"x","message":"is not a parameter`)
	g.want(g.ask("GET", "/v1/popular?n=1&sport=S&country=C", ""), 200, `"score":2,"bets":3,"outcomes":[{"market":"m","outcome":"o","bets":1}]`)
	g.fails = tipoff.Unavailable("read", errors.New("away"))
	g.want(g.ask("GET", "/v1/users/u1/coupons", ""), 503)
	g.want(g.ask("GET", "/v1/events?status=any", ""), 503)
	g.want(g.ask("GET", "/v1/events/none", ""), 503)
	g.want(g.ask("GET", "/v1/users/u1", ""), 200)
	g.want(g.ask("GET", "/v1/events", ""), 200)
}

func TestKey(t *testing.T) {
	g := start(t, func(o *Options) { o.Key = "secret" })
	for _, path := range []string{"/hello", "/healthz", "/readyz"} {
		g.want(g.ask("GET", path, ""), 200)
	}
	for _, path := range []string{"/v1/recommendations?user_id=u", "/recommend?user_id=u", "/metrics"} {
		g.want(g.ask("GET", path, ""), 401)
		g.want(g.ask("GET", path, "", "X-API-Key", "wrong"), 401)
		g.want(g.ask("GET", path, "", "Authorization", "Basic secret"), 401)
		g.want(g.ask("GET", path, "", "X-API-Key", "secret"), 200)
		g.want(g.ask("GET", path, "", "Authorization", "Bearer secret"), 200)
	}
	g.want(g.ask("POST", "/register_user", goodUser), 401, `{"error":`)
	if len(g.published) != 0 {
		t.Error("something was published without a key")
	}
}

func TestStart_WarnsWhenAnyoneCanReachIt(t *testing.T) {
	g := start(t, func(o *Options) { o.Addr = "0.0.0.0:0" })
	if !strings.Contains(g.logged.String(), "TIPOFF_API_KEY") {
		t.Errorf("logged %q", g.logged)
	}
	g = start(t)
	if g.logged.String() != "" {
		t.Errorf("on loopback: logged %q", g.logged)
	}
	if _, err := Start(Options{Addr: "nowhere:x", Registry: prometheus.NewRegistry()}); err == nil || !strings.Contains(err.Error(), "TIPOFF_ADDR") {
		t.Errorf("%v", err)
	}
}

func TestRequestID_IsEchoedOrMade(t *testing.T) {
	g := start(t)
	if a := g.ask("GET", "/hello", "", "X-Request-Id", "mine-7"); a.header.Get("X-Request-Id") != "mine-7" {
		t.Errorf("X-Request-Id = %q", a.header.Get("X-Request-Id"))
	}
	one, two := g.ask("GET", "/hello", "").header.Get("X-Request-Id"), g.ask("GET", "/v1/nothing", "").header.Get("X-Request-Id")
	if one == "" || two == "" || one == two {
		t.Errorf("made ids %q and %q", one, two)
	}
}

func TestOperations(t *testing.T) {
	state := Readiness{Parts: []Part{{Name: "kafka", Ready: true, Detail: "takes records"}, {Name: "view", Needed: true, Detail: "catches up", Lag: 7}}}
	g := start(t, func(o *Options) { o.Readiness = func() Readiness { return state } })
	g.want(g.ask("GET", "/healthz", ""), 200, `{"status":"ok"}`)
	g.want(g.ask("GET", "/readyz", ""), 503, `"ready":false`, `{"name":"view","ready":false,"needed":true,"detail":"catches up","lag":7}`)
	yes, no, age := true, false, 2.5
	state.Ready, state.Accepts, state.Fresh, state.Parts[1].Age = true, &no, &yes, &age
	g.want(g.ask("GET", "/readyz", ""), 200, `"accepts":false,"fresh":true`, `"age_seconds":2.5`)
	g.want(g.ask("GET", "/readyz", ""), 200, `{"ready":true`)
	g.ask("GET", "/v1/events/none", "")
	g.want(g.ask("GET", "/metrics", ""), 200, `tipoff_http_requests_total{method="GET",route="/v1/events/{event_id}",status="404"} 1`,
		`tipoff_http_request_duration_seconds_bucket{method="GET",route="/readyz",le="+Inf"} 3`)
	g.want(g.ask("GET", "/nothing", ""), 404, `{"error":`)
	g.want(g.ask("GET", "/v1/nothing", ""), 404, `"title":"no such route"`)
	a := g.ask("DELETE", "/v1/users", "")
	g.want(a, 405, `"title":"method not allowed"`)
	if allow := a.header.Get("Allow"); !strings.Contains(allow, "POST") {
		t.Errorf("Allow = %q", allow)
	}
}

func TestReadyz_TellsDetailsToThoseWithTheKey(t *testing.T) {
	part := Part{Name: "database", Detail: "user root at 10.0.0.7", Lag: 7}
	g := start(t, func(o *Options) {
		o.Key, o.Readiness = "secret", func() Readiness { return Readiness{Parts: []Part{part}} }
	})
	without, with := g.ask("GET", "/readyz", ""), g.ask("GET", "/readyz", "", "X-API-Key", "secret")
	g.want(without, 503, `{"name":"database","ready":false,"needed":false,"lag":7}`)
	g.want(with, 503, `"detail":"user root at 10.0.0.7"`)
	g.want(g.ask("GET", "/readyz", "", "X-API-Key", "other"), 503, `"needed":false,"lag":7}`)
}

func TestARoleWithoutAPI_ServesItsHealthAlone(t *testing.T) {
	g := start(t, func(o *Options) { o.API = nil })
	g.want(g.ask("GET", "/healthz", ""), 200)
	g.want(g.ask("GET", "/metrics", ""), 200)
	g.want(g.ask("GET", "/v1/recommendations?user_id=u", ""), 404)
	starting := start(t, func(o *Options) { o.API = func() *API { return nil } })
	starting.want(starting.ask("GET", "/v1/recommendations?user_id=u", ""), 503, "starting")
	starting.want(starting.ask("POST", "/v1/users", goodUser), 503, "starting")
}

func TestAPanicOfOurs_IsA500AndNothingElse(t *testing.T) {
	g := start(t, func(o *Options) { o.Now = func() time.Time { panic("oops") } })
	g.want(g.ask("POST", "/v1/users", goodUser), 500)
	if !strings.Contains(g.logged.String(), "oops") {
		t.Errorf("logged %q", g.logged)
	}
	g.want(g.ask("GET", "/healthz", ""), 200)
}

func TestServer_SurvivesWhatIsNotHTTP(t *testing.T) {
	g := start(t)
	u, _ := url.Parse(g.server.URL())
	for _, sent := range []string{
		"\x00\x01\x02\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST /v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
		"POST /v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", "POST /v1/users HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"GET /" + strings.Repeat("x", 70_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("y", 70_000) + "\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, sent)
		_ = conn.(*net.TCPConn).CloseWrite()
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		line := make([]byte, 12)
		n, _ := io.ReadFull(conn, line)
		if n == 12 && (line[9] != '4' && line[9] != '5') {
			t.Errorf("%.40q: answered %q", sent, line)
		}
		conn.Close()
	}
	g.want(g.ask("GET", "/healthz", ""), 200)
}

func TestClose_AnswersRequestsUnderWay(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	p := &ports{}
	slow := &API{Publisher: publish(func() error { close(entered); <-leave; return nil }), Recommender: p, Archive: archive{p}}
	server, err := Start(Options{
		Addr: "127.0.0.1:0", API: func() *API { return slow }, Registry: prometheus.NewRegistry(), Readiness: func() Readiness { return Readiness{} },
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	status := make(chan int)
	go func() {
		a, err := http.Post(server.URL()+"/v1/users", "application/json", strings.NewReader(goodUser))
		if err != nil {
			t.Error(err)
			close(status)
			return
		}
		a.Body.Close()
		status <- a.StatusCode
	}()
	<-entered
	closed := make(chan error)
	go func() { closed <- server.Close(context.Background()) }()
	close(leave)
	if got := <-status; got != 202 {
		t.Errorf("status %d", got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestFault_OrderIsStable(t *testing.T) {
	g := start(t)
	first := g.ask("GET", "/v1/recommendations?b=1&a=1&c=1", "").body
	for range 5 {
		if again := g.ask("GET", "/v1/recommendations?b=1&a=1&c=1", "").body; again != first {
			t.Fatalf("%s, then %s", first, again)
		}
	}
	var p problem
	if err := json.Unmarshal([]byte(first), &p); err != nil || !slices.IsSortedFunc(p.Errors, func(a, b tipoff.Fault) int { return strings.Compare(a.Field, b.Field) }) {
		t.Errorf("%s, %v", first, err)
	}
}

func TestClose_EndsAServerThatHasHardlyBegun(t *testing.T) {
	for range 200 {
		server, err := Start(Options{Addr: "127.0.0.1:0", Registry: prometheus.NewRegistry(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if err := server.Close(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
}

func TestServer_DoesNotWaitForSlowClients(t *testing.T) {
	g := start(t, func(o *Options) { o.ReadTimeout = 200 * time.Millisecond })
	u, _ := url.Parse(g.server.URL())
	for sent, want := range map[string]string{
		"POST /v1/users HTTP/1.1\r\nHost: localhost\r\nX-Slow":                                                         "",
		"POST /v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{": "408",
	} {
		conn, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, sent)
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		answer, err := io.ReadAll(conn) // ends when the server closes
		if err != nil || !strings.Contains(string(answer), want) {
			t.Errorf("%.40q: answered %q, %v", sent, answer, err)
		}
		conn.Close()
	}
	if len(g.published) != 0 {
		t.Error("half a body was published")
	}
}

func TestExplanations_ReadTheQuestionAndSayWhyNot(t *testing.T) {
	g := start(t)
	g.want(g.ask("GET", "/v1/explanations?user_id=u&event_id=e1&ranker=popular&n=3&scenario=bet-slip", ""), 200,
		`"score":0.5,"rank":2,"reason":{"code":"POPULAR"`, `"contribution":0.5`, `"at":"2026-05-17T12:00:00Z"`)
	if want := (tipoff.Query{UserID: "u", N: 3, Ranker: "popular"}); fmt.Sprint(g.asked) != fmt.Sprint(want) {
		t.Errorf("asked %+v, want %+v", g.asked, want)
	}
	g.want(g.ask("GET", "/v1/explanations?user_id=u&event_id=none", ""), 404, `"detail":"nothing is known under this id"`)
	g.want(g.ask("GET", "/v1/explanations?user_id=u&event_id=bet", ""), 409, `"detail":"the user has bet on it"`)
	g.want(g.ask("GET", "/v1/explanations?ranker=best", ""), 400, `"field":"user_id","message":"is required"`, `"field":"event_id","message":"is required"`,
		`"field":"ranker","message":"must be one of similar, popular, affinity, cf, tipoff"`)
	g.want(g.ask("GET", "/v1/recommendations?user_id=u&ranker=cf", ""), 200)
	if g.asked.Ranker != "cf" {
		t.Errorf("asked %+v", g.asked)
	}
}

func TestQuality_IsAsDescribedWithAndWithoutGrades(t *testing.T) {
	g := start(t)
	g.want(g.ask("GET", "/v1/quality", ""), 200, `"spans":[{"from":"2026-05-17T12:00:00Z","coupons":4,"ndcg":0.5,"hr":0.75,"popular_ndcg":0.25,"popular_hr":null,"band":[0.4,0.6]}]`,
		`"last_hour":{"coupons":4`, `"coverage":{"events":0.5`, `"weights":[{"term":"taste","weight":-1.5}]`)
	g.want(g.ask("GET", "/v1/quality?user_id=u", ""), 400, `"field":"user_id","message":"is not a parameter`)
	g.items = 0
	g.want(g.ask("GET", "/v1/quality", ""), 200, `"spans":[],"hours":[],"last_hour":null,"last_day":null,"coverage":null,"weights":[],"weights_over_time":[]`)
}

func TestCounts_ArePutTogetherFromArchiveAndMemory(t *testing.T) {
	g := start(t)
	g.want(g.ask("GET", "/v1/events/e1/counts", ""), 200, `"bets":3`, `{"market":"1x2","outcome":"1x2","bets":2,"stake":12.5},{"market":null,"outcome":null,"bets":1,"stake":1}`,
		`"hours":[{"from":"2026-05-17T12:00:00Z","bets":3,"outcomes":[{"market":null,"outcome":null,"bets":3}],"countries":[{"country":"Spain","bets":3}]}]`,
		`"neighbours":[{"event":{"event_id":"e2"`, `"held":{"bets":3,"bettors_held":2,"first_bet":"2026-05-17T12:00:00Z","last_bet":null,"open":true}`)
	g.want(g.ask("GET", "/v1/events/past/counts", ""), 200, `"bets":0,"sampled_of":1,"outcomes":[],"countries":[],"hours":[],"neighbours":[],"held":null`)
	g.want(g.ask("GET", "/v1/events/none/counts", ""), 404)
	g.want(g.ask("GET", "/v1/events/e1/counts?n=1", ""), 400, `"field":"n","message":"is not a parameter`)
	g.fails = tipoff.Unavailable("read", errors.New("away"))
	g.want(g.ask("GET", "/v1/events/e1/counts", ""), 503)
}
