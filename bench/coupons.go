package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"

	"tipoff"
	"tipoff/topics"
)

// slip is a coupon without its id and time, which are set when it is posted.
type slip struct {
	coupon tipoff.Coupon
	rest   []byte // of its JSON
}

// slips are coupons to post: on open events, by bettors who are all as likely.
type slips struct {
	run  string // part of every id
	made atomic.Uint64
	all  []slip
}

// slipCount is how many coupons differ by more than their id and time.
const slipCount = 8192

func (w *world) slips() *slips {
	return w.slipsBy(func(r *rand.Rand) int { return r.IntN(len(w.users)) })
}

// slipsBy has the bettors drawn.
func (w *world) slipsBy(draw func(*rand.Rand) int) *slips {
	r := rand.New(rand.NewPCG(worldSeed, 2))
	s := &slips{run: strconv.FormatInt(time.Now().UnixNano(), 36)}
	for len(s.all) < slipCount {
		i := draw(r)
		_, leagues := w.taste(i)
		// Events that begin within the hour might have begun when they are posted.
		c, events := w.coupon(r, "", &w.users[i], leagues, w.now.Add(time.Hour))
		if len(events) == 0 {
			continue
		}
		s.all = append(s.all, newSlip(c))
	}
	return s
}

func newSlip(c tipoff.Coupon) slip {
	rest := fmt.Appendf(nil, `","user_id":%q,"stake":%g,"selections":`, c.UserID, c.Stake)
	selections, err := json.Marshal(c.Selections)
	if err != nil {
		panic(err) // it was made here
	}
	return slip{c, append(append(rest, selections...), '}')}
}

// append appends the JSON of the next coupon, placed at the given time.
func (s *slips) append(to []byte, at time.Time) []byte {
	n := s.made.Add(1)
	to = append(to, `{"timestamp":"`...)
	to = at.UTC().AppendFormat(to, "2006-01-02T15:04:05.000000Z")
	to = append(to, `","coupon_id":"`...)
	to = append(to, s.run...)
	to = append(to, '-')
	to = strconv.AppendUint(to, n, 36)
	return append(to, s.all[n%uint64(len(s.all))].rest...)
}

// appendBatch appends the JSON of the next coupons.
func (s *slips) appendBatch(to []byte, n int, at time.Time) []byte {
	to = append(to, '[')
	for i := range n {
		if i > 0 {
			to = append(to, ',')
		}
		to = s.append(to, at)
	}
	return append(to, ']')
}

// records are the next coupons as the gateway publishes them.
func (s *slips) records(n int, at time.Time) (records []topics.Record) {
	for range n {
		i := s.made.Add(1)
		c := s.all[i%uint64(len(s.all))].coupon
		c.ID, c.Timestamp = s.run+"-"+strconv.FormatUint(i, 36), at.UTC().Truncate(time.Microsecond)
		records = append(records, topics.CouponRecord(tipoff.DefaultCompany, c, at))
	}
	return records
}

// legs is how many legs a coupon has on average.
func (s *slips) legs() float64 {
	all := 0
	for i := range s.all {
		all += len(s.all[i].coupon.Selections)
	}
	return float64(all) / float64(len(s.all))
}

const couponsPath = "/v1/coupons"

// posting is load of posts of so many coupons each; 1: single ones.
func (s *slips) posting(url string, connections, each int) *load {
	return &load{url: url, connections: connections, prepare: func(q *fasthttp.Request, _ uint64) {
		now, body := time.Now(), q.Body()[:0]
		q.SetRequestURI(url + couponsPath)
		q.Header.SetMethod(fasthttp.MethodPost)
		q.Header.SetContentType("application/json")
		if each == 1 {
			q.SetBodyRaw(s.append(body, now))
		} else {
			q.SetBodyRaw(s.appendBatch(body, each, now))
		}
	}}
}

// postAll posts so many coupons, 500 in a post, as quickly as they are taken.
func (s *slips) postAll(ctx context.Context, url string, coupons int, done func(int)) error {
	posts := s.posting(url, 4, postSize)
	var left atomic.Int64
	left.Store(int64(coupons / postSize))
	_, err := posts.run(ctx, time.Now(), func(uint64) (time.Time, bool) {
		more := left.Add(-1) >= 0
		if more {
			done(postSize)
		}
		return time.Now(), more
	})
	return err
}

// postSize is how many coupons a batch has.
const postSize = 500

// background posts coupons at a rate a second, a few in a post, until stop is called,
// which returns at which rate they were taken.
func (s *slips) background(ctx context.Context, url string, rate float64) (stop func() (taken float64, err error)) {
	const each = 10
	ctx, cancel := context.WithCancel(ctx)
	var got *answers
	var failed error
	done := make(chan struct{})
	posts := s.posting(url, 4, each)
	began := time.Now()
	go func() {
		defer close(done)
		got, failed = posts.run(ctx, began, func(turn uint64) (time.Time, bool) {
			due := began.Add(time.Duration(float64(turn) * each / rate * float64(time.Second)))
			return due, until(ctx, due)
		})
	}()
	return func() (float64, error) {
		cancel()
		<-done
		if got == nil {
			return 0, failed
		}
		return got.rate() * each, nil
	}
}
