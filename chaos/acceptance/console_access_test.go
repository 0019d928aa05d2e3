package acceptance

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var consolePages = []string{"now", "bettor/u1", "event", "event/e1", "quality", "rejected", "health"}

// finding is a fault that axe names.
type finding struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"`
	Help   string   `json:"help"`
	Where  []string `json:"where"`
}

const findings = `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations.map((v) => (
	{ id: v.id, impact: v.impact, help: v.help, where: v.nodes.slice(0, 3).map((n) => n.html) })))`

// TestAxe_IsWhatItsAuthorsPublished: what judges the pages is checked in.
func TestAxe_IsWhatItsAuthorsPublished(t *testing.T) {
	folder := filepath.Join("testdata", "axe")
	sums, err := os.ReadFile(filepath.Join(folder, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	summed := map[string]bool{"SHA256SUMS": true}
	for line := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(content)); got != sum {
			t.Errorf("%s: the sum is %s, SHA256SUMS says %s: take the file of that release again", name, got, sum)
		}
		summed[name] = true
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !summed[entry.Name()] {
			t.Errorf("%s has no sum in SHA256SUMS", entry.Name())
		}
	}
}

func TestConsole_CanBeReadByAllInBothThemes(t *testing.T) {
	axe, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	p := launch(t, nil).ready()
	p.fill()
	p.post("/v1/coupons", coupon("c1", "u1", "e2")) // a dead letter
	c := openConsole(t, p.url)
	c.do(chromedp.Evaluate[chromedp.Void](string(axe) + "; void 0"))
	ready := map[string]string{"now": "#send", "bettor/u1": ".ranking", "event": "#events", "event/e1": "h1", "quality": "#quality", "rejected": ".letters li", "health": "#parts"}
	for _, theme := range []string{"light", "dark"} {
		c.theme(theme)
		for _, page := range consolePages {
			c.page(page)
			c.wants(ready[page])
			if page == "bettor/u1" {
				c.click(".ranking .why")
				c.wants(".waterfall", "score")
			}
			c.do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("details")) d.open = true`))
			found, err := chromedp.Run(c.ctx, chromedp.Evaluate[[]finding](findings, chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if f.Impact == "serious" || f.Impact == "critical" {
					t.Errorf("%s, %s: %s (%s): %s", page, theme, f.Help, f.ID, strings.Join(f.Where, "\n"))
				}
			}
		}
	}
}

// tab presses Tab until the element that a selector names has the focus.
func (c *console) tab(selector string) {
	c.Helper()
	for range 200 {
		c.do(chromedp.KeyEvent(kb.Tab))
		if value[bool](c, fmt.Sprintf("document.activeElement.matches(%q)", selector)) {
			return
		}
	}
	c.Fatalf("Tab never comes to %s; the focus is on %s", selector, value[string](c, "document.activeElement.outerHTML.slice(0, 200)"))
}

func TestConsole_IsUsedByKeyboardAlone(t *testing.T) {
	p := launch(t, nil).ready()
	p.fill()
	c := openConsole(t, p.url)
	c.wants("#send")
	press := func(key string) { c.do(chromedp.KeyEvent(key)) }

	c.tab(".skip")
	press(kb.Enter)
	if id := value[string](c, "document.activeElement.id"); id != "main" {
		t.Errorf("the skip link leads to %q", id)
	}
	c.tab("#better")
	press("u1")
	c.tab("#send")
	press(kb.Enter)
	c.wants("main", "accepted in")
	c.wants("#stages", "view of the gateway", "ms")

	c.do(chromedp.Navigate(p.url + "/console#/now"))
	c.tab(`nav a[href="#/bettor"]`)
	if outline := value[string](c, "getComputedStyle(document.activeElement).outlineStyle"); outline == "none" {
		t.Error("the focus cannot be seen")
	}
	press(kb.Enter)
	c.wants("main", "Ranked by")
	c.tab("#user")
	c.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)), chromedp.KeyEvent("u9"))
	c.tab("form[role=search] button") // Enter in the field would choose from the list of names
	press(kb.Enter)
	c.wants("h1", "u9")
	c.wants(".ranking")
	c.tab(".ranking .why")
	press(kb.Enter)
	c.wants(".waterfall", "score")
	c.tab(".ranking .bet")
	press(kb.Enter)
	c.wants("#placed", "was accepted in")
	p.wantBets("u9", 1)
	c.tab("summary, .chip, select, a") // nothing holds the focus fast
}

// replayed answers as Tipoff does, but its stream tells of an hour in a moment.
func replayed(t *testing.T, target string, seconds int) (address string, told func() bool) {
	t.Helper()
	status := map[string]any{}
	if err := getJSON(target+"/v1/status", &status); err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	from := time.Now().Add(-time.Duration(seconds) * time.Second)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Header.Del("Origin") }}
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.HandleFunc("/v1/status/stream", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range seconds {
			status["at"] = from.Add(time.Duration(i) * time.Second).UTC().Format(time.RFC3339Nano)
			status["posts_per_second"], status["lookups_per_second"] = i%50, i%90
			text, err := json.Marshal(status)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := fmt.Fprintf(w, "event: status\ndata: %s\n\n", text); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
		close(done)
		<-r.Context().Done()
	})
	server := httptest.NewServer(mux)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL, func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
}

func TestConsole_DoesNotGrowInAnHour(t *testing.T) {
	const (
		hour    = 3600
		mayGrow = 4 << 20 // bytes of the heap; snapshots that are not let go come to several times that
	)
	p := launch(t, nil).ready()
	p.fill()
	open := func(seconds int) (c *console, elements int) {
		address, told := replayed(t, p.url, seconds)
		c = openConsole(t, address)
		eventually(t, 60*time.Second, func() error {
			if told() && c.text("#live") == "live" && strings.Contains(c.text(".figures"), fmt.Sprintf("%d/s", (seconds-1)%50)) {
				return nil
			}
			return fmt.Errorf("the page does not show second %d:\n%s", seconds, c.text(".figures"))
		})
		return c, value[int](c, "document.querySelectorAll('*').length")
	}
	heap := func(c *console) float64 {
		c.do(chromedp.Evaluate[chromedp.Void]("gc()"))
		return value[float64](c, "performance.memory.usedJSHeapSize")
	}
	// After ten minutes the charts have all that they keep; nothing may come on top of it.
	short, before := open(hour / 5)
	small := heap(short)
	long, after := open(hour)
	if after > before+50 {
		t.Errorf("the page has %d elements after 12 minutes, %d after an hour", before, after)
	}
	eventually(t, 20*time.Second, func() error { // buffers are let go some time after they are garbage
		if large := heap(long); large > small+mayGrow {
			return fmt.Errorf("the page holds %.0f bytes after 12 minutes, %.0f after an hour", small, large)
		}
		return nil
	})
}
