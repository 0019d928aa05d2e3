package broker

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

const (
	// dialPatience bounds the making of a connection.
	dialPatience = 3 * time.Second
	// askAgain is how soon after it was asked who leads a partition a broker is asked again.
	askAgain = 250 * time.Millisecond
)

// franz connects a client of franz-go's. It dials when it is first used.
func (c *Config) franz(clientID string, more ...kgo.Opt) (*kgo.Client, error) {
	options := append([]kgo.Opt{kgo.SeedBrokers(c.Brokers...), kgo.ClientID(clientID), kgo.MetadataMinAge(askAgain)}, more...)
	if c.Dial == nil {
		options = append(options, kgo.DialTimeout(dialPatience))
	}
	if strings.HasSuffix(strings.ToUpper(c.SecurityProtocol), "SSL") {
		t, err := c.tls()
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.DialTLSConfig(t))
	}
	if c.Dial != nil {
		options = append(options, kgo.Dialer(func(_ context.Context, network, address string) (net.Conn, error) {
			return c.Dial(network, address)
		}))
	}
	if strings.HasPrefix(strings.ToUpper(c.SecurityProtocol), "SASL_") {
		options = append(options, kgo.SASL(c.sasl()))
	}
	return kgo.NewClient(options...)
}

// newEpochs connects the client that asks for leader epochs: sarama has no such request.
func (c *Config) newEpochs() (*epochs, error) {
	client, err := c.franz("tipoff-epochs")
	if err != nil {
		return nil, err
	}
	return &epochs{admin: kadm.NewClient(client), all: map[read]*history{}}, nil
}

func (c *Config) sasl() sasl.Mechanism {
	switch strings.ToUpper(c.SASLMechanism) {
	case "SCRAM-SHA-256":
		return scram.Auth{User: c.SASLUsername, Pass: c.SASLPassword}.AsSha256Mechanism()
	case "SCRAM-SHA-512":
		return scram.Auth{User: c.SASLUsername, Pass: c.SASLPassword}.AsSha512Mechanism()
	}
	return plain.Auth{User: c.SASLUsername, Pass: c.SASLPassword}.AsMechanism()
}
