package acceptance

import (
	"testing"

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
