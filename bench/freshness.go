package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"

	"tipoff"
)

// freshLimit is the promise: a bet is visible in the bettor's next recommendation
// within this time, at the 99th percentile.
const freshLimit = 10.0 // milliseconds

// freshness measures from a coupon's post to the first recommendation that leaves
// its event out.
func (b *bench) freshness(ctx context.Context) error {
	n, book, err := b.startNode(ctx, 200, 300, 1000)
	if err != nil {
		return err
	}
	defer n.Stop(nil)
	var took []float64
	users, events := book.Users(), book.Events()
	for i := range 300 {
		user, event := users[i%len(users)].ID, events[i%len(events)].ID
		coupon, err := json.Marshal(tipoff.Coupon{
			ID: fmt.Sprint("fresh-", time.Now().UnixNano()), UserID: user, Stake: 1, Timestamp: time.Now(), Selections: []tipoff.Selection{{EventID: event, Odds: 2}},
		})
		if err != nil {
			return err
		}
		before, _ := n.Views().Affinities(tipoff.DefaultCompany, user, time.Now())
		began := time.Now()
		q, a := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		q.SetRequestURI(n.URL() + "/v1/coupons")
		q.Header.SetMethod(fasthttp.MethodPost)
		q.Header.SetContentType("application/json")
		q.SetBodyRaw(coupon)
		err = fasthttp.Do(q, a)
		if err == nil && a.StatusCode() != fasthttp.StatusAccepted {
			err = fmt.Errorf("status %d: %s", a.StatusCode(), a.Body())
		}
		fasthttp.ReleaseRequest(q)
		fasthttp.ReleaseResponse(a)
		if err != nil {
			return err
		}
		for { // learnt, not only noted
			if after, _ := n.Views().Affinities(tipoff.DefaultCompany, user, time.Now()); after.Bets > before.Bets {
				break
			}
			if time.Since(began) > 10*time.Second {
				return fmt.Errorf("a bet of %s is not visible after 10 s", user)
			}
			time.Sleep(50 * time.Microsecond) // a loop without rest would take the core that the pipeline needs
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
	}
	for _, q := range []float64{0.5, 0.99} {
		v := quantile(took, q)
		b.add(Line{
			Row: "freshness", Figure: fmt.Sprintf("p%.0f", 100*q), What: "post to changed recommendation, idle", Against: "limit", Unit: "ms",
			Tipoff: v, Least: v, Most: v, Reach: []Reach{itselfAtMost(freshLimit)},
		})
	}
	return nil
}
