package acceptance

import (
	"context"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser starts a real one, without a screen. The test is skipped where there is
// none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		required(t, "no browser: install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		// A test may measure what a page holds.
		chromedp.Flag("js-flags", "--expose-gc"), chromedp.Flag("enable-precise-memory-info", true))
	ctx, cancelBrowser := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, cancelPage := chromedp.NewContext(ctx)
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(func() { cancel(); cancelPage(); cancelBrowser() })
	return ctx
}

// TestDocs_CanBeReadAndTriedInABrowser opens the page, unfolds an operation, and
// sends a request from it.
func TestDocs_CanBeReadAndTriedInABrowser(t *testing.T) {
	ctx := browser(t)
	p := launch(t, nil).ready()
	for _, user := range []string{"u1", "u2", "u3"} {
		p.post("/v1/coupons", coupon("c", user, "e"))
	}
	p.post("/v1/events", event("e"))
	for _, user := range []string{"u1", "u2", "u3"} {
		p.wantBets(user, 1)
	}
	described := p.operations()
	var mu sync.Mutex
	var elsewhere, faults []string
	err := chromedp.Listen(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if url := e.Request.URL; !strings.HasPrefix(url, p.url) && !strings.HasPrefix(url, "data:") {
				elsewhere = append(elsewhere, url)
			}
		case *runtime.EventExceptionThrown:
			faults = append(faults, e.ExceptionDetails.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	popular := func(part string) chromedp.CSS { return chromedp.CSS("#operations-answers-popular " + part) }
	err = chromedp.Do(ctx,
		chromedp.Navigate(p.url+"/docs"),
		chromedp.WaitVisible(popular(".opblock-summary-control")),
	)
	if err != nil {
		t.Fatal(err)
	}
	operations, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelectorAll(".opblock").length`))
	if err != nil {
		t.Fatal(err)
	}
	err = chromedp.Do(ctx,
		chromedp.Click(popular(".opblock-summary-control")),
		chromedp.Click(popular(".try-out__btn")),
		chromedp.Click(popular(".execute")),
		chromedp.WaitVisible(popular(".live-responses-table .response-col_status")),
	)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := chromedp.Run(ctx, chromedp.Text(popular(".live-responses-table")))
	if err != nil {
		t.Fatal(err)
	}
	if operations != described {
		t.Errorf("the page shows %d operations, %d are described", operations, described)
	}
	if !strings.Contains(answer, "200") || !strings.Contains(answer, `"bets": 3`) {
		t.Errorf("the answer on the page: %s", answer)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(elsewhere) > 0 || len(faults) > 0 {
		t.Errorf("the page loads %v, and throws %v", elsewhere, faults)
	}
}

// operations counts what the program describes of itself.
func (p *process) operations() int {
	p.Helper()
	status, description, err := request("GET", p.url+"/openapi.yaml", nil)
	if err != nil || status != 200 {
		p.Fatalf("%d, %v", status, err)
	}
	return len(regexp.MustCompile(`(?m)^    (get|post|put|patch|delete):`).FindAllString(description, -1))
}
