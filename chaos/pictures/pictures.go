package main

import (
	"time"

	"github.com/chromedp/chromedp"
)

// step is one thing that is done in the browser.
type step = chromedp.Action[chromedp.Void]

// picture is one page of the console, and what is done there before it is taken.
type picture struct {
	name, page string
	dark       bool
	phone      bool
	steps      []step
}

func (p *picture) size() (w, h int64) {
	if p.phone {
		return 390, 780
	}
	return width, height
}

// settled is for motion to end and charts to be drawn.
const settled = 1500 * time.Millisecond

func shown(selector string) step { return chromedp.WaitVisible(chromedp.CSS(selector)) }

func click(selector string) step { return chromedp.Click(chromedp.CSS(selector)) }

var pictures = []picture{
	{name: "now", page: "now", steps: []step{
		shown("#send:not(:disabled)"), shown(".figures a.state.good"), chromedp.Sleep(10 * time.Second), click("#send"), shown(".map .box.reached[data-part=views]"), chromedp.Sleep(settled),
	}},
	{name: "now-dark", page: "now", dark: true, steps: []step{
		shown("#send:not(:disabled)"), chromedp.Sleep(10 * time.Second), click("#send"), shown(".map .box.reached[data-part=database]"), chromedp.Sleep(settled),
	}},
	{name: "bettor", page: "bettor/bettor-1", steps: []step{
		shown(".ranking .bet"), click(".ranking li:nth-child(3) .bet"), shown("#placed"), chromedp.Sleep(settled),
	}},
	{name: "why", page: "bettor/bettor-2", steps: []step{
		shown(".ranking .why"), click(".ranking .why"), shown(".waterfall"), chromedp.Sleep(settled),
	}},
	{name: "event", page: "event", steps: []step{
		shown("#events a"), click("#events a"), shown("#event-bets"), chromedp.Sleep(settled),
	}},
	{name: "quality", page: "quality", steps: []step{shown("#quality"), chromedp.Sleep(settled)}},
	{name: "rejected", page: "rejected", steps: []step{shown(".letters"), chromedp.Sleep(settled)}},
	{name: "health", page: "health", steps: []step{shown("#parts"), chromedp.Sleep(settled)}},
	{name: "phone", page: "bettor/bettor-3", phone: true, dark: true, steps: []step{shown(".ranking .bet"), chromedp.Sleep(settled)}},
}
