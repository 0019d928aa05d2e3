package doctor

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

const areaSettings = "settings"

// checkSettings sees whether the settings are possible, and make sense together.
func (e *examination) checkSettings() {
	if err := errors.Join(e.Layout().Validate(), e.Fleet.Validate()); err != nil {
		e.report.add(Check{Area: areaSettings, Name: "bounds", State: Wrong, Detail: err.Error(),
			Advice: []Advice{{Do: "no process starts with it: set it as it says; template.env explains each"}}})
	} else {
		e.report.ok(areaSettings, "bounds", "every setting is within its bounds")
	}
	odd := append(append(e.oddKafka(), e.oddStorage()...), e.oddListening()...)
	for _, c := range odd {
		c.Area = areaSettings
		e.report.add(c)
	}
	if len(odd) == 0 {
		e.report.ok(areaSettings, "together", "the settings make sense together")
	}
}

// odd is a finding of settings that make no sense together.
func odd(state State, name, detail, do string) Check {
	return Check{Name: name, State: state, Detail: detail, Advice: []Advice{{Do: do}}}
}

func (e *examination) oddKafka() (all []Check) {
	protocol := strings.ToUpper(e.SecurityProtocol)
	switch {
	case e.Embedded() && e.Replication > 1:
		all = append(all, odd(Wrong, "TIPOFF_REPLICATION", fmt.Sprintf("is %d, and the broker inside the process is one", e.Replication),
			"set KAFKA_BOOTSTRAP_SERVERS too, or leave TIPOFF_REPLICATION unset"))
	case e.Embedded() && len(e.APINodes) > 1:
		all = append(all, odd(Wrong, "TIPOFF_API_NODES", "names several gateways, and the broker is inside one process, where the others cannot join it",
			"set KAFKA_BOOTSTRAP_SERVERS too, or leave TIPOFF_API_NODES unset"))
	}
	if e.SASLUsername != "" && !strings.HasPrefix(protocol, "SASL_") {
		all = append(all, odd(Wrong, "KAFKA_SASL_USERNAME", "is set, and KAFKA_SECURITY_PROTOCOL="+protocol+" does not use it",
			"set KAFKA_SECURITY_PROTOCOL to SASL_SSL, or to SASL_PLAINTEXT within a network that nobody listens to"))
	}
	if e.SASLPassword != "" && protocol == "SASL_PLAINTEXT" && strings.EqualFold(e.SASLMechanism, "PLAIN") {
		all = append(all, odd(Warning, "KAFKA_SASL_MECHANISM", "PLAIN sends the password as it is, and SASL_PLAINTEXT does not encrypt it",
			"set KAFKA_SECURITY_PROTOCOL to SASL_SSL, or KAFKA_SASL_MECHANISM to SCRAM-SHA-512"))
	}
	if e.CALocation+e.CertLocation+e.KeyLocation != "" && !strings.HasSuffix(protocol, "SSL") {
		all = append(all, odd(Wrong, "KAFKA_SSL_...", "names certificates, and KAFKA_SECURITY_PROTOCOL="+protocol+" does not use them",
			"set KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL"))
	}
	if (e.CertLocation == "") != (e.KeyLocation == "") {
		all = append(all, odd(Wrong, "KAFKA_SSL_...", "a client's certificate and its key are of use only together",
			"set both KAFKA_SSL_CERTIFICATE_LOCATION and KAFKA_SSL_KEY_LOCATION, or neither"))
	}
	if e.EventWait == 0 || e.EventWait > e.Retention {
		all = append(all, odd(Warning, "TIPOFF_EVENT_WAIT", fmt.Sprintf("lets bets wait longer for their event than facts stay on their topics (TIPOFF_RETENTION=%s)", hours(e.Retention)),
			"set it to no more than TIPOFF_RETENTION, so that a rebuild from the topics knows the bets that wait"))
	}
	return all
}

func (e *examination) oddStorage() (all []Check) {
	if !e.Embedded() && e.DatabaseURL == "" {
		all = append(all, odd(Warning, "DATABASE_URL", "is unset while Kafka is outside: the database is a file on the machine of the sink, which no other machine's gateway reads",
			"set DATABASE_URL to a MySQL that every process reaches, unless all of them run on one machine with one TIPOFF_DATA"))
	}
	if e.Embedded() && e.DatabaseURL != "" && !strings.HasPrefix(e.DatabaseURL, "sqlite:") {
		all = append(all, odd(Warning, "KAFKA_BOOTSTRAP_SERVERS", "is unset while the database is on a server: the facts are on this machine's disk alone until they are there",
			"set KAFKA_BOOTSTRAP_SERVERS to three brokers, or know that this machine's disk is all that keeps them"))
	}
	if e.Sync && !e.Embedded() && e.DatabaseURL != "" && !strings.HasPrefix(e.DatabaseURL, "sqlite:") {
		all = append(all, odd(Warning, "TIPOFF_SYNC", "is set, and neither the broker nor the database is inside the process",
			"leave it unset; Kafka and the database have settings of their own for it"))
	}
	return all
}

func (e *examination) oddListening() (all []Check) {
	host, _, err := net.SplitHostPort(e.Addr)
	switch {
	case err != nil:
		all = append(all, odd(Wrong, "TIPOFF_ADDR", fmt.Sprintf("%q is no host:port", e.Addr), "set it as 127.0.0.1:5000"))
	case e.APIKey == "" && !loopback(host):
		all = append(all, odd(Warning, "TIPOFF_API_KEY", "is unset, and TIPOFF_ADDR="+e.Addr+" is reached from other machines: only names in TIPOFF_ALLOWED_HOSTS are answered",
			"set TIPOFF_API_KEY to a long random text, on every gateway the same"))
	}
	if e.APIKey != "" && len(e.APIKey) < shortKey {
		all = append(all, odd(Warning, "TIPOFF_API_KEY", "is so short that it can be guessed", fmt.Sprintf("set it to a random text of %d characters or more", shortKey)))
	}
	if e.HideDocs && e.APIKey == "" {
		all = append(all, odd(Warning, "TIPOFF_HIDE_DOCS", "hides the description, and without TIPOFF_API_KEY all that it describes is open", "set TIPOFF_API_KEY"))
	}
	return all
}

// shortKey is below how many characters a key is said to be short.
const shortKey = 16

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
