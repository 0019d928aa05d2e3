package sink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// mode is how a connection to MySQL is secured, the safer the higher.
type mode int

const (
	unsaid         mode = iota
	disabled            // plain text
	preferred           // TLS where the server has it; its certificate is not checked
	required            // TLS or nothing; its certificate is not checked
	verifyCA            // the certificate is signed by an authority that we trust
	verifyIdentity      // and names the host
)

// modes are the names of MySQL itself, of its drivers and of PostgreSQL, which people
// write by habit, without their _ and -.
var modes = map[string]mode{
	"disabled": disabled, "disable": disabled, "false": disabled, "0": disabled,
	"preferred": preferred, "prefer": preferred,
	"required": required, "require": required, "skipverify": required,
	"verifyca":       verifyCA,
	"verifyidentity": verifyIdentity, "verifyfull": verifyIdentity, "true": verifyIdentity, "1": verifyIdentity,
}

// security is what an address says of TLS.
type security struct {
	mode      mode // as named
	least     mode // what a verify parameter asks for
	anyName   bool // the certificate need not name the host
	ca        string
	cert, key string
}

// Errors of the parameters.
var (
	errParameter = errors.New("is not known; the known ones are ssl_mode, ssl_ca, ssl_cert, ssl_key, ssl_verify_cert, ssl_verify_identity, " +
		"ssl_check_hostname, ssl_disabled, tls and charset")
	errMode     = errors.New("must be DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY")
	errBoolean  = errors.New("must be true or false")
	errTwoModes = errors.New("its parameters of TLS contradict each other; ssl_mode and ssl_ca alone say everything")
	errKeyPair  = errors.New("ssl_cert and ssl_key belong together: name both files or none")
)

// take reads one parameter, whose name has neither _ nor - nor capitals.
func (s *security) take(name, value string) error {
	switch name {
	case "sslca":
		s.ca = value
	case "sslcert":
		s.cert = value
	case "sslkey":
		s.key = value
	case "sslmode", "tls", "ssl":
		named, known := modes[strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(value))]
		if !known {
			return errMode
		}
		return s.name(named)
	case "ssldisabled", "sslverifycert", "sslverifyidentity", "sslcheckhostname":
		yes, err := strconv.ParseBool(value)
		if err != nil {
			return errBoolean
		}
		return s.ask(name, yes)
	default:
		return errParameter
	}
	return nil
}

// name notes a mode.
func (s *security) name(named mode) error {
	if s.mode != unsaid && s.mode != named {
		return errTwoModes
	}
	s.mode = named
	return nil
}

// ask notes a parameter that is true or false.
func (s *security) ask(name string, yes bool) error {
	switch {
	case name == "ssldisabled" && yes:
		return s.name(disabled)
	case name == "sslverifycert" && yes:
		s.least = max(s.least, verifyCA)
	case name == "sslverifyidentity" && yes:
		s.least = verifyIdentity
	case name == "sslcheckhostname":
		if s.anyName = !yes; yes {
			s.least = verifyIdentity
		}
	}
	return nil
}

// settle makes one mode of all parameters. A file of authorities asks for the server's
// certificate to be checked, as it serves nothing else.
func (s *security) settle() error {
	if s.ca != "" {
		s.least = max(s.least, verifyCA)
	}
	if s.cert != "" {
		s.least = max(s.least, required)
	}
	switch {
	case s.anyName && (s.least == verifyIdentity || s.mode == verifyIdentity):
		return errTwoModes
	case s.mode == unsaid && s.ca != "" && !s.anyName:
		s.mode = verifyIdentity
	case (s.mode == disabled || s.mode == preferred) && s.least != unsaid:
		return errTwoModes
	}
	s.mode = max(s.mode, s.least)
	return nil
}

// config is what the parameters ask for; nil: plain text.
func (s *security) config() (*tls.Config, error) {
	if (s.cert == "") != (s.key == "") {
		return nil, errKeyPair
	}
	if err := s.settle(); err != nil {
		return nil, err
	}
	if s.mode <= disabled {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.mode < verifyIdentity}
	if s.ca != "" {
		pem, err := os.ReadFile(s.ca)
		if err != nil {
			return nil, fmt.Errorf("ssl_ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ssl_ca: %s holds no certificate in PEM form", s.ca)
		}
	}
	if s.cert != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, s.key)
		if err != nil {
			return nil, fmt.Errorf("ssl_cert and ssl_key: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	if s.mode == verifyCA {
		t.VerifyConnection = func(c tls.ConnectionState) error { return signed(c, t.RootCAs) }
	}
	return t, nil
}

// signed checks that a server's certificate is signed by a trusted authority, whatever
// host it names: crypto/tls checks both or neither.
func signed(c tls.ConnectionState, authorities *x509.CertPool) error {
	between := x509.NewCertPool()
	for _, certificate := range c.PeerCertificates[1:] {
		between.AddCert(certificate)
	}
	if _, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: authorities, Intermediates: between}); err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: c.PeerCertificates, Err: err}
	}
	return nil
}
