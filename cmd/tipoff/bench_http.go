package main

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"

	"tipoff"
	"tipoff/generator"
	"tipoff/node"
	"tipoff/topics"
)

// benchNode starts a whole Tipoff for measuring, and fills it.
func (b *bench) benchNode(ctx context.Context, bettors, fixtures, coupons int) (*node.Node, *generator.Sportsbook, error) {
	s := *b.settings
	s.Log = b.log
	s.Addr, s.APIKey, s.Data = "127.0.0.1:0", "", filepath.Join(b.folder, fmt.Sprint("node", time.Now().UnixNano()))
	n, err := node.Start(ctx, &s, node.AllRoles...)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	book := generator.NewSportsbook(uint64(now.UnixNano()), bettors, fixtures, 7, now)
	err = n.Ready(ctx)
	if err == nil {
		err = book.Seed(ctx, &generator.Client{URL: n.URL()}, coupons, now, func(int) {})
	}
	if err == nil {
		err = settled(ctx, n)
	}
	if err != nil {
		_ = n.Stop(nil)
		return nil, nil, err
	}
	return n, book, nil
}

// settled waits until nothing is under way between the processors any more.
func settled(ctx context.Context, n *node.Node) error {
	for quiet := 0; quiet < 3; quiet++ {
		for _, part := range n.Parts() {
			if part.Lag > 0 || !part.Ready {
				quiet = 0
			}
		}
		select {
		case <-time.After(2500 * time.Millisecond): // the lag is read every 2 s
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// load sends the request over and over for a while, from as many connections as
// there are cores and then some, and answers how many a second were answered.
func load(url string, prepare func(*fasthttp.Request)) (float64, error) {
	const lasts = 1500 * time.Millisecond
	var answered atomic.Int64
	var failed atomic.Pointer[error]
	client := &fasthttp.Client{MaxConnsPerHost: 1000}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	began := time.Now()
	for range 8 * runtime.NumCPU() {
		all.Go(func() {
			q, a := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			defer fasthttp.ReleaseRequest(q)
			defer fasthttp.ReleaseResponse(a)
			for time.Since(began) < lasts {
				q.Reset()
				q.SetRequestURI(url)
				prepare(q)
				if err := client.Do(q, a); err != nil {
					failed.Store(&err)
					return
				}
				if a.StatusCode()/100 != 2 {
					err := fmt.Errorf("status %d: %.200s", a.StatusCode(), a.Body())
					failed.Store(&err)
					return
				}
				answered.Add(1)
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(answered.Load()) / time.Since(began).Seconds(), nil
}

// bare answers every request with the same bytes, and does nothing else.
func bare(status int, body []byte) (url string, closeIt func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetStatusCode(status)
		ctx.SetContentType("application/json")
		ctx.SetBody(body)
	}}
	go func() { _ = server.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = server.Shutdown() }, nil
}

// lookups compares recommendations with a bare handler that answers the same
// bytes.
func (b *bench) lookups(ctx context.Context) error {
	n, book, err := b.benchNode(ctx, 1000, 1000, 10_000)
	if err != nil {
		return err
	}
	defer n.Stop(nil)
	users := book.Users()
	ask := func(i uint64) string {
		return "/v1/recommendations?n=10&user_id=" + users[i%uint64(len(users))].ID
	}
	_, body, err := fasthttp.Get(nil, n.URL()+ask(0))
	if err != nil {
		return err
	}
	peer, closeIt, err := bare(fasthttp.StatusOK, body)
	if err != nil {
		return err
	}
	defer closeIt()
	var turn atomic.Uint64
	run := func(url string) func() (float64, error) {
		return func() (float64, error) {
			return load(url, func(q *fasthttp.Request) { q.SetRequestURI(url + ask(turn.Add(1))) })
		}
	}
	return b.pair(measured{
		Name: "lookups", What: "recommendations (1,000 open events, 10 items) : bare handler, same bytes", Unit: "requests/s",
	}, run(n.URL()), run(peer))
}

// posts compares single posts, each acknowledged by the broker, with a bare
// handler that answers the same bytes and stores nothing.
func (b *bench) posts(ctx context.Context) error {
	n, book, err := b.benchNode(ctx, 1000, 200, 10)
	if err != nil {
		return err
	}
	defer n.Stop(nil)
	peer, closeIt, err := bare(fasthttp.StatusAccepted, []byte(`{"accepted":1,"rejected":[]}`))
	if err != nil {
		return err
	}
	defer closeIt()
	users := book.Users()
	var turn atomic.Uint64
	run := func(url string) func() (float64, error) {
		return func() (float64, error) {
			return load(url, func(q *fasthttp.Request) {
				i := turn.Add(1)
				u := users[i%uint64(len(users))]
				body, _ := json.Marshal(u)
				q.SetRequestURI(url + "/v1/users")
				q.Header.SetMethod(fasthttp.MethodPost)
				q.Header.SetContentType("application/json")
				q.SetBodyRaw(body)
			})
		}
	}
	return b.pair(measured{
		Name: "posts", What: "single posts, acknowledged by the broker : bare handler that stores nothing", Unit: "requests/s",
	}, run(n.URL()), run(peer))
}

// batches compares posts of 500 users each with sarama's producer sending the same
// records to the same topic.
func (b *bench) batches(ctx context.Context) error {
	n, book, err := b.benchNode(ctx, 500, 100, 10)
	if err != nil {
		return err
	}
	defer n.Stop(nil)
	users := book.Users()
	body, err := json.Marshal(users)
	if err != nil {
		return err
	}
	records := make([]topics.Record, len(users))
	for i, u := range users {
		records[i] = topics.UserRecord(tipoff.DefaultCompany, u, time.Now())
	}
	ours := func() (float64, error) {
		rate, err := load(n.URL(), func(q *fasthttp.Request) {
			q.SetRequestURI(n.URL() + "/v1/users")
			q.Header.SetMethod(fasthttp.MethodPost)
			q.Header.SetContentType("application/json")
			q.SetBodyRaw(body)
		})
		return rate * float64(len(users)), err
	}
	return b.pair(measured{
		Name: "batches", What: "posts of 500 items : sarama's own producer, same records", Unit: "records/s",
	}, ours, func() (float64, error) { return sendAll(n, records) })
}

// sendAll sends the records over and over with sarama's asynchronous producer, set
// up as sarama's documentation has it for safe delivery.
func sendAll(n *node.Node, records []topics.Record) (float64, error) {
	config := sarama.NewConfig()
	config.Version = sarama.V3_0_0_0
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Idempotent = true
	config.Net.MaxOpenRequests = 1
	config.Producer.Return.Successes = true
	producer, err := sarama.NewAsyncProducer(n.Cluster().Brokers(), config)
	if err != nil {
		return 0, err
	}
	const lasts = 1500 * time.Millisecond
	began := time.Now()
	acknowledged := make(chan int)
	go func() {
		count := 0
		for range producer.Successes() {
			count++
		}
		acknowledged <- count
	}()
	for time.Since(began) < lasts {
		for _, r := range records {
			producer.Input() <- &sarama.ProducerMessage{Topic: r.Topic, Key: sarama.StringEncoder(r.Key), Value: sarama.ByteEncoder(r.Value)}
		}
	}
	producer.AsyncClose()
	for failed := range producer.Errors() {
		err = failed.Err
	}
	count := <-acknowledged
	return float64(count) / time.Since(began).Seconds(), err
}

// freshLimit is the promise: a bet is visible in the bettor's next recommendation
// within this time, at the 99th percentile.
const freshLimit = 10.0 // milliseconds

// freshness measures from a coupon's post to the first recommendation that leaves
// its event out.
func (b *bench) freshness(ctx context.Context) error {
	n, book, err := b.benchNode(ctx, 200, 300, 1000)
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
	for name, q := range map[string]float64{"median": 0.5, "99th percentile": 0.99} {
		v := quantile(took, q)
		b.results.Rows = append(b.results.Rows, measured{
			Name: "freshness " + name, What: "post to changed recommendation, idle, " + name + " : limit", Unit: "ms",
			Tipoff: v, Peer: freshLimit, Ratio: freshLimit / v, Least: freshLimit / v, Most: freshLimit / v,
		})
	}
	return nil
}
