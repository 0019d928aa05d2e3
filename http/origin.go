package http

import (
	"bytes"
	"net"
	"slices"
	"strings"
)

// A browser sends what any page asks it to, with the rights of whoever sits before
// it. Where no key is asked for, being on the same machine is such a right: pages of
// other sites are told by their Origin, and those whose name was made to point here
// (DNS rebinding) by their Host.

// checkSource says why a request must not be answered, judged by where it comes from.
func (s *Server) checkSource(q *request) error {
	host := q.Request.Header.Host()
	if s.namesHost && !s.ownHost(host) {
		return errHost
	}
	if origin := q.Request.Header.Peek("Origin"); len(origin) > 0 && !s.ownOrigin(string(origin), string(host)) {
		return errOrigin
	}
	return nil
}

// ownHost says whether a server on loopback is called by a name of its own, with any
// port, as there may be a tunnel. Without a Host it is no browser that calls.
func (s *Server) ownHost(host []byte) bool {
	if len(host) == 0 || bytes.Equal(host, s.address) {
		return true
	}
	name := strings.ToLower(string(host))
	if named(s.AllowedHosts, name) {
		return true
	}
	if alone, _, err := net.SplitHostPort(name); err == nil {
		name = alone
	}
	if named(s.AllowedHosts, name) || name == "localhost" {
		return true
	}
	ip := net.ParseIP(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	return ip != nil && ip.IsLoopback()
}

// ownOrigin says whether a page's origin is the host that it sends to, or an allowed
// one.
func (s *Server) ownOrigin(origin, host string) bool {
	if named(s.AllowedOrigins, origin) {
		return true
	}
	scheme, from, _ := strings.Cut(strings.ToLower(origin), "://")
	port, known := map[string]string{"http": ":80", "https": ":443"}[scheme]
	return known && strings.TrimSuffix(from, port) == strings.TrimSuffix(strings.ToLower(host), port)
}

// named says whether a name is among the allowed ones, in upper or lower case.
func named(allowed []string, name string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(a, name) })
}
