package http

import (
	"bytes"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/valyala/fasthttp"
)

// healthz says that the process lives.
func (s *Server) healthz(q *request) error {
	return q.writeJSON(fasthttp.StatusOK, map[string]string{"status": "ok"})
}

// metricsPage writes every metric in Prometheus's text form.
func (s *Server) metricsPage(q *request) error {
	families, err := s.Registry.Gather()
	if err != nil {
		s.Log.Warn("some metrics cannot be read", "request", q.id(), "error", err)
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	var page bytes.Buffer
	encoder := expfmt.NewEncoder(&page, format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	q.SetContentType(string(format))
	q.SetBody(page.Bytes())
	return nil
}

// metrics are the gateway's own.
type metrics struct {
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec

	posts, lookups counter // see [metrics.traffic]
}

func newMetrics(registry *prometheus.Registry) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tipoff_http_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"method", "route", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tipoff_http_request_duration_seconds", Help: "Time from a request read to its answer ready, by route.",
			Buckets: []float64{25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 1, 5},
		}, []string{"method", "route"}),
	}
	registry.MustRegister(m.requests, m.latency)
	return m
}

// counted is the counter of a status.
type counted struct {
	status int
	prometheus.Counter
}

// route returns a function that counts the responses of one route. The counter of the
// status that came last is at hand, as mostly the next one is the same.
func (m *metrics) route(method, path string) observer {
	latency := m.latency.WithLabelValues(method, path)
	traffic := m.traffic(method, path)
	var last atomic.Pointer[counted]
	last.Store(&counted{fasthttp.StatusOK, m.requests.WithLabelValues(method, path, "200")})
	return func(status int, took time.Duration) {
		if traffic != nil && status < 300 { // what was refused is not what moves
			traffic.Add(1)
		}
		latency.Observe(took.Seconds())
		c := last.Load()
		if c.status != status {
			c = &counted{status, m.requests.WithLabelValues(method, path, strconv.Itoa(status))}
			last.Store(c)
		}
		c.Inc()
	}
}

// rarely returns a function that counts the responses of a route that few ask for: it
// has no series before the first.
func (m *metrics) rarely(method, path string) observer {
	return func(status int, took time.Duration) {
		m.latency.WithLabelValues(method, path).Observe(took.Seconds())
		m.requests.WithLabelValues(method, path, strconv.Itoa(status)).Inc()
	}
}

// unread counts a request that is refused before it is known what it asks for.
func (m *metrics) unread(status int) {
	m.requests.WithLabelValues("", "unread", strconv.Itoa(status)).Inc()
}
