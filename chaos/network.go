package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Ports: everything listens on 127.0.0.1, from the first port on. Behind each port
// of a server stands a proxy, hundreds above, which is all that others are told.
const (
	portBroker  = 0   // +100 a broker; there +0 plain, +1 between brokers, +2 controllers, +10 and up one a process
	portProcess = 500 // one a process
	portMySQL   = 600
	proxied     = 1000 // added to the port of a server
	proxyMySQL  = 1600 // one a process
)

// network is the wires between the parts, each through a proxy of its own.
type network struct {
	server *toxiproxy.ApiServer
	wires  map[string]*toxiproxy.Proxy
}

func newNetwork() *network {
	return &network{
		server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()),
		wires:  map[string]*toxiproxy.Proxy{},
	}
}

// wire lets connections to port from reach port to.
func (n *network) wire(name string, from, to int) error {
	proxy := toxiproxy.NewProxy(n.server, name, address(from), address(to))
	if err := n.server.Collection.Add(proxy, true); err != nil {
		return fmt.Errorf("proxy %s: %w", name, err)
	}
	n.wires[name] = proxy
	return nil
}

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// matching lists the wires whose name begins so.
func (n *network) matching(prefix string) (wires []*toxiproxy.Proxy) {
	for name, wire := range n.wires {
		if strings.HasPrefix(name, prefix) {
			wires = append(wires, wire)
		}
	}
	return wires
}

// cut ends every connection of the wires and refuses new ones, until restored.
func (n *network) cut(prefix string) error {
	for _, wire := range n.matching(prefix) {
		wire.Stop()
	}
	return nil
}

func (n *network) restore(prefix string) error {
	var errs []error
	for _, wire := range n.matching(prefix) {
		if err := wire.Start(); err != nil && !errors.Is(err, toxiproxy.ErrProxyAlreadyStarted) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// delay holds each response up. half lets connections stand while no response comes
// through: the far end is gone and has not said so. Both end with heal.
func (n *network) delay(prefix string, milliseconds int) error {
	return n.poison(prefix, fmt.Sprintf(`{"name":"fault","type":"latency","attributes":{"latency":%d,"jitter":%d}}`, milliseconds, milliseconds/3))
}

func (n *network) half(prefix string) error {
	return n.poison(prefix, `{"name":"fault","type":"timeout","attributes":{"timeout":0}}`)
}

func (n *network) poison(prefix, toxic string) error {
	for _, wire := range n.matching(prefix) {
		if _, err := wire.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			return fmt.Errorf("proxy %s: %w", wire.Name, err)
		}
	}
	return nil
}

func (n *network) heal(prefix string) error {
	for _, wire := range n.matching(prefix) {
		wire.Toxics.ResetToxics(context.Background())
	}
	return nil
}
