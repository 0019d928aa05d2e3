package broker

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/xdg-go/scram"

	"tipoff/topics"
)

// Config says how to reach the cluster. The names are those of Kafka's own
// clients.
type Config struct {
	Brokers          []string // host:port
	SecurityProtocol string   // PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL
	SASLMechanism    string   // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	SASLUsername     string
	SASLPassword     string
	CALocation       string // PEM file; "": the system's authorities
	CertLocation     string // PEM file of the client's certificate; "": none
	KeyLocation      string // PEM file of its key

	// Lost is what the broker in this process knows to have lost.
	Lost []Loss

	// Dial makes the connections; nil: TCP.
	Dial func(network, address string) (net.Conn, error)
}

// dialer gives sarama our way to make connections.
type dialer func(network, address string) (net.Conn, error)

func (d dialer) Dial(network, address string) (net.Conn, error) { return d(network, address) }

// protocolVersion is what we speak: every broker from Kafka 3.0 to 4.x does.
var protocolVersion = sarama.V3_0_0_0

// sarama returns a fresh configuration: some of goka's builders change the one
// they are given, so nobody shares.
func (c *Config) sarama(clientID string) (*sarama.Config, error) {
	s := goka.DefaultConfig() // for its co-partitioning strategy and its returned successes
	s.ClientID = clientID
	s.Version = protocolVersion
	s.ChannelBufferSize = 1024

	s.Producer.RequiredAcks = sarama.WaitForAll
	s.Producer.Idempotent = true
	s.Net.MaxOpenRequests = 1 // with idempotence: no reordering, no duplicates
	s.Producer.Compression = sarama.CompressionSnappy
	s.Producer.Partitioner = sarama.NewCustomHashPartitioner(topics.NewKeyHash)
	// No flush settings: a message leaves as soon as the connection is free, and
	// what gathers meanwhile leaves together.
	s.Producer.Flush.Frequency, s.Producer.Flush.Bytes, s.Producer.Flush.Messages = 0, 0, 0

	s.Consumer.Offsets.Initial = sarama.OffsetOldest
	s.Consumer.Group.Session.Timeout = 6 * time.Second
	s.Consumer.Group.Heartbeat.Interval = time.Second
	s.Consumer.Offsets.AutoCommit.Interval = 250 * time.Millisecond

	s.Net.DialTimeout = dialPatience
	if c.Dial != nil {
		s.Net.Proxy.Enable, s.Net.Proxy.Dialer = true, dialer(c.Dial)
	}
	s.Metadata.Retry.Max = 3
	s.Metadata.AllowAutoTopicCreation = false // whoever still asks for a removed topic must not create it again
	return s, c.secure(s)
}

func (c *Config) secure(s *sarama.Config) error {
	protocol := strings.ToUpper(c.SecurityProtocol)
	switch protocol {
	case "", "PLAINTEXT":
	case "SSL", "SASL_SSL":
		t, err := c.tls()
		if err != nil {
			return err
		}
		s.Net.TLS.Enable, s.Net.TLS.Config = true, t
	case "SASL_PLAINTEXT":
	default:
		return fmt.Errorf("KAFKA_SECURITY_PROTOCOL: must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, is %q", c.SecurityProtocol)
	}
	if !strings.HasPrefix(protocol, "SASL_") {
		return nil
	}
	s.Net.SASL.Enable = true
	s.Net.SASL.User, s.Net.SASL.Password = c.SASLUsername, c.SASLPassword
	if c.SASLUsername == "" {
		return fmt.Errorf("KAFKA_SASL_USERNAME: is required with KAFKA_SECURITY_PROTOCOL=%s", protocol)
	}
	if c.SASLPassword == "" {
		return fmt.Errorf("KAFKA_SASL_PASSWORD: is required with KAFKA_SECURITY_PROTOCOL=%s", protocol)
	}
	switch strings.ToUpper(c.SASLMechanism) {
	case "", "PLAIN":
		s.Net.SASL.Mechanism = sarama.SASLTypePlaintext
	case sarama.SASLTypeSCRAMSHA256:
		s.Net.SASL.Mechanism = sarama.SASLTypeSCRAMSHA256
		s.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: scram.SHA256} }
	case sarama.SASLTypeSCRAMSHA512:
		s.Net.SASL.Mechanism = sarama.SASLTypeSCRAMSHA512
		s.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: scram.SHA512} }
	default:
		return fmt.Errorf("KAFKA_SASL_MECHANISM: must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, is %q", c.SASLMechanism)
	}
	return nil
}

func (c *Config) tls() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CALocation != "" {
		pem, err := os.ReadFile(c.CALocation)
		if err != nil {
			return nil, fmt.Errorf("KAFKA_SSL_CA_LOCATION: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("KAFKA_SSL_CA_LOCATION: %s holds no certificate in PEM form", c.CALocation)
		}
	}
	if c.CertLocation != "" || c.KeyLocation != "" {
		pair, err := tls.LoadX509KeyPair(c.CertLocation, c.KeyLocation)
		if err != nil {
			return nil, fmt.Errorf("KAFKA_SSL_CERTIFICATE_LOCATION and KAFKA_SSL_KEY_LOCATION: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// scramClient lets sarama speak SCRAM (RFC 5802).
type scramClient struct {
	hash         scram.HashGeneratorFcn
	conversation *scram.ClientConversation
}

func (s *scramClient) Begin(user, password, authzID string) error {
	client, err := s.hash.NewClient(user, password, authzID)
	if err != nil {
		return err
	}
	s.conversation = client.NewConversation()
	return nil
}

func (s *scramClient) Step(challenge string) (string, error) { return s.conversation.Step(challenge) }
func (s *scramClient) Done() bool                            { return s.conversation.Done() }
