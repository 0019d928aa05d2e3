package bench

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/valyala/fasthttp"

	"tipoff/node"
	"tipoff/topics"
)

// batch compares posts of 500 coupons each with sarama's producer sending the same
// records to the same topic.
func (b *bench) batch(ctx context.Context) error {
	n, h, err := b.apart(ctx)
	if err != nil {
		return err
	}
	bets := h.slips()
	records := bets.records(postSize, time.Now())
	posts := bets.posting(n.URL(), lookupConnections, postSize)
	err = b.turns(ctx, comparison{
		row: "batch", against: "sarama's async producer, same records", withoutFirst: true,
		tipoff: rate(func() (float64, error) {
			a, err := posts.closed(ctx, b.lasts())
			if err != nil {
				return 0, err
			}
			return a.rate() * postSize, nil
		}),
		other:   rate(func() (float64, error) { return sendAll(n, records, b.lasts()) }),
		figures: []figure{{name: "rate", what: "posts of 500 coupons, the api alone", unit: "records/s", reach: []Reach{atLeast(.7)}}},
	})
	return errors.Join(err, n.Stop(nil))
}

// sendAll sends the records over and over for a while with sarama's asynchronous
// producer, set up as sarama's documentation has it for safe delivery.
func sendAll(n *node.Node, records []topics.Record, lasts time.Duration) (float64, error) {
	config := sarama.NewConfig()
	config.Version = sarama.V3_0_0_0
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Idempotent = true
	config.Producer.Return.Successes = true
	ours, err := n.Cluster().Sarama("bench")
	if err != nil {
		return 0, err
	}
	config.Net = ours.Net // how to reach the broker
	producer, err := sarama.NewAsyncProducer(n.Cluster().Brokers(), config)
	if err != nil {
		return 0, err
	}
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

// crowded compares posts of 500 on one connection at the pipeline's sustained rate with
// the same while it rests.
func (b *bench) crowded(ctx context.Context) error {
	n, h, err := b.shared(ctx, b.usual())
	if err != nil {
		return err
	}
	sustained, err := b.sustained(ctx, n, h)
	if err != nil {
		return err
	}
	bets := h.slips()
	posts := bets.posting(n.URL(), 1, postSize)
	posted := 20
	if b.Small {
		posted = 5
	}
	rest := func(ctx context.Context) (figures, error) {
		all := newTimes()
		for range posted {
			a, err := posts.times(ctx, 1)
			if err == nil {
				all.Merge(a.times)
				err = settled(ctx, n.Cluster())
			}
			if err != nil {
				return nil, err
			}
		}
		return (&answers{times: all, took: time.Second}).figures(), nil
	}
	work := func(ctx context.Context) (figures, error) {
		lasts := time.Duration(float64(posted) * postSize / sustained * float64(time.Second))
		a, err := posts.open(ctx, sustained/postSize, lasts)
		if errors.Is(err, errSaturated) { // then it has counted with its waiting
			err = nil
		}
		if err != nil {
			return nil, err
		}
		return a.figures(), settled(ctx, n.Cluster())
	}
	what := fmt.Sprintf("posts of 500 on one connection, at %.0f coupons/s", sustained)
	return b.turns(ctx, comparison{
		row: "crowded", against: "itself, at rest", tipoff: work, other: rest,
		figures: []figure{{name: "p50", what: what, unit: "ms"}, {name: "p99", what: what, unit: "ms", reach: []Reach{atMost(3)}}},
	})
}

// times sends so many requests.
func (l *load) times(ctx context.Context, n int64) (*answers, error) {
	var left atomic.Int64
	left.Store(n)
	return l.run(ctx, time.Now(), func(uint64) (time.Time, bool) { return time.Now(), left.Add(-1) >= 0 })
}

// post sends one body to the path, and fails unless it is accepted.
func post(url, path string, body []byte) error {
	q, a := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(q)
	defer fasthttp.ReleaseResponse(a)
	q.SetRequestURI(url + path)
	q.Header.SetMethod(fasthttp.MethodPost)
	q.Header.SetContentType("application/json")
	q.SetBodyRaw(body)
	if err := fasthttp.Do(q, a); err != nil {
		return err
	}
	if a.StatusCode() != fasthttp.StatusAccepted {
		return fmt.Errorf("POST %s: status %d: %.200s", path, a.StatusCode(), a.Body())
	}
	return nil
}
