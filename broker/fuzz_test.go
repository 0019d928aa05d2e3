package broker

import "testing"

// FuzzSecurity: settings towards Kafka are refused by name, or make a
// configuration that the client takes.
func FuzzSecurity(f *testing.F) {
	for _, seed := range [][4]string{
		{"PLAINTEXT", "", "", ""}, {"ssl", "", "", ""}, {"SASL_PLAINTEXT", "PLAIN", "user", "password"},
		{"SASL_SSL", "SCRAM-SHA-512", "user", ""}, {"SASL_SSL", "scram-sha-256", "u", "p"}, {"SASL_", "", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, protocol, mechanism, user, password string) {
		c := Config{SecurityProtocol: protocol, SASLMechanism: mechanism, SASLUsername: user, SASLPassword: password}
		s, err := c.sarama("tipoff")
		if err != nil {
			return
		}
		if err := s.Validate(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	})
}
