package bench

import (
	"context"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"

	"tipoff"
	"tipoff/node"
	"tipoff/topics"
)

// batch compares posts of 500 users each with sarama's producer sending the same
// records to the same topic.
func (b *bench) batch(ctx context.Context) error {
	n, book, err := b.startNode(ctx, 500, 100, 10)
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
	posts := &load{url: n.URL(), connections: 16, prepare: func(q *fasthttp.Request, _ uint64) { preparePost(q, n.URL()+"/v1/users", body) }}
	ours := func() (float64, error) {
		a, err := posts.closed(ctx, b.lasts())
		if err != nil {
			return 0, err
		}
		return a.rate() * float64(len(users)), err
	}
	return b.turns(ctx, comparison{
		row: "batch", against: "sarama's own producer, same records", withoutFirst: true,
		tipoff: rate(ours), other: rate(func() (float64, error) { return sendAll(n, records) }),
		figures: []figure{{name: "rate", what: "posts of 500 items", unit: "records/s", reach: []Reach{atLeast(0.7)}}},
	})
}

// sendAll sends the records over and over with sarama's asynchronous producer, set
// up as sarama's documentation has it for safe delivery.
func sendAll(n *node.Node, records []topics.Record) (float64, error) {
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
