package acceptance

import (
	"net/url"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// behindProxy returns a running proxy to an address. Stopped, it ends all
// connections and refuses new ones.
func behindProxy(t *testing.T, to string) *toxiproxy.Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", to)
	if err := server.Collection.Add(proxy, true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	return proxy
}

func start(t *testing.T, proxy *toxiproxy.Proxy) {
	t.Helper()
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
}

// behindProxy returns a proxy to the database, and the settings of a process that
// reaches it by that proxy alone.
func (s *services) behindProxy() (*toxiproxy.Proxy, []string) {
	s.Helper()
	u, err := url.Parse(s.database)
	if err != nil {
		s.Fatal(err)
	}
	proxy := behindProxy(s.T, u.Host)
	u.Host = proxy.Listen
	return proxy, []string{"KAFKA_BOOTSTRAP_SERVERS=" + s.kafka, "DATABASE_URL=" + u.String()}
}
