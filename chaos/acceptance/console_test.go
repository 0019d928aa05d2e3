package acceptance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"tipoff"
)

// console is a page of the console in a real browser, and what it must not do.
type console struct {
	*testing.T
	ctx context.Context
	url string

	mu        sync.Mutex
	elsewhere []string // requests to other places
	faults    []string // exceptions, errors on the browser's console, breaches of the policy
	expected  []string // parts of messages that are no faults
}

// openConsole opens the console of a process in a browser; when the test ends it has
// asked nobody else for anything, and thrown nothing.
func openConsole(t *testing.T, url string) *console {
	t.Helper()
	// The page asks for the affinities of users who may not be there.
	c := &console{T: t, ctx: browser(t), url: url, expected: []string{"/affinities"}}
	err := chromedp.Listen(c.ctx, func(event any) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, url) {
				c.elsewhere = append(c.elsewhere, e.Request.URL)
			}
		case *runtime.EventExceptionThrown:
			c.faults = append(c.faults, fmt.Sprint(e.ExceptionDetails.Text, " ", e.ExceptionDetails.Exception))
		case *runtime.EventConsoleAPICalled:
			if e.Type == "error" {
				c.faults = append(c.faults, fmt.Sprint("console.error: ", e.Args))
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == "error" {
				c.faults = append(c.faults, e.Entry.Text+" "+e.Entry.URL)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, fault := range c.faults {
			known := false
			for _, part := range c.expected {
				known = known || strings.Contains(fault, part)
			}
			if !known {
				t.Errorf("on the console: %s", fault)
			}
		}
		if len(c.elsewhere) > 0 {
			t.Errorf("requests to elsewhere: %v", c.elsewhere)
		}
	})
	c.do(chromedp.Navigate(url + "/console"))
	return c
}

func (c *console) do(steps ...chromedp.Action[chromedp.Void]) {
	c.Helper()
	if err := chromedp.Do(c.ctx, steps...); err != nil {
		c.Fatalf("%v; the page shows:\n%s", err, c.text("body"))
	}
}

// go to a page, as "bettor/u1".
func (c *console) page(name string) {
	c.Helper()
	c.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf("void (location.hash = %q)", "#/"+name)))
}

// value is what an expression comes to in the page.
func value[T any](c *console, expression string) T {
	c.Helper()
	v, err := chromedp.Run(c.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		c.Fatalf("%s: %v", expression, err)
	}
	return v
}

// text is what a reader sees of an element; "" where it is not there.
func (c *console) text(selector string) string {
	c.Helper()
	return value[string](c, fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector))
}

// wants waits until an element shows all of the texts.
func (c *console) wants(selector string, texts ...string) {
	c.Helper()
	eventually(c.T, 20*time.Second, func() error {
		got := c.text(selector)
		for _, text := range texts {
			if !strings.Contains(got, text) {
				return fmt.Errorf("%s does not show %q, but:\n%s", selector, text, got)
			}
		}
		if got == "" {
			return fmt.Errorf("%s is not there or shows nothing", selector)
		}
		return nil
	})
}

func (c *console) click(selector string) {
	c.Helper()
	c.do(chromedp.Click(chromedp.CSS(selector)))
}

// theme has the page see a system with these colours.
func (c *console) theme(name string) {
	c.Helper()
	p := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}}
	if _, err := chromedp.Call(c.ctx, emulation.SetEmulatedMedia, p); err != nil {
		c.Fatal(err)
	}
}

// order is the ids of the events in the first list of the page of a bettor.
func (c *console) order() []string {
	c.Helper()
	return value[[]string](c, `[...(document.querySelector(".ranking")?.children ?? [])].map((row) => row.dataset.event)`)
}

func TestConsole_SaysWhatToDoOnAnEmptyTipoff(t *testing.T) {
	p := launch(t, nil).ready()
	c := openConsole(t, p.url)
	for _, page := range []string{"now", "bettor", "event", "quality"} {
		c.page(page)
		c.wants("main", "Nothing is here yet", "tipoff generate")
	}
	c.page("now")
	c.click("#samples")
	c.wants("#said", "Seven sample facts")
	p.wantBets("sample-ana", 1)
	c.page("bettor")
	c.wants("h1", "sample-ana")
	c.wants("main", "Milan – Roma", "Serie A", "You follow")
	if order := c.order(); len(order) != 4 || order[0] != "sample-2" {
		t.Errorf("sample-ana is shown %v, want the other match of Roma first of four", order)
	}
	for left := 3; left >= 0; left-- { // until there is nothing left to bet on
		c.click(".ranking .bet")
		eventually(t, 30*time.Second, func() error {
			if order := c.order(); len(order) != left {
				return fmt.Errorf("%v are shown, want %d", order, left)
			}
			return nil
		})
	}
	c.wants("main", "Nothing to show")
}

// facts are posted as an integrator does: two leagues, and bettors of one.
func (p *process) fill() {
	p.Helper()
	for i, league := range []string{"A", "A", "A", "B", "B", "B"} {
		e := event(fmt.Sprint("e", i+1))
		e.League = league
		p.post("/v1/events", e)
	}
	for i := range 4 {
		u := fmt.Sprint("u", i+1)
		p.post("/v1/users", user(u))
		p.post("/v1/coupons", coupon("c1", u, "e1"))
		p.wantBets(u, 1)
	}
}

func TestConsole_ShowsWhatWasPosted(t *testing.T) {
	p := launch(t, nil).ready()
	p.fill()
	c := openConsole(t, p.url)

	c.wants(".map", "gateway", "coupon_topic", "4 records", "6 records", "recommendations")
	c.wants("#live", "live")

	c.page("bettor/u1")
	c.wants("#bets", "1")
	c.wants("main", "home e2 – away e2", "Ranked by", "sport", "100%", "e1")

	c.page("event/e1")
	c.wants("h1", "home e1 – away e1")
	c.wants("#event-bets", "4")
	c.wants("main", "winner: 1", "By country", "USA")

	c.page("quality")
	c.wants("#quality", "NDCG@10, last hour", "HR@10, last day")

	c.page("health")
	for _, part := range []string{"gateway", "broker", "database", "learner", "sink"} {
		c.wants(fmt.Sprintf("#parts [data-part=%q]", part), "ready")
	}
}

func TestConsole_LetsOneBetAndSeeTheListChange(t *testing.T) {
	p := launch(t, nil).ready()
	p.fill()
	c := openConsole(t, p.url)
	c.page("bettor/newcomer")
	c.wants("main", "Nothing is known of this bettor yet")
	c.do(chromedp.WaitVisible(chromedp.CSS(".ranking .bet")))
	before := c.order()
	c.click(`.ranking [data-event="e4"] .bet`)
	c.wants("#placed", "home e4 – away e4", "was accepted in", "has changed what is known")
	eventually(t, 10*time.Second, func() error {
		after := c.order()
		if len(after) != len(before)-1 {
			return fmt.Errorf("%v has become %v", before, after)
		}
		for _, id := range after {
			if id == "e4" {
				return errors.New("e4, which was bet on, is still shown")
			}
		}
		return nil
	})
	c.wants(".gone", "1 left the list")
	c.wants("#said", "The list has changed")
	if marked := value[int](c, `document.querySelectorAll(".ranking .moved .move").length`); marked == 0 {
		t.Errorf("nothing is marked as moved: %v has become %v", before, c.order())
	}
	p.wantBets("newcomer", 1)

	c.click(".ranking .why")
	c.wants(".waterfall", "score", "adds")
	// The steps of the waterfall end where the score says.
	sum := value[[]float64](c, `[...document.querySelectorAll(".waterfall tbody tr")].map((row) => Number(row.children[3].textContent.replace("−", "-")))`)
	score := value[float64](c, `Number(document.querySelector(".waterfall tfoot").rows[0].cells[3].textContent.replace("−", "-"))`)
	all := 0.0
	for _, part := range sum {
		all += part
	}
	if len(sum) == 0 || all-score > 0.02 || score-all > 0.02 { // each is rounded to three digits
		t.Errorf("the terms %v add up to %v, the score is %v", sum, all, score)
	}
}

func TestConsole_ShowsDeadLettersAndSendsThemAgain(t *testing.T) {
	p := launch(t, nil).ready()
	p.fill()
	other := coupon("c1", "u1", "e2") // another one under an id that is taken
	p.post("/v1/coupons", other)
	c := openConsole(t, p.url)
	c.page("rejected")
	c.wants(".letters", "coupon_topic", "u1")
	c.click(".letter details summary")
	c.wants(".letter pre", "e2")
	c.click(".letter .again")
	c.wants("#sent", "Sent again to coupon_topic", "u1") // and stays, though the letter goes
}

func TestConsole_AsksForTheKeyAndForgetsNoPage(t *testing.T) {
	p := launch(t, []string{"TIPOFF_API_KEY=secret"})
	c := openConsole(t, p.url)
	c.expected = append(c.expected, "401", "503") // what is asked before the key is there; and while Tipoff starts
	enter := func(key string) {
		c.do(chromedp.WaitVisible(chromedp.CSS("#key")), chromedp.SendKeys(chromedp.CSS("#key"), key+"\r"))
	}
	enter("wrong")
	c.wants("main", "does not fit")
	enter("secret")
	c.page("health")
	c.wants("#parts", "gateway")
	if address := value[string](c, "location.href"); strings.Contains(address, "secret") {
		t.Errorf("the key is in the address: %s", address)
	}
	if kept := value[string](c, "JSON.stringify(localStorage)"); strings.Contains(kept, "secret") {
		t.Errorf("the key outlasts the tab: %s", kept)
	}
}

func TestConsole_ShowsTenThousandEventsAPageAtATime(t *testing.T) {
	p := launch(t, nil).ready()
	const all, batch = 10_000, 1_000
	for from := 0; from < all; from += batch {
		events := make([]tipoff.Event, batch)
		for i := range events {
			events[i] = event(fmt.Sprintf("e%05d", from+i))
			events[i].League = fmt.Sprint("league ", (from+i)%500)
			events[i].Begin = events[i].Begin.Add(time.Duration(from+i) * time.Second)
			events[i].End = events[i].Begin.Add(time.Hour)
		}
		p.post("/v1/events", events)
	}
	eventually(t, 60*time.Second, func() error {
		var page struct {
			Events []tipoff.Event `json:"events"`
		}
		err := getJSON(p.url+"/v1/events?league=league%20499&n=500", &page)
		if err == nil && len(page.Events) != all/500 {
			err = fmt.Errorf("%d events of the last league are known", len(page.Events))
		}
		return err
	})
	c := openConsole(t, p.url)
	c.page("event")
	c.wants("#events", "e00000", "e00049")
	size := value[int](c, "document.querySelectorAll('*').length")
	for _, first := range []string{"e00050", "e00100", "e00150"} {
		c.click("#next")
		c.wants("#events", first)
	}
	if grown := value[int](c, "document.querySelectorAll('*').length"); grown > size+20 || size > 2000 {
		t.Errorf("the page has grown from %d to %d elements", size, grown)
	}
	c.do(chromedp.SendKeys(chromedp.CSS("#league"), "league 499\r"))
	c.wants("#events", "e00499", "e09999")
	if rows := value[int](c, "document.querySelectorAll('#events tbody tr').length"); rows != all/500 {
		t.Errorf("%d events of the league are shown, want %d", rows, all/500)
	}
}
