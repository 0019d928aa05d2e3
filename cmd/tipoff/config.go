package main

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

// settings are what every mode may need; template.env explains each.
type settings struct {
	Addr   string `env:"TIPOFF_ADDR" default:"127.0.0.1:5000" placeholder:"HOST:PORT" help:"Where to listen (${env}, default ${default})."`
	Data   string `env:"TIPOFF_DATA" default:"./data" placeholder:"DIR" help:"Folder of the embedded broker and SQLite (${env}, default ${default})."`
	APIKey string `env:"TIPOFF_API_KEY" placeholder:"KEY" help:"Key that clients must send; none is asked for unless set (${env})."`

	Brokers     string `name:"kafka" env:"KAFKA_BOOTSTRAP_SERVERS" placeholder:"HOST:PORT,..." help:"Kafka's addresses; unset: a broker inside this process (${env})."`
	DatabaseURL string `env:"DATABASE_URL,SQLALCHEMY_DATABASE_URI" placeholder:"URL" help:"mysql://user:password@host:port/database; unset: SQLite (${env})."`

	Partitions  int           `env:"TIPOFF_PARTITIONS" default:"8" placeholder:"N" help:"Partitions of every topic, a power of two (${env}, default ${default})."`
	Replication int           `env:"TIPOFF_REPLICATION" default:"0" placeholder:"N" help:"Replicas of every topic; 0: 3, or as many as there are brokers (${env}, default ${default})."`
	Retention   time.Duration `env:"TIPOFF_RETENTION" default:"720h" placeholder:"DURATION" help:"How long facts stay on their topics (${env}, default ${default})."`

	Ranker string `env:"TIPOFF_RANKER" default:"tipoff" enum:"similar,popular,affinity,cf,tipoff" placeholder:"NAME" help:"How recommendations are ranked: ${enum} (${env}, default ${default})."`

	SecurityProtocol string `name:"kafka-security-protocol" env:"KAFKA_SECURITY_PROTOCOL" default:"PLAINTEXT" placeholder:"NAME" help:"PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL (${env})."`
	SASLMechanism    string `name:"kafka-sasl-mechanism" env:"KAFKA_SASL_MECHANISM" default:"PLAIN" placeholder:"NAME" help:"PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 (${env})."`
	SASLUsername     string `name:"kafka-sasl-username" env:"KAFKA_SASL_USERNAME" placeholder:"NAME" help:"User at Kafka (${env})."`
	SASLPassword     string `name:"kafka-sasl-password" env:"KAFKA_SASL_PASSWORD" placeholder:"PASSWORD" help:"Its password (${env})."`
	CALocation       string `name:"kafka-ssl-ca-location" env:"KAFKA_SSL_CA_LOCATION" placeholder:"FILE" help:"PEM file of Kafka's certificate authority; unset: the system's (${env})."`
	CertLocation     string `name:"kafka-ssl-certificate-location" env:"KAFKA_SSL_CERTIFICATE_LOCATION" placeholder:"FILE" help:"PEM file of a client certificate (${env})."`
	KeyLocation      string `name:"kafka-ssl-key-location" env:"KAFKA_SSL_KEY_LOCATION" placeholder:"FILE" help:"PEM file of its key (${env})."`

	LogLevel  slog.Level `env:"TIPOFF_LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error (${env}, default ${default})."`
	LogFormat string     `env:"TIPOFF_LOG_FORMAT" default:"text" enum:"text,json" placeholder:"FORMAT" help:"text or json (${env}, default ${default})."`
}

// terminal is where a mode speaks to people.
type terminal struct{ out, errors io.Writer }

func (s *settings) logger(t *terminal) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(t.errors, options))
	}
	return slog.New(slog.NewTextHandler(t.errors, options))
}

// embedded says whether the broker runs inside this process.
func (s *settings) embedded() bool { return s.Brokers == "" }

var errNeedsKafka = errors.New("this role runs beside others, which only a Kafka outside this process can join: " +
	"set KAFKA_BOOTSTRAP_SERVERS, or run tipoff without arguments for everything in one process")

func (s *settings) broker() broker.Config {
	var brokers []string
	for _, b := range strings.Split(s.Brokers, ",") {
		if b = strings.TrimSpace(b); b != "" {
			brokers = append(brokers, b)
		}
	}
	return broker.Config{
		Brokers:          brokers,
		SecurityProtocol: s.SecurityProtocol,
		SASLMechanism:    s.SASLMechanism,
		SASLUsername:     s.SASLUsername,
		SASLPassword:     s.SASLPassword,
		CALocation:       s.CALocation,
		CertLocation:     s.CertLocation,
		KeyLocation:      s.KeyLocation,
	}
}

func (s *settings) layout() broker.Layout {
	return broker.Layout{Partitions: s.Partitions, Replication: s.Replication, Retention: s.Retention}
}

func (s *settings) database() (*sink.Database, error) {
	if s.DatabaseURL != "" {
		return sink.Open(s.DatabaseURL)
	}
	return sink.Open("sqlite:" + filepath.Join(s.Data, "tipoff.db"))
}

// url is where clients on this machine reach the service.
func (s *settings) url() string {
	host, port, ok := strings.Cut(s.Addr, ":")
	if ok && (host == "" || host == "0.0.0.0") {
		return "http://127.0.0.1:" + port
	}
	return "http://" + s.Addr
}
