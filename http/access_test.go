package http

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

func TestAccessLog_HasALineForEachRequestAndNoIdsOfUsers(t *testing.T) {
	log := new(journal)
	g := start(t, func(o *Options) { o.AccessLog = slog.New(slog.NewJSONHandler(log, nil)) })
	g.want(g.ask("GET", "/v1/users/secret-user?key=secret-key", "", "X-Request-Id", "mine-7"), 400)
	g.want(g.ask("POST", "/v1/users", goodUser, "X-Request-Id", "mine-8"), 202)
	g.want(g.ask("GET", "/secret-path", ""), 404)
	g.raw("not HTTP\r\n\r\n")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	want := []string{"mine-7 GET /v1/users/{user_id} 400", "mine-8 POST /v1/users 202", " other none 404", " other unread 400"}
	if len(lines) != len(want) {
		t.Fatalf("logged %s", log)
	}
	for i, line := range lines {
		var entry struct {
			Request, Method, Route, Client string
			Status, Received, Sent         int
			Took                           *int64 `json:"took_us"`
		}
		if err := json.Unmarshal([]byte(line), &entry, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%s %s %s %d", entry.Request, entry.Method, entry.Route, entry.Status)
		if !strings.HasSuffix(got, want[i]) || entry.Request == "" || entry.Took == nil || entry.Sent == 0 || !strings.HasPrefix(entry.Client, "127.0.0.1:") {
			t.Errorf("%s, want %s", line, want[i])
		}
	}
	if strings.Contains(log.String(), "secret") {
		t.Errorf("what a client sent is logged: %s", log)
	}
	if !strings.Contains(lines[1], fmt.Sprintf(`"received":%d`, len(goodUser))) {
		t.Errorf("%s, want the %d bytes that were received", lines[1], len(goodUser))
	}
}

func TestServer_RefusesABodyThatIsTooLargeBeforeItIsSent(t *testing.T) {
	g := start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.server.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", MaxBody+1)
	from := bufio.NewReader(conn)
	if line, err := from.ReadString('\n'); err != nil || !strings.Contains(line, " 413 ") {
		t.Errorf("%q, %v", line, err)
	}
	answer := g.raw(fmt.Sprintf("POST /v1/users HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n%s", len(goodUser), goodUser))
	if !strings.Contains(answer, " 100 Continue\r\n") || !strings.Contains(answer, " 202 ") {
		t.Errorf("one of the right size: %s", answer)
	}
}

func TestOpenAPI_DescribesAFaultOfOursOnEveryRoute(t *testing.T) {
	doc, err := openapi()
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			kind := "application/json"
			if strings.HasPrefix(path, "/v1/") {
				kind = "application/problem+json"
			}
			if fault := operation.Responses.Status(500); fault == nil || fault.Value.Content[kind] == nil {
				t.Errorf("%s %s: %+v", method, path, fault)
			}
		}
	}
}
