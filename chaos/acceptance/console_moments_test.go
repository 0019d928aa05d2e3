package acceptance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestConsole_SaysWhereAListIsOlderThanItsExplanation: the score beside the list is another
// one, then.
func TestConsole_SaysWhereAListIsOlderThanItsExplanation(t *testing.T) {
	p := launch(t, nil).ready()
	p.fill()
	c := openConsole(t, p.url)
	c.page("bettor/u1")
	c.do(chromedp.WaitVisible(chromedp.CSS(`.ranking [data-event="e4"] .why`)))
	c.click(`.ranking [data-event="e4"] .why`)
	c.wants(".waterfall", "score", "adds")
	if said := c.text(".later"); said != "" {
		t.Errorf("of a list of now: %s", said)
	}
	c.click(`.ranking [data-event="e4"] .why`)
	p.post("/v1/coupons", coupon("c2", "u1", "e5"))
	p.wantBets("u1", 2)
	c.click(`.ranking [data-event="e4"] .why`)
	c.wants(".later", "The list is", "old and shows", "now the score is")
}

// TestConsole_DrawsHoursWithoutBetsAsSuch, and not as if bets had come evenly between others.
func TestConsole_DrawsHoursWithoutBetsAsSuch(t *testing.T) {
	p := launch(t, nil).ready()
	p.post("/v1/events", event("e1"))
	for i, ago := range []time.Duration{20, 12, 10, 9} {
		bet := coupon(fmt.Sprint("c", i), "u1", "e1")
		bet.Timestamp = bet.Timestamp.Add(-ago * time.Hour)
		p.post("/v1/coupons", bet)
	}
	p.wantBets("u1", 4)
	c := openConsole(t, p.url)
	c.page("event/e1")
	c.wants("#event-bets", "4")
	c.click("main figure details summary, main details summary")
	want := []string{"1", "0", "0", "1", "0", "1", "1"}
	eventually(t, 10*time.Second, func() error {
		got := value[[]string](c, `[...(document.querySelector("main details tbody")?.rows ?? [])].map((row) => row.cells[1].textContent)`)
		if !slices.Equal(got, want) {
			return fmt.Errorf("bets an hour: %q, want %q", got, want)
		}
		return nil
	})
}
