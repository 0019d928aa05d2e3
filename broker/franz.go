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

// askAgain is how soon after it was asked who leads a partition a broker is asked again.
const askAgain = 250 * time.Millisecond

// newEpochs connects the client that asks for leader epochs: sarama, which does all
// else, has no such request. It dials when it is first used.
func (c *Config) newEpochs() (*epochs, error) {
	options := []kgo.Opt{kgo.SeedBrokers(c.Brokers...), kgo.ClientID("tipoff-epochs"), kgo.MetadataMinAge(askAgain)}
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
	client, err := kgo.NewClient(options...)
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
