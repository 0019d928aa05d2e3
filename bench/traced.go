package bench

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"tipoff/node"
)

// tracedShare is the share of lookups that are traced: what is traced unless it is set.
const tracedShare = .01

// traced compares lookups of which some are traced with those of a gateway beside, on the
// same tables, that traces nothing.
func (b *bench) traced(ctx context.Context) (err error) {
	if err := b.stopShared(); err != nil {
		return err
	}
	s, closeIt, err := b.scaling(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeIt()) }()
	var batches atomic.Int64
	collector, closeCollector, err := serveBare(fasthttp.MethodPost, "/v1/traces", func(*fasthttp.RequestCtx) { batches.Add(1) })
	if err != nil {
		return err
	}
	defer closeCollector()
	tracing := node.Tracing{TraceEndpoint: collector, TraceSampler: "parentbased_traceidratio", TraceShare: tracedShare, TraceService: "bench"}
	var urls [2]string
	for i, t := range []node.Tracing{tracing, {}} {
		n, err := s.gateway(ctx, t)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, n.Stop(nil)) }()
		urls[i] = n.URL()
	}
	what := "recommendations, no answer kept, 1% of them traced"
	err = b.turns(ctx, comparison{
		row: "traced", against: "itself, tracing off", withoutFirst: true, pairs: 5,
		tipoff: b.lookupsAt(s.on.world, urls[0]), other: b.lookupsAt(s.on.world, urls[1]),
		figures: []figure{
			{name: "rate", what: what, unit: "requests/s", reach: []Reach{atLeast(.97)}},
			{name: "p50", what: what, unit: "ms"},
			{name: "cpu", what: "CPU of a lookup, its client's too", unit: "us", reach: []Reach{atMost(1.03)}},
		},
	})
	if err == nil && batches.Load() == 0 {
		err = errors.New("no lookup was traced")
	}
	return err
}

// lookupsAt makes a side of lookups at a gateway in this process, with the CPU time that each
// took.
func (b *bench) lookupsAt(w *world, url string) side {
	asks := everyone(w).on(url, lookupConnections)
	return func(ctx context.Context) (figures, error) {
		before, err := metricAt(url, "process_cpu_seconds_total")
		if err != nil {
			return nil, err
		}
		a, err := asks.closed(ctx, b.lasts())
		if err != nil {
			return nil, err
		}
		after, err := metricAt(url, "process_cpu_seconds_total")
		got := a.figures()
		got["cpu"] = (after - before) * 1e6 / float64(a.count)
		return got, err
	}
}

// gateway starts a gateway in this process beside others, on the tables that are there.
func (s *scaling) gateway(ctx context.Context, t node.Tracing) (*node.Node, error) {
	settings := *s.settings
	settings.Tracing = t
	settings.Addr, settings.APIKey, settings.Data = "127.0.0.1:0", "", s.on.folder
	settings.Kafka = node.Kafka{Brokers: strings.Join(s.config.Brokers, ","), SecurityProtocol: s.config.SecurityProtocol,
		SASLMechanism: s.config.SASLMechanism, SASLUsername: s.config.SASLUsername, SASLPassword: s.config.SASLPassword,
		CALocation: s.config.CALocation, CertLocation: s.config.CertLocation, KeyLocation: s.config.KeyLocation}
	n, err := node.Start(ctx, &settings, node.API)
	if err != nil {
		return nil, err
	}
	if err := n.Ready(ctx); err != nil {
		return nil, errors.Join(err, n.Stop(nil))
	}
	return n, nil
}
