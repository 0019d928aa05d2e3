package node_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tipoff/blackbox"
	"tipoff/node"
)

// logged is a log that is read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var profilesAt = regexp.MustCompile(`profiles=(http://\S+)`)

// debugged starts a node with an address for profiles, and returns the line of the log
// that names it, and the address.
func debugged(t *testing.T, address string) (n *blackbox.Node, line, url string) {
	t.Helper()
	var log logged
	settings := blackbox.Settings(t.TempDir())
	settings.DebugAddr, settings.Log = address, slog.New(slog.NewTextHandler(&log, nil))
	n = blackbox.Start(t, settings)
	for line = range strings.Lines(log.String()) {
		if found := profilesAt.FindStringSubmatch(line); found != nil {
			return n, line, found[1]
		}
	}
	return n, "", ""
}

// profile asks for a page; header is a name and its value, or nothing.
func profile(url string, header ...string) (status int, body []byte, err error) {
	q, err := http.NewRequest("GET", url, nil)
	if err != nil {
		return 0, nil, err
	}
	for i := 0; i < len(header); i += 2 {
		if q.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			q.Host = header[i+1]
		}
	}
	a, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(q)
	if err != nil {
		return 0, nil, err
	}
	defer a.Body.Close()
	body, err = io.ReadAll(a.Body)
	return a.StatusCode, body, err
}

func TestDebug_ServesProfilesOnAnAddressOfTheirOwn(t *testing.T) {
	t.Parallel()
	n, line, url := debugged(t, "127.0.0.1:0")
	if !strings.Contains(line, "level=INFO") {
		t.Fatalf("the log says of the address: %q", line)
	}
	for _, c := range []struct {
		path, part string
		want       int
		header     []string
	}{
		{"heap", "\x1f\x8b", 200, nil}, // gzip
		{"goroutine?debug=1", "goroutine profile", 200, nil},
		{"trace?seconds=0.01", "go 1.", 200, nil},
		{"cmdline", "Unknown profile", 404, nil}, // it may hold keys
		{"profile?seconds=3600", "from 0 to 120", 400, nil}, {"trace?seconds=NaN", "from 0 to 120", 400, nil},
		{"heap", "other sites", 403, []string{"Host", "shop.example"}},
		{"heap", "other sites", 403, []string{"Sec-Fetch-Site", "cross-site"}},
		{"", "heap", 200, []string{"Host", "localhost:1", "Sec-Fetch-Site", "same-origin"}},
	} {
		if status, body, err := profile(url+c.path, c.header...); err != nil || status != c.want || !strings.Contains(string(body), c.part) {
			t.Errorf("%s %v: %d %.80q, %v, want %d with %q in it", c.path, c.header, status, body, err, c.want, c.part)
		}
	}
	if status, _, err := profile(n.URL() + "/debug/pprof/heap"); err != nil || status != http.StatusNotFound {
		t.Errorf("where everybody asks: %d, %v", status, err)
	}
}

func TestDebug_IsOffUnlessAskedFor(t *testing.T) {
	t.Parallel()
	if _, line, _ := debugged(t, ""); line != "" {
		t.Errorf("the log says %q", line)
	}
}

func TestDebug_WarnsWhereOtherMachinesReachIt(t *testing.T) {
	t.Parallel()
	if _, line, _ := debugged(t, "0.0.0.0:0"); !strings.Contains(line, "level=WARN") || !strings.Contains(line, "TIPOFF_DEBUG_ADDR") {
		t.Errorf("the log says %q", line)
	}
}

func TestDebug_EndsWithTheProfilesThatAreBeingMade(t *testing.T) {
	t.Parallel()
	n, _, url := debugged(t, "127.0.0.1:0")
	var making sync.WaitGroup
	for range 4 {
		making.Go(func() {
			for status := http.StatusServiceUnavailable; status == http.StatusServiceUnavailable; { // there is no room while the test asks
				status, _, _ = profile(url + "heap?seconds=100")
			}
		})
	}
	blackbox.Eventually(t, 30*time.Second, func() error {
		status, body, err := profile(url + "heap")
		if err == nil && status != http.StatusServiceUnavailable {
			err = fmt.Errorf("with 4 profiles under way: %d %.80q", status, body)
		}
		return err
	})
	n.End()
	making.Wait()
	if _, _, err := profile(url); err == nil {
		t.Error("profiles are served after the end")
	}
}

func TestDebug_AnAddressThatIsTakenIsNamed(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	settings := blackbox.Settings(t.TempDir())
	settings.DebugAddr = taken.Addr().String()
	_, err = node.Start(t.Context(), settings, node.AllRoles...)
	if err == nil || !strings.Contains(err.Error(), "TIPOFF_DEBUG_ADDR") || !strings.Contains(err.Error(), settings.DebugAddr) {
		t.Errorf("%v", err)
	}
}
