package node

import (
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"tipoff/broker"
	"tipoff/sink"
)

// Settings are what a process may need; template.env explains each. They come in
// groups, of which a mode of the command line takes those that it uses: the tags are
// those of its parser.
type Settings struct {
	Address
	Access
	Browsers
	Debugging
	Ending
	Folder
	Database
	Kafka
	Topics
	Ranking
	Fleet
	Freshness
	Waiting
	Logs
	Tracing

	Log      *slog.Logger `kong:"-"` // nil: nothing is logged
	Requests *slog.Logger `kong:"-"` // nil: requests are not logged
}

// Address is where a process listens.
type Address struct {
	Addr string `group:"Listening" env:"TIPOFF_ADDR" default:"127.0.0.1:5000" placeholder:"HOST:PORT" help:"Where to listen (${env}, default ${default})."`
}

// Access is who may ask.
type Access struct {
	APIKey string `group:"Listening" env:"TIPOFF_API_KEY" placeholder:"KEY" help:"Key that clients must send; none is asked for unless set (${env})."`
}

// Browsers is what browsers may do at a gateway.
type Browsers struct {
	AllowedOrigins []string `group:"Listening" env:"TIPOFF_ALLOWED_ORIGINS" placeholder:"URL,..." help:"Sites whose pages may use the API, as https://shop.example; the service's own pages always may (${env})."`
	AllowedHosts   []string `group:"Listening" env:"TIPOFF_ALLOWED_HOSTS" placeholder:"NAME,..." help:"Names by which clients may call a service that listens on this machine alone and asks for no key, as behind a proxy; localhost always (${env})."`
	HideDocs       bool     `group:"Listening" env:"TIPOFF_HIDE_DOCS" help:"Leave out /docs, /openapi.yaml and /console, which are readable without a key (${env})."`
}

// Debugging is where a process shows what it is doing inside.
type Debugging struct {
	DebugAddr string `group:"Listening" env:"TIPOFF_DEBUG_ADDR" placeholder:"HOST:PORT" help:"Where to serve /debug/pprof, without a key, as 127.0.0.1:6060; nowhere unless set (${env})."`
}

// Ending is how a gateway ends.
type Ending struct {
	Drain time.Duration `group:"Listening" env:"TIPOFF_DRAIN" default:"3s" placeholder:"DURATION" help:"How long a gateway goes on serving after SIGTERM, not ready any more, so that balancers turn away from it; after Ctrl-C not at all (${env}, default ${default})."`
}

// Folder is where a process keeps what is on no server.
type Folder struct {
	Data string `group:"Storage" env:"TIPOFF_DATA" default:"./data" placeholder:"DIR" help:"Folder of the embedded broker and SQLite (${env}, default ${default})."`
	Sync bool   `group:"Storage" env:"TIPOFF_SYNC" help:"Have the embedded broker and SQLite write to the disk before a post is acknowledged and a row counts, so that both outlast a power cut (${env})."`
}

// Database is where the mirror is.
type Database struct {
	DatabaseURL string `group:"Storage" env:"DATABASE_URL,SQLALCHEMY_DATABASE_URI" placeholder:"URL" help:"mysql://user:password@host:port/database; unset: SQLite (${env})."`
}

// Kafka is how to reach the brokers.
type Kafka struct {
	Brokers          string `group:"Kafka" name:"kafka" env:"KAFKA_BOOTSTRAP_SERVERS" placeholder:"HOST:PORT,..." help:"Kafka's addresses; unset: a broker inside this process (${env})."`
	SecurityProtocol string `group:"Kafka" name:"kafka-security-protocol" env:"KAFKA_SECURITY_PROTOCOL" default:"PLAINTEXT" placeholder:"NAME" help:"PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL (${env})."`
	SASLMechanism    string `group:"Kafka" name:"kafka-sasl-mechanism" env:"KAFKA_SASL_MECHANISM" default:"PLAIN" placeholder:"NAME" help:"PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 (${env})."`
	SASLUsername     string `group:"Kafka" name:"kafka-sasl-username" env:"KAFKA_SASL_USERNAME" placeholder:"NAME" help:"User at Kafka (${env})."`
	SASLPassword     string `group:"Kafka" name:"kafka-sasl-password" env:"KAFKA_SASL_PASSWORD" placeholder:"PASSWORD" help:"Its password (${env})."`
	CALocation       string `group:"Kafka" name:"kafka-ssl-ca-location" env:"KAFKA_SSL_CA_LOCATION" placeholder:"FILE" help:"PEM file of Kafka's certificate authority; unset: the system's (${env})."`
	CertLocation     string `group:"Kafka" name:"kafka-ssl-certificate-location" env:"KAFKA_SSL_CERTIFICATE_LOCATION" placeholder:"FILE" help:"PEM file of a client certificate (${env})."`
	KeyLocation      string `group:"Kafka" name:"kafka-ssl-key-location" env:"KAFKA_SSL_KEY_LOCATION" placeholder:"FILE" help:"PEM file of its key (${env})."`
}

// Topics is how the topics are laid out.
type Topics struct {
	Partitions  int           `group:"Topics" env:"TIPOFF_PARTITIONS" default:"0" placeholder:"N" help:"Partitions of every topic, a power of two; 0: as they are, and where there are no topics yet 8, or 4 inside this process (${env}, default ${default})."`
	Replication int           `group:"Topics" env:"TIPOFF_REPLICATION" default:"0" placeholder:"N" help:"Replicas of every topic; 0: 3, or as many as there are brokers (${env}, default ${default})."`
	Retention   time.Duration `group:"Topics" env:"TIPOFF_RETENTION" default:"720h" placeholder:"DURATION" help:"How long facts stay on their topics (${env}, default ${default})."`
	Alter       bool          `kong:"-"` // see [broker.Layout]
}

// Ranking is how a gateway ranks.
type Ranking struct {
	Ranker string `group:"Ranking" env:"TIPOFF_RANKER" default:"tipoff" enum:"similar,popular,affinity,cf,tipoff" placeholder:"NAME" help:"How recommendations are ranked: ${enum} (${env}, default ${default})."`
}

// Fleet is the gateways that share the bettors, where one does not hold all. A learner
// beside them holds the share of its number.
type Fleet struct {
	APINodes []string `group:"Fleet" env:"TIPOFF_API_NODES" placeholder:"URL,..." help:"Addresses of the gateways that share the bettors, as http://a:5000, the same on all of them and a power of two; unset: each has all bettors. A learner is told the same (${env})."`
	APINode  int      `group:"Fleet" env:"TIPOFF_API_NODE" default:"0" placeholder:"N" help:"Which of TIPOFF_API_NODES this gateway is, from 0 on; of a learner, whose share of the bettors it holds (${env}, default ${default})."`
}

// Freshness is how old what a gateway answers from may be.
type Freshness struct {
	MaxLag uint64 `group:"Readiness" env:"TIPOFF_MAX_LAG" default:"0" placeholder:"N" help:"Records that a gateway's tables, or the processors beside it, may have still to read while /readyz says ready; 0: any number (${env}, default ${default})."`
}

// Waiting is how long a processor keeps what waits for another fact.
type Waiting struct {
	EventWait time.Duration `group:"Processors" env:"TIPOFF_EVENT_WAIT" default:"168h" placeholder:"DURATION" help:"How long bets on an event that is not posted wait for it, from the last of them on, before they are dead letters; 0: for ever (${env}, default ${default})."`
}

// Logs is what is logged, and how.
type Logs struct {
	LogLevel  slog.Level `group:"Logs" env:"TIPOFF_LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error (${env}, default ${default})."`
	LogFormat string     `group:"Logs" env:"TIPOFF_LOG_FORMAT" default:"text" enum:"text,json" placeholder:"FORMAT" help:"text or json (${env}, default ${default})."`
	AccessLog bool       `group:"Logs" env:"TIPOFF_ACCESS_LOG" help:"Write a line of JSON about each request to the standard output (${env})."`
}

// Tracing is where traces go, and which requests are traced. The names are OpenTelemetry's.
type Tracing struct {
	TraceEndpoint string  `group:"Tracing" env:"OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL" help:"Collector that traces are sent to, by OTLP over HTTP, as http://collector:4318; unset: nothing is traced (${env})."`
	TraceHeaders  string  `group:"Tracing" env:"OTEL_EXPORTER_OTLP_HEADERS" placeholder:"NAME=VALUE,..." help:"Headers that the collector asks for, values percent-encoded (${env})."`
	TraceSampler  string  `group:"Tracing" env:"OTEL_TRACES_SAMPLER" default:"" enum:",always_on,always_off,traceidratio,parentbased_always_on,parentbased_always_off,parentbased_traceidratio" placeholder:"NAME" help:"Which requests are traced: always_on, always_off, traceidratio, or one of these behind parentbased_; unset: as parentbased_traceidratio, but no more than 10 a second because their traceparent asks for it (${env})."`
	TraceShare    float64 `group:"Tracing" env:"OTEL_TRACES_SAMPLER_ARG" default:"0.01" placeholder:"SHARE" help:"Share of the requests that a sampler with traceidratio in its name traces, 0 to 1 (${env}, default ${default})."`
	TraceService  string  `group:"Tracing" env:"OTEL_SERVICE_NAME" default:"tipoff" placeholder:"NAME" help:"What traces call this process (${env}, default ${default})."`
}

// RequestLogger returns a logger of requests, which writes JSON; nil: they are not to be
// logged.
func (l *Logs) RequestLogger(out io.Writer) *slog.Logger {
	if !l.AccessLog {
		return nil
	}
	return slog.New(slog.NewJSONHandler(out, nil))
}

// Logger returns a logger as the settings say. The same fault stands in it once a
// minute, with a count.
func (l *Logs) Logger(out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.LogLevel}
	var handler slog.Handler = slog.NewTextHandler(out, options)
	if l.LogFormat == "json" {
		handler = slog.NewJSONHandler(out, options)
	}
	return slog.New(newRepeats(handler, repeatsEvery))
}

// URL is where clients on this machine reach the service.
func (a *Address) URL() string {
	host, port, ok := strings.Cut(a.Addr, ":")
	if ok && (host == "" || host == "0.0.0.0") {
		return "http://127.0.0.1:" + port
	}
	return "http://" + a.Addr
}

// Embedded says whether the broker runs inside this process.
func (k *Kafka) Embedded() bool { return k.Brokers == "" }

var errNeedsKafka = errors.New("this role runs beside others, which only a Kafka outside this process can join: " +
	"set KAFKA_BOOTSTRAP_SERVERS, or run tipoff without arguments for everything in one process")

// NeedsKafka is an error where the broker would run inside this process, and be
// nobody else's.
func (k *Kafka) NeedsKafka() error {
	if k.Embedded() {
		return errNeedsKafka
	}
	return nil
}

func (k *Kafka) config() broker.Config {
	var brokers []string
	for _, b := range strings.Split(k.Brokers, ",") {
		if b = strings.TrimSpace(b); b != "" {
			brokers = append(brokers, b)
		}
	}
	return broker.Config{
		Brokers:          brokers,
		SecurityProtocol: k.SecurityProtocol,
		SASLMechanism:    k.SASLMechanism,
		SASLUsername:     k.SASLUsername,
		SASLPassword:     k.SASLPassword,
		CALocation:       k.CALocation,
		CertLocation:     k.CertLocation,
		KeyLocation:      k.KeyLocation,
	}
}

// Partitions of new topics of which nothing is said. In one process, fewer answers to fetches
// that hold more records each cost less.
const (
	newPartitions      = 8
	embeddedPartitions = 4
)

// Layout is what the settings say of the topics.
func (s *Settings) Layout() broker.Layout {
	l := broker.Layout{Partitions: s.Partitions, New: newPartitions, Replication: s.Replication, Retention: s.Retention, Alter: s.Alter}
	if s.Embedded() {
		l.New = embeddedPartitions
	}
	return l
}

// OpenDatabase prepares the connection to the mirror.
func (s *Settings) OpenDatabase() (*sink.Database, error) {
	if s.DatabaseURL != "" {
		return sink.Open(s.DatabaseURL)
	}
	return sink.OpenSQLite(s.SQLiteFile(), s.Sync)
}

func (s *Settings) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}

// brokerFolder is where the broker inside a process keeps its log.
func (s *Settings) brokerFolder() string { return filepath.Join(s.Data, "broker") }
