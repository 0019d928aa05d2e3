package http

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"tipoff"
	"tipoff/topics"
)

// startFleet starts two gateways that share the bettors; own says which each takes
// itself for.
func startFleet(t *testing.T, own [2]int, change ...func(*Options)) (fleet [2]*gateway, urls []string) {
	t.Helper()
	var listeners [2]net.Listener
	for i := range listeners {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners[i] = l
		urls = append(urls, "http://"+l.Addr().String())
	}
	for i := range fleet {
		fleet[i] = start(t, append(change, func(o *Options) {
			o.listener, o.Fleet = listeners[i], Fleet{Nodes: urls, Own: own[i]}
		})...)
	}
	return fleet, urls
}

// userOf is a user whom one of two gateways has, with odd characters in his id.
func userOf(node int) string {
	for i := 0; ; i++ {
		id := fmt.Sprintf("ü/%%2F ?&#+%d", i)
		if topics.PartitionOf([]byte(topics.Key(tipoff.DefaultCompany, id)), 2) == node {
			return id
		}
	}
}

func (g *gateway) lastAsked() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked.UserID
}

func TestFleet_TheGatewayAnswersThatHasTheUser(t *testing.T) {
	fleet, _ := startFleet(t, [2]int{0, 1}, func(o *Options) { o.Key = "secret" })
	for has, g := range fleet {
		user, other := userOf(has), fleet[1-has]
		for _, path := range []string{"/v1/recommendations?n=2&user_id=", "/recommend?n=2&user_id="} {
			g.asked.UserID, other.asked.UserID = "", ""
			path += url.QueryEscape(user)
			direct := g.ask("GET", path, "", "X-API-Key", "secret")
			g.asked.UserID = ""
			through := other.ask("GET", path, "", "Authorization", "Bearer secret", "Cache-Control", "no-cache", "X-Request-Id", "mine")
			g.want(through, 200, `"e0"`, `"e1"`)
			if g.lastAsked() != user || other.lastAsked() != "" || !g.asked.Fresh && strings.HasPrefix(path, "/v1") {
				t.Errorf("%s: asked %+v, the other one %+v", path, g.asked, other.asked)
			}
			if _, after, _ := strings.Cut(through.body, "user_id"); !strings.HasSuffix(direct.body, after) {
				t.Errorf("%s: answered %s, another way %s", path, direct.body, through.body)
			}
			for _, name := range []string{"Content-Type", "X-Content-Type-Options", "Cache-Control", "Server"} {
				if d, th := direct.header.Values(name), through.header.Values(name); strings.Join(d, ";") != strings.Join(th, ";") {
					t.Errorf("%s: %s: %q, another way %q", path, name, d, th)
				}
			}
			if id := through.header.Values("X-Request-Id"); len(id) != 1 || id[0] != "mine" {
				t.Errorf("%s: the request's id is %v", path, id)
			}
			if head := other.ask("HEAD", path, "", "X-API-Key", "secret"); head.status != 200 || head.body != "" {
				t.Errorf("HEAD %s: %+v", path, head)
			}
		}
		for _, path := range []string{"/v1/users/%s", "/v1/users/%s/affinities"} {
			other.want(other.ask("GET", fmt.Sprintf(path, url.PathEscape(user)), "", "X-API-Key", "secret"), 404, "nothing is known")
		}
		other.want(other.ask("GET", "/v1/recommendations?user_id="+url.QueryEscape(user), ""), 401)
		other.want(other.ask("GET", "/v1/recommendations?n=0&user_id="+url.QueryEscape(user), "", "X-API-Key", "secret"), 400, `"field":"n"`)
		page := other.ask("GET", "/metrics", "", "X-API-Key", "secret").body
		if want := fmt.Sprintf(`tipoff_http_forwarded_total{node="%s",outcome="answered"} 6`, g.server.URL()); !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	has := topics.PartitionOf([]byte(topics.Key(tipoff.DefaultCompany, "u1")), 2)
	for _, path := range []string{"/v1/users/u1", "/v1/users/u1/affinities"} {
		fleet[1-has].want(fleet[1-has].ask("GET", path, "", "X-API-Key", "secret"), 200, `"user_id":"u1"`)
	}
}

func TestFleet_NamesTheGatewayThatIsAway(t *testing.T) {
	fleet, urls := startFleet(t, [2]int{0, 1})
	here, away := url.QueryEscape(userOf(0)), url.QueryEscape(userOf(1))
	fleet[0].want(fleet[0].ask("GET", "/v1/recommendations?user_id="+away, ""), 200) // leaves a connection open
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := fleet[1].server.server.ShutdownWithContext(ctx); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/recommendations?user_id=", "/recommend?user_id="} {
		a := fleet[0].ask("GET", path+away, "")
		fleet[0].want(a, 503, urls[1], "number 1 of TIPOFF_API_NODES")
		if a.header.Get("Retry-After") != "2" {
			t.Errorf("%s: headers %v", path, a.header)
		}
		fleet[0].want(fleet[0].ask("GET", path+here, ""), 200)
	}
	fleet[0].want(fleet[0].ask("POST", "/v1/coupons", goodCoupon), 202)
	if !strings.Contains(fleet[0].ask("GET", "/metrics", "").body, fmt.Sprintf(`tipoff_http_forwarded_total{node="%s",outcome="unreached"} 2`, urls[1])) {
		t.Error("the requests are not counted that could not be sent on")
	}
	listener, err := net.Listen("tcp", strings.TrimPrefix(urls[1], "http://"))
	if err != nil {
		t.Fatal(err)
	}
	start(t, func(o *Options) { o.listener, o.Fleet = listener, Fleet{Nodes: urls, Own: 1} })
	fleet[0].want(fleet[0].ask("GET", "/v1/recommendations?user_id="+away, ""), 200)
}

// TestFleet_AsksAgainOnANewConnection: connections of an earlier life of the other gateway,
// which nobody has noticed to be dead, cost no request.
func TestFleet_AsksAgainOnANewConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	urls := []string{"http://127.0.0.1:1", "http://" + listener.Addr().String()}
	g := start(t, func(o *Options) { o.Fleet = Fleet{Nodes: urls, Own: 0} })
	served := make(chan int, 10)
	go func() {
		for n := 1; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				close(served)
				return
			}
			read := make([]byte, 4096)
			_, _ = conn.Read(read)
			if n > 1 { // the first connection is closed without a word
				_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"))
			}
			_ = conn.Close()
			served <- n
		}
	}()
	a := g.ask("GET", "/recommend?user_id="+url.QueryEscape(userOf(1)), "")
	g.want(a, 200, "[]")
	if a.header.Get("Connection") != "" {
		t.Error("the client is told to close its connection, as the other gateway has closed its own")
	}
	if first, second := <-served, <-served; first != 1 || second != 2 {
		t.Errorf("connections %d, %d", first, second)
	}
	_ = listener.Close()
	<-served
}

func TestFleet_SaysThatSettingsDiffer(t *testing.T) {
	fleet, urls := startFleet(t, [2]int{0, 0})
	user := url.QueryEscape(userOf(1))
	fleet[0].want(fleet[0].ask("GET", "/v1/recommendations?user_id="+user, ""), 421, `"title":"misdirected"`, "TIPOFF_API_NODES", "TIPOFF_API_NODE")
	fleet[0].want(fleet[0].ask("GET", "/recommend?user_id="+user, ""), 421, `{"error":"`, "TIPOFF_API_NODE")
	if fleet[0].lastAsked() != "" || fleet[1].lastAsked() != "" {
		t.Error("a gateway answers about a user that it does not have")
	}
	if !strings.Contains(fleet[1].logged.String(), "TIPOFF_API_NODE") {
		t.Errorf("logged %s", fleet[1].logged)
	}
	if !strings.Contains(fleet[0].ask("GET", "/metrics", "").body, fmt.Sprintf(`tipoff_http_forwarded_total{node="%s",outcome="misdirected"} 2`, urls[1])) {
		t.Error("the requests are not counted that came to the wrong gateway")
	}
}
