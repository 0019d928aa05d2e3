package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/IBM/sarama"
	"github.com/go-json-experiment/json"

	"tipoff"
	"tipoff/node"
)

const (
	freshP99   = 10.0 // milliseconds: what Tipoff promises itself
	freshTopic = "tipoff-bench-echo"
	freshTurn  = 20 * time.Second      // after which a turn has no more probes
	freshRests = 20 * time.Millisecond // between two probes: they must not be load themselves
)

// freshness measures from when a coupon is acknowledged until its bettor's
// recommendations have learnt it, while half of the sustained load comes in; against a
// record's way through the broker alone at that load.
func (b *bench) freshness(ctx context.Context) (err error) {
	n, h, err := b.shared(ctx, b.usual())
	if err != nil {
		return err
	}
	sustained, err := b.sustained(ctx, n, h)
	if err != nil {
		return err
	}
	echoes, err := newEchoes(n)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, echoes.close()) }()
	stop := h.slipsBy(func(r *rand.Rand) int { return 10 + r.IntN(len(h.users)-10) }).background(ctx, n.URL(), sustained/2)
	probes := 200
	if b.Small {
		probes = 30
	}
	var all []float64
	ours := func(ctx context.Context) (figures, error) {
		took, err := times(ctx, probes, func(ctx context.Context) (time.Duration, error) { return h.probe(ctx, n) })
		all = append(all, took...)
		return quantiles(took), err
	}
	other := func(ctx context.Context) (figures, error) {
		took, err := times(ctx, probes, echoes.probe)
		return quantiles(took), err
	}
	what := fmt.Sprintf("post to changed recommendation, at %.0f coupons/s", sustained/2)
	err = b.turns(ctx, comparison{
		row: "freshness", against: "the broker's own produce-to-consume time", tipoff: ours, other: other, withoutFirst: true,
		figures: []figure{
			{name: "p50", what: what, unit: "ms", reach: []Reach{atMost(3)}},
			{name: "p99", what: what, unit: "ms", reach: []Reach{atMost(4), itselfAtMost(freshP99)}},
		},
	})
	taken, stopped := stop()
	if err := errors.Join(err, stopped); err != nil {
		return err
	}
	b.add(Line{Row: "freshness", Figure: "taken", What: "of those, taken in", Unit: "coupons/s", Tipoff: taken, Least: taken, Most: taken})
	if b.Plot == "" {
		return nil
	}
	return b.plotFreshness(all)
}

// times measures something n times, with a rest between, in milliseconds; fewer times
// where it takes so long that the turn would.
func times(ctx context.Context, n int, measure func(context.Context) (time.Duration, error)) (took []float64, err error) {
	began := time.Now()
	for len(took) < n && time.Since(began) < freshTurn {
		t, err := measure(ctx)
		if err != nil {
			return nil, err
		}
		took = append(took, float64(t.Microseconds())/1000)
		if !until(ctx, time.Now().Add(freshRests)) {
			return nil, ctx.Err()
		}
	}
	return took, nil
}

func quantiles(took []float64) figures {
	if len(took) == 0 {
		return nil
	}
	return figures{"p50": quantile(took, .5), "p99": quantile(took, .99)}
}

// freshPatience is how long a bet may take to be learnt, or a record to come back.
const freshPatience = 30 * time.Second

// probe posts a coupon of one of the bettors who are left out of the background's load,
// and returns how long after its acknowledgement it was learnt.
func (h *home) probe(ctx context.Context, n *node.Node) (time.Duration, error) {
	now := time.Now()
	user := h.users[now.UnixNano()%10].ID
	open := h.world.events[len(h.world.events)-1-int(now.UnixNano()%int64(h.size.events/2))]
	coupon, err := json.Marshal(tipoff.Coupon{
		ID: fmt.Sprint("fresh-", now.UnixNano()), UserID: user, Stake: 1, Timestamp: now, Selections: []tipoff.Selection{{EventID: open.ID, Odds: 2}},
	})
	if err != nil {
		return 0, err
	}
	before, _ := n.Views().Affinities(tipoff.DefaultCompany, user, now)
	if err := post(n.URL(), couponsPath, coupon); err != nil {
		return 0, err
	}
	acknowledged := time.Now()
	for { // learnt, not only noted
		after, _ := n.Views().Affinities(tipoff.DefaultCompany, user, time.Now())
		took := time.Since(acknowledged)
		if after.Bets > before.Bets {
			return took, nil
		}
		if took > freshPatience {
			return 0, fmt.Errorf("a bet of %s is not learnt after %s: the pipeline does not keep up with what row whole has found, measure again on an idle machine", user, freshPatience)
		}
		if !until(ctx, time.Now().Add(50*time.Microsecond)) { // a loop without rest would take the core that the pipeline needs
			return 0, ctx.Err()
		}
	}
}

// echoes are records that go to the broker and come back.
type echoes struct {
	node     *node.Node
	admin    sarama.ClusterAdmin
	producer sarama.SyncProducer
	consumer sarama.Consumer
	records  sarama.PartitionConsumer
}

func newEchoes(n *node.Node) (_ *echoes, err error) {
	e := &echoes{node: n}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	config, err := n.Cluster().Sarama("bench")
	if err != nil {
		return nil, err
	}
	if e.admin, err = sarama.NewClusterAdmin(n.Cluster().Brokers(), config); err != nil {
		return nil, err
	}
	one := &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: -1}
	if err := e.admin.CreateTopic(freshTopic, one, false); err != nil && !errors.Is(err, sarama.ErrTopicAlreadyExists) {
		return nil, fmt.Errorf("create topic %s: %w", freshTopic, err)
	}
	if e.producer, err = n.Cluster().NewSyncProducer("bench"); err != nil {
		return nil, err
	}
	settings, err := n.Cluster().Sarama("bench")
	if err != nil {
		return nil, err
	}
	if e.consumer, err = sarama.NewConsumer(n.Cluster().Brokers(), settings); err != nil {
		return nil, err
	}
	e.records, err = e.consumer.ConsumePartition(freshTopic, 0, sarama.OffsetNewest)
	return e, err
}

// probe returns how long a record takes from when it is sent until it is read.
func (e *echoes) probe(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	_, _, err := e.producer.SendMessage(&sarama.ProducerMessage{Topic: freshTopic, Value: sarama.StringEncoder(began.String())})
	if err != nil {
		return 0, err
	}
	select {
	case <-e.records.Messages():
		return time.Since(began), nil
	case <-time.After(freshPatience):
		return 0, fmt.Errorf("the broker did not give a record back within %s", freshPatience)
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (e *echoes) close() error {
	var errs []error
	if e.records != nil {
		errs = append(errs, e.records.Close())
	}
	if e.consumer != nil {
		errs = append(errs, e.consumer.Close())
	}
	if e.producer != nil {
		errs = append(errs, e.producer.Close())
	}
	if e.admin != nil {
		errs = append(errs, e.admin.DeleteTopic(freshTopic), e.admin.Close())
	}
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, sarama.ErrUnknownTopicOrPartition) })...)
}
