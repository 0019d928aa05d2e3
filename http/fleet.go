package http

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"tipoff/topics"
	"tipoff/trace"
)

// Fleet is gateways that share the bettors between them: each holds those whose key is in
// its share of the partitions, and asks another one about any other bettor. The zero
// value is one that holds all.
type Fleet struct {
	Nodes []string // their URLs, scheme://host:port, on every one in the same order; as many as a power of two
	Own   int      // which of them this one is, from 0 on
}

// Bounds of a request to another node.
const (
	forwardPatience = 3 * time.Second // for all of it
	dialPatience    = time.Second
	forwardIdle     = 30 * time.Second // a connection stays open; less than idleTimeout, after which the other side closes it
	// forwardMost is how many requests may be under way to one node: one that does not
	// answer holds so many up, and not all that this node could serve.
	forwardMost = 1024
)

// headerForwarded says which node has sent a request on.
const headerForwarded = "X-Tipoff-Forwarded"

// forwardedHeaders are those of a client's request that another node needs.
var forwardedHeaders = []string{"Authorization", "X-API-Key", headerCacheControl}

// fleet is the others that a gateway asks.
type fleet struct {
	own   int
	peers []*peer
}

// peer is one of the gateways of a [Fleet].
type peer struct {
	index  int
	url    string
	client *fasthttp.HostClient

	answered, misdirected, unreached prometheus.Counter
}

// newFleet returns nil where a gateway holds all bettors.
func newFleet(f Fleet, registry *prometheus.Registry) *fleet {
	if len(f.Nodes) < 2 {
		return nil
	}
	forwarded := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tipoff_http_forwarded_total",
		Help: "Requests sent on to the gateway that has their user, by gateway and outcome: answered; misdirected, as it does not have the user, so the gateways' settings differ; unreached.",
	}, []string{"node", "outcome"})
	registry.MustRegister(forwarded)
	known := &fleet{own: f.Own}
	for i, url := range f.Nodes {
		scheme, host, _ := strings.Cut(url, "://")
		p := &peer{index: i, url: url, client: &fasthttp.HostClient{
			Addr:                      fasthttp.AddMissingPort(host, scheme == "https"),
			IsTLS:                     scheme == "https",
			Dial:                      func(addr string) (net.Conn, error) { return net.DialTimeout("tcp", addr, dialPatience) },
			MaxConns:                  forwardMost,
			MaxIdleConnDuration:       forwardIdle,
			MaxIdemponentCallAttempts: 1, // see [peer.ask]
			DisablePathNormalizing:    true,
			NoDefaultUserAgentHeader:  true,
			SecureErrorLogMessage:     true,
		}}
		if i != f.Own {
			p.answered = forwarded.WithLabelValues(url, "answered")
			p.misdirected = forwarded.WithLabelValues(url, "misdirected")
			p.unreached = forwarded.WithLabelValues(url, "unreached")
		}
		known.peers = append(known.peers, p)
	}
	return known
}

// close closes what is open to the others and not in use.
func (f *fleet) close() {
	if f == nil {
		return
	}
	for _, p := range f.peers {
		p.client.CloseIdleConnections()
	}
}

var errMisdirected = errors.New("another gateway took this one for the one that has this user: TIPOFF_API_NODES must be the same on all gateways, in the same order, and TIPOFF_API_NODE another number on each")

// awayError says that the gateway that has a user cannot be asked.
type awayError struct {
	peer  *peer
	cause error
}

func (e *awayError) Error() string {
	return fmt.Sprintf("the gateway that has this user does not answer, %s, number %d of TIPOFF_API_NODES; send it again after the seconds in Retry-After", e.peer.url, e.peer.index)
}

func (e *awayError) Unwrap() error { return e.cause }

// forward has the gateway answer that has a user, and returns true; false: it is this one,
// or there is no other.
func (s *Server) forward(q *request, user string) (done bool, err error) {
	f := s.fleet
	if f == nil {
		return false, nil
	}
	p := f.peers[topics.PartitionOf([]byte(topics.Key(q.company(), user)), len(f.peers))]
	if p.index == f.own {
		return false, nil
	}
	if from := q.Request.Header.Peek(headerForwarded); len(from) > 0 {
		s.Log.Warn("requests are sent here about users of another gateway: TIPOFF_API_NODES or TIPOFF_API_NODE differ", "part", p.url)
		return true, errMisdirected
	}
	answer := fasthttp.AcquireResponse()
	defer fasthttp.ReleaseResponse(answer)
	if err := p.ask(q, strconv.Itoa(f.own), answer); err != nil {
		p.unreached.Inc()
		s.Log.Warn("the gateway that has a user does not answer", "part", p.url, "request", q.id(), "error", err)
		return true, &awayError{p, err}
	}
	if answer.StatusCode() == fasthttp.StatusMisdirectedRequest {
		p.misdirected.Inc()
	} else {
		p.answered.Inc()
	}
	answer.Header.ResetConnectionClose() // that of the other gateway
	answer.CopyTo(&q.Response)
	return true, nil
}

// ask sends a request on, and reads the answer. A connection that was open may be of an
// earlier life of the other gateway, as may all that are: it is tried again on a new one.
func (p *peer) ask(q *request, from string, answer *fasthttp.Response) error {
	asked := fasthttp.AcquireRequest()
	defer fasthttp.ReleaseRequest(asked)
	asked.Header.SetMethodBytes(q.Method())
	target := append([]byte(p.url), q.URI().PathOriginal()...)
	if query := q.URI().QueryString(); len(query) > 0 {
		target = append(append(target, '?'), query...)
	}
	asked.SetRequestURIBytes(target)
	for _, name := range forwardedHeaders {
		if value := q.Request.Header.Peek(name); len(value) > 0 {
			asked.Header.SetBytesV(name, value)
		}
	}
	asked.Header.Set(headerID, q.id())
	asked.Header.Set(headerForwarded, from)
	if parent := q.span.Traceparent(); parent != "" {
		asked.Header.Set(trace.Header, parent)
	}
	deadline := time.Now().Add(forwardPatience)
	err := p.client.DoDeadline(asked, answer, deadline)
	var timeout interface{ Timeout() bool }
	if err == nil || errors.Is(err, fasthttp.ErrNoFreeConns) || errors.As(err, &timeout) && timeout.Timeout() {
		return err
	}
	p.client.CloseIdleConnections()
	return p.client.DoDeadline(asked, answer, deadline)
}
