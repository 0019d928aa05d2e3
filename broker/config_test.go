package broker

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

func TestLayout_NamesTheSettingThatIsOutOfBounds(t *testing.T) {
	for setting, l := range map[string]Layout{
		"TIPOFF_PARTITIONS":  {Partitions: 6, Retention: time.Hour},
		"TIPOFF_REPLICATION": {Partitions: 8, Replication: -1, Retention: time.Hour},
		"TIPOFF_RETENTION":   {Partitions: 8, Retention: time.Minute},
	} {
		if err := l.Validate(); err == nil || !strings.HasPrefix(err.Error(), setting) {
			t.Errorf("%+v: %v", l, err)
		}
	}
}

func TestConfig_SASLAndTLS(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	certificate := selfSigned(t, folder)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		for _, protocol := range []string{"SASL_PLAINTEXT", "SASL_SSL"} {
			t.Run(mechanism+" "+protocol, func(t *testing.T) {
				options := []kfake.Opt{kfake.EnableSASL(), kfake.Superuser(mechanism, "tip", "secret")}
				if protocol == "SASL_SSL" {
					options = append(options, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{certificate}}))
				}
				k := fake(t, options...)
				config := Config{
					Brokers: k.ListenAddrs(), SecurityProtocol: protocol, SASLMechanism: mechanism, SASLUsername: "tip", SASLPassword: "secret",
					CALocation: filepath.Join(folder, "cert.pem"),
				}
				connect(t, config)
				config.SASLPassword = "wrong"
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				if _, err := Connect(ctx, config, layout, silent); err == nil {
					t.Error("a wrong password was let in")
				}
			})
		}
	}
}

func TestConfig_NamesTheSettingThatIsWrong(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "no.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for setting, c := range map[string]Config{
		"KAFKA_SECURITY_PROTOCOL":        {SecurityProtocol: "TELNET"},
		"KAFKA_SASL_PASSWORD":            {SecurityProtocol: "SASL_SSL", SASLUsername: "u"},
		"KAFKA_SASL_MECHANISM":           {SecurityProtocol: "SASL_SSL", SASLUsername: "u", SASLPassword: "p", SASLMechanism: "MAGIC"},
		"KAFKA_SASL_USERNAME":            {SecurityProtocol: "SASL_PLAINTEXT"},
		"KAFKA_SSL_CA_LOCATION":          {SecurityProtocol: "SSL", CALocation: filepath.Join(folder, "no.pem")},
		"KAFKA_SSL_CERTIFICATE_LOCATION": {SecurityProtocol: "SSL", CertLocation: "none.pem", KeyLocation: "none.key"},
	} {
		if _, err := c.sarama("test"); err == nil || !strings.HasPrefix(err.Error(), setting) {
			t.Errorf("%s: %v", setting, err)
		}
	}
}
