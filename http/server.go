// Package http is the gateway: keys, limits and validation in front of three
// ports that others fill, a [Publisher] for facts, a [Recommender] for answers
// from memory, and an [Archive] for the past.
//
// What arrives is requests of the old API and of v1, as openapi.yaml describes
// them. What leaves is an answer whose status is true: a 2xx to a post means that
// the broker has it. It knows neither goka nor Kafka nor SQL.
package http

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fasthttp/router"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"tipoff"
	"tipoff/topics"
	"tipoff/trace"
)

// Publisher sends facts to the broker. It returns nil once the broker has all of
// them, else an error that wraps [tipoff.ErrBusy] or [tipoff.ErrUnavailable]. It may keep
// what the records hold, but not the list.
type Publisher interface {
	Publish(ctx context.Context, records []topics.Record) error
}

// Recommender answers from memory what is open now and who likes what.
type Recommender interface {
	Recommend(company string, q tipoff.Query, now time.Time) tipoff.Recommendation
	// Explain says what the score of one event is made of that Recommend shows. Its error
	// wraps [tipoff.ErrNotFound] or [tipoff.ErrConflict].
	Explain(company, event string, q tipoff.Query, now time.Time) (tipoff.Explanation, error)
	Quality(company string, now time.Time) tipoff.Quality
	// Held says what is in memory of an event; held is nil where it is not open.
	Held(company, event string, now time.Time) (near []tipoff.Neighbour, held *tipoff.HeldEvent, known bool)
	Popular(company, sport, country string, n int, now time.Time) []tipoff.PopularEvent
	Event(company, id string) (tipoff.Event, bool)
	OpenEvents(company string, f tipoff.EventFilter, now time.Time) (events []tipoff.Event, cursor string, err error)
	User(company, id string) (tipoff.User, bool)
	Affinities(company, id string, now time.Time) (tipoff.Affinities, bool)
	// Known is what is known of the events of a coupon, for the header of its record; ""
	// where none is.
	Known(company string, c *tipoff.Coupon) string
}

// Archive reads the past. Its errors wrap [tipoff.ErrNotFound] or
// [tipoff.ErrUnavailable], or are [tipoff.Faults] of the question.
type Archive interface {
	Event(ctx context.Context, company, id string) (tipoff.Event, error)
	Events(ctx context.Context, company string, f tipoff.EventFilter) (events []tipoff.Event, cursor string, err error)
	Coupons(ctx context.Context, company, user, cursor string, n int) (coupons []tipoff.Coupon, next string, err error)
	// Counts leaves out what is held in memory.
	Counts(ctx context.Context, company, event string) (tipoff.EventCounts, error)
}

// DeadLetters are the records that could not be used. Its errors wrap
// [tipoff.ErrNotFound], [tipoff.ErrBusy] or [tipoff.ErrUnavailable], or are
// [tipoff.Faults] of the question or a [tipoff.Conflict].
type DeadLetters interface {
	DeadLetters(ctx context.Context, company string, f tipoff.DeadLetterFilter) (tipoff.DeadLetterPage, error)
	Retry(ctx context.Context, company, id string) (topic string, err error)
}

// API is what a gateway serves besides its own health.
type API struct {
	Publisher   Publisher
	Recommender Recommender
	Archive     Archive
	DeadLetters DeadLetters // nil: they cannot be had
	Journeys    Journeys    // nil: nothing is followed
}

// Options configure a server.
type Options struct {
	Addr      string      // host:port; port 0 picks one
	Key       string      // of the API; "": none is asked for
	API       func() *API // nil while the parts behind it are not there yet; nil itself: health and metrics alone
	Readiness func() Readiness
	Status    func() Status // called by one goroutine at a time; nil: nothing is known
	HideDocs  bool          // /docs, /openapi.yaml and /console, which anyone can read, are not there
	Registry  *prometheus.Registry
	Log       *slog.Logger
	Now       func() time.Time // nil: the clock

	AccessLog *slog.Logger // nil: requests are not logged

	// AllowedOrigins are those of pages, besides the server's own, that may send
	// requests, as "https://shop.example". A page of the server's own whose proxy
	// changes the Host has another origin too.
	AllowedOrigins []string
	// AllowedHosts are names by which a server may be called that listens on loopback
	// and asks for no key, besides localhost and loopback addresses, as "tipoff.test",
	// or with a port, "tipoff.test:80". Any other server answers to every name.
	AllowedHosts []string

	Tracer *trace.Tracer // nil: nothing is traced

	Fleet Fleet // gateways that share the bettors with this one

	ReadTimeout time.Duration // for a whole request to arrive; 0: 15 s

	listener    net.Listener  // of a test, instead of Addr
	connections int           // of a test, instead of those that its files allow
	patience    time.Duration // of a test, instead of writeTimeout
}

// Limits of a request.
const (
	MaxBody         = 4 << 20  // bytes as sent
	MaxBodyUnpacked = 16 << 20 // bytes after gzip
	MaxPosted       = 1000     // items of one post
	maxHeader       = 16 << 10 // bytes
	answerBuffer    = 16 << 10 // bytes; a response that fits leaves in one packet

	readTimeout  = 15 * time.Second // see [Options]
	writeTimeout = 30 * time.Second
	idleTimeout  = 75 * time.Second
)

// Server is a gateway that listens.
type Server struct {
	Options
	listener     net.Listener
	server       *fasthttp.Server
	metrics      *metrics
	fleet        *fleet // nil: this one has all bettors
	board        *board
	journeyAsked atomic.Int64 // when it was asked for a journey last, Unix nanoseconds
	underWay     underWay
	open         atomic.Int64 // connections
	draining     atomic.Bool
	ended        chan error

	namesHost bool   // it answers only to its own names
	address   []byte // host:port
}

// Start listens and serves until Close.
func Start(o Options) (*Server, error) {
	listener := o.listener
	if listener == nil {
		var err error
		if listener, err = net.Listen("tcp", o.Addr); err != nil {
			return nil, notFree(o.Addr, err)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = readTimeout
	}
	if o.patience == 0 {
		o.patience = writeTimeout
	}
	if o.connections == 0 {
		o.connections = connections(openFiles())
	}
	s := &Server{Options: o, listener: listener, metrics: newMetrics(o.Registry), ended: make(chan error, 1)}
	s.fleet = newFleet(o.Fleet, o.Registry)
	s.board = newBoard(s.takeStatus, o.Log)
	s.namesHost, s.address = o.Key == "" && loopback(listener.Addr()), []byte(listener.Addr().String())
	if o.API != nil && o.Key == "" && !loopback(listener.Addr()) {
		o.Log.Warn("ANYONE WHO REACHES THIS ADDRESS CAN READ AND POST: set TIPOFF_API_KEY, or listen on 127.0.0.1", "address", s.URL())
	}
	s.server = &fasthttp.Server{
		Name:               "tipoff",
		Handler:            s.router(),
		ErrorHandler:       s.refuse,
		ExpectHandler:      s.expect,
		StreamRequestBody:  true, // so that one too large is answered, not cut off
		MaxRequestBodySize: MaxBody,
		ReadBufferSize:     maxHeader,
		WriteBufferSize:    answerBuffer,
		// A form is a body of the wrong type, for its route to refuse.
		DisablePreParseMultipartForm: true,
		ReadTimeout:                  o.ReadTimeout,
		WriteTimeout:                 o.patience,
		IdleTimeout:                  idleTimeout,
		NoDefaultContentType:         true,
		NoDefaultServerHeader:        true,
		CloseOnShutdown:              true,
		Concurrency:                  o.connections + 2*spareConnections, // the listener refuses before
		ReduceMemoryUsage:            true,                               // an idle connection does not keep the buffer of its last answer
		Logger:                       quiet{o.Log},
		SecureErrorLogMessage:        true, // errors do not quote headers
		ConnState:                    s.progress,
	}
	go func() { s.ended <- s.server.Serve(&retryingListener{listener, s, o.connections}) }()
	return s, nil
}

func loopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// URL is where the server listens.
func (s *Server) URL() string {
	addr := s.listener.Addr().String()
	if host, port, err := net.SplitHostPort(addr); err == nil {
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			addr = net.JoinHostPort("localhost", port)
		}
	}
	return "http://" + addr
}

// Drain asks the client of every response from now on to close its connection. The
// server goes on serving.
func (s *Server) Drain() { s.draining.Store(true) }

// Close ends streams, takes no more connections and waits for the requests under way,
// until ctx ends. Streams have a time of their own, so that one that does not end leaves the
// requests theirs.
func (s *Server) Close(ctx context.Context) error {
	ending, cancel := context.WithTimeout(ctx, streamsEnd)
	err := s.board.close(ending)
	cancel()
	err = errors.Join(err, s.server.ShutdownWithContext(ctx))
	s.fleet.close()
	// A server that was told to end before it began to serve would serve for ever.
	_ = s.listener.Close()
	select {
	case ended := <-s.ended:
		if !errors.Is(ended, net.ErrClosed) {
			err = errors.Join(err, ended)
		}
		return err
	case <-ctx.Done():
		return errors.Join(err, ctx.Err())
	}
}

func (s *Server) router() fasthttp.RequestHandler {
	r := router.New()
	r.RedirectTrailingSlash, r.RedirectFixedPath = false, false
	r.SaveMatchedRoutePath = false
	for _, rt := range s.routes() {
		r.Handle(rt.method, rt.path, s.serve(rt, s.metrics.route(rt.method, rt.path)))
		if rt.method == fasthttp.MethodGet { // fasthttp leaves the body out
			head := rt
			head.method = fasthttp.MethodHead
			r.Handle(head.method, head.path, s.serve(head, s.metrics.rarely(head.method, head.path)))
		}
	}
	other := func(method string, serve func(*request) error) fasthttp.RequestHandler {
		return s.serve(route{method: method, path: "none", open: true, serve: serve}, s.metrics.rarely(method, "none"))
	}
	r.NotFound = other("", func(*request) error { return errNoRoute })
	// For these the router sets Allow.
	r.MethodNotAllowed = other("", func(*request) error { return errMethod })
	r.GlobalOPTIONS = other(fasthttp.MethodOptions, func(q *request) error {
		q.SetStatusCode(fasthttp.StatusNoContent)
		return nil
	})
	return r.Handler
}

// observer is told the status of a response and how long it took.
type observer func(status int, took time.Duration)

// serve wraps a route with what all have in common.
func (s *Server) serve(rt route, observe observer) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		began := time.Now()
		q := s.newRequest(ctx, !strings.HasPrefix(string(ctx.Path()), "/v1/"))
		defer q.release()
		s.guard(rt, q)
		if s.draining.Load() {
			q.SetConnectionClose()
		}
		q.span.EndRequest(ctx.Response.StatusCode())
		took := time.Since(began)
		observe(ctx.Response.StatusCode(), took)
		s.logAccess(rt.method, rt.path, q, took)
	}
}

// guard asks where a request comes from, and for the key, and keeps a fault of ours from ending the process.
func (s *Server) guard(rt route, q *request) {
	defer q.settle()
	defer func() {
		if fault := recover(); fault != nil {
			s.Log.Error("a request made the gateway panic", "request", q.id(), "method", rt.method, "route", rt.path, "panic", fault, "stack", string(debug.Stack()))
			q.fail(errPanic)
		}
	}()
	err := s.checkCrowd(rt, q)
	if err == nil {
		err = s.checkSource(q)
	}
	if err != nil {
		q.fail(err)
		return
	}
	if !rt.open && !s.keyFits(q) {
		q.fail(errKey)
		return
	}
	q.span = s.span(rt, q)
	if err = rt.serve(q); err != nil {
		q.fail(err)
	}
}

func (s *Server) keyFits(q *request) bool {
	if s.Key == "" {
		return true
	}
	given := q.Request.Header.Peek("X-API-Key")
	if len(given) == 0 {
		scheme, token, _ := strings.Cut(string(q.Request.Header.Peek("Authorization")), " ")
		if strings.EqualFold(scheme, "Bearer") {
			given = []byte(strings.TrimSpace(token))
		}
	}
	return subtle.ConstantTimeCompare(given, []byte(s.Key)) == 1
}
