package sink

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// Errors of DATABASE_URL. None quotes it: a password that is written as it should not be
// may turn up in any of its parts.
var (
	errForm     = errors.New("DATABASE_URL: must be mysql://user:password@host:port/database or sqlite:path")
	errEncoding = errors.New("DATABASE_URL: has characters that mean something else in a URL, in its password perhaps; " +
		"write them percent-encoded: %40 for @, %2F for /, %3A for :, %3F for ?, %23 for #, %25 for %")
	errHost     = errors.New("DATABASE_URL: names no host, as in mysql://user:password@host:3306/database")
	errPort     = errors.New("DATABASE_URL: the port, behind the host, must be a number from 1 to 65535; if that is a part of the password, percent-encode what is not a letter or digit")
	errDatabase = errors.New("DATABASE_URL: names no database, as in mysql://user:password@host:3306/database")
)

// characters are parameters of SQLAlchemy's that ask for what connections have anyway:
// Unicode.
var characters = []string{"charset", "useunicode", "binaryprefix"}

// readMySQL reads the address of a MySQL or MariaDB server.
func readMySQL(address string) (*mysql.Config, error) {
	_, rest, _ := strings.Cut(address, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 && strings.Contains(rest[end:], "@") {
		return nil, errEncoding // the password goes on behind what looks like the host
	}
	u, err := url.Parse(address)
	var invalid *url.Error
	switch {
	case errors.As(err, &invalid) && strings.Contains(invalid.Err.Error(), "port"):
		return nil, errPort
	case err != nil, u.Fragment != "":
		return nil, errEncoding
	case u.Hostname() == "":
		return nil, errHost
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, errPort
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.DBName = "tcp", net.JoinHostPort(u.Hostname(), port), strings.TrimPrefix(u.Path, "/")
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	if c.DBName == "" {
		return nil, errDatabase
	}
	parameters, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errEncoding
	}
	return c, readParameters(c, parameters)
}

// readParameters takes what follows the question mark. One that nobody knows is refused:
// it may have been meant to keep the connection safe.
func readParameters(c *mysql.Config, parameters url.Values) error {
	var s security
	for name, values := range parameters {
		known := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
		if slices.Contains(characters, known) {
			continue
		}
		if len(values) > 1 {
			return fmt.Errorf("DATABASE_URL: parameter %s is there more than once", name)
		}
		if err := s.take(known, values[0]); err != nil {
			return fmt.Errorf("DATABASE_URL: parameter %s: %w", name, err)
		}
	}
	t, err := s.config()
	if err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	c.TLS, c.AllowFallbackToPlaintext = t, s.mode == preferred
	return nil
}
