package node_test

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"tipoff"
	"tipoff/blackbox"
	"tipoff/node"
	"tipoff/rebuild"
	"tipoff/topics"
)

// fleet is two gateways that share the bettors, beside one that works on the tables.
type fleet struct {
	*testing.T
	settings [2]*node.Settings
	nodes    [2]*blackbox.Node
	through  [2]*blackbox.Service
}

const (
	fleetUsers  = 50
	fleetEvents = 10
)

func newFleet(t *testing.T) *fleet {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	work := blackbox.Settings(t.TempDir())
	work.Brokers = kafka.ListenAddrs()[0]
	blackbox.Start(t, work, node.Processors)
	f := &fleet{T: t}
	var urls []string
	var addrs [2]string
	for i := range addrs { // free ones, which both must know before they start
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs[i] = l.Addr().String()
		urls = append(urls, "http://"+addrs[i])
		_ = l.Close()
	}
	for i := range addrs {
		s := blackbox.Settings(t.TempDir())
		s.Brokers, s.Addr, s.APINodes, s.APINode = work.Brokers, addrs[i], urls, i
		f.settings[i] = s
		f.start(i)
	}
	return f
}

func (f *fleet) start(i int) {
	f.Helper()
	f.nodes[i] = blackbox.Start(f.T, f.settings[i], node.API)
	f.through[i] = &blackbox.Service{T: f.T, URL: f.nodes[i].URL(), Prefix: "f"}
}

// has is which gateway has a user.
func (f *fleet) has(user string) int {
	return topics.PartitionOf([]byte(topics.Key(tipoff.DefaultCompany, f.through[0].ID(user))), 2)
}

func userName(i int) string  { return fmt.Sprint("user ", i) }
func eventName(i int) string { return fmt.Sprint("e", i%fleetEvents) }

// post posts events, and users of whom each bets once, through the first gateway.
func (f *fleet) post() {
	f.Helper()
	s := f.through[0]
	for i := range fleetEvents {
		s.Post("/v1/events", 202, s.Event(eventName(i), "A"))
	}
	for i := range fleetUsers {
		s.Post("/v1/users", 202, s.User(userName(i)))
		s.Post("/v1/coupons", 202, s.Coupon(fmt.Sprint("c", i), userName(i), eventName(i)))
	}
}

// wantServed wants what is known of every user, by either gateway: his bets, and
// recommendations of all events but those that he bet on, equally.
func (f *fleet) wantServed(bets func(user int) uint64) {
	f.Helper()
	for i := range fleetUsers {
		user, answers := userName(i), [2]string{}
		for _, s := range f.through {
			s.WantBets(user, bets(i))
			if err := s.Get("/v1/users/"+url.PathEscape(s.ID(user)), new(tipoff.User)); err != nil {
				f.Error(err)
			}
		}
		f.through[0].Eventually(func() error { // others' bets may still change the order
			for g, s := range f.through {
				names, r, err := s.Recommended(user, 100)
				if err != nil || len(names) != fleetEvents-int(bets(i)) || r.ColdStart {
					return fmt.Errorf("%s is recommended %v by gateway %d, cold start: %t, %w", user, names, g, r.ColdStart, err)
				}
				answers[g] = strings.Join(names, " ")
			}
			if answers[0] != answers[1] {
				return fmt.Errorf("%s is recommended %s by one gateway, %s by the other", user, answers[0], answers[1])
			}
			return nil
		})
	}
}

func once(int) uint64 { return 1 }

// wantShares wants each gateway to hold its own users and no others, and all events.
func (f *fleet) wantShares() {
	f.Helper()
	var want [2]int
	for i := range fleetUsers {
		want[f.has(userName(i))]++
	}
	for g, n := range f.nodes {
		sizes := n.Views().Sizes()
		if len(sizes) != 1 || sizes[0].Bettors != want[g] || want[g] == 0 || sizes[0].OpenOnes != fleetEvents {
			f.Errorf("gateway %d holds %+v, want %d bettors and %d events", g, sizes, want[g], fleetEvents)
		}
		_, page, err := blackbox.Get(n.URL() + "/metrics")
		if entry := fmt.Sprintf(`tipoff_view_entries{company="default",kind="bettors"} %d`, want[g]); err != nil || !strings.Contains(page, entry) {
			f.Errorf("gateway %d measures no %s: %v", g, entry, err)
		}
	}
}

func TestFleet_GatewaysShareTheBettorsAndAnswerForAll(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.post()
	f.wantServed(once)
	f.wantShares()
	f.nodes[1].End()
	s := f.through[0]
	for i := range fleetUsers {
		status, body, header := s.Send("GET", "/v1/recommendations?user_id="+url.QueryEscape(s.ID(userName(i))), "")
		if f.has(userName(i)) == 0 {
			if status != 200 {
				t.Errorf("%s, whose gateway is up: %d %s", userName(i), status, body)
			}
		} else if status != 503 || !strings.Contains(body, f.settings[1].APINodes[1]) || header.Get("Retry-After") == "" {
			t.Errorf("%s, whose gateway is down: %d %s, %v", userName(i), status, body, header)
		}
		s.Post("/v1/coupons", 202, s.Coupon(fmt.Sprint("d", i), userName(i), eventName(i+1)))
	}
	f.start(1)
	f.wantServed(func(int) uint64 { return 2 })
	f.wantShares()
}

// TestFleet_StaysAsItIsWhenTheTablesAreSpreadOverMorePartitions: a user's gateway is the
// same, whatever the number of partitions.
func TestFleet_StaysAsItIsWhenTheTablesAreSpreadOverMorePartitions(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.post()
	f.wantServed(once)
	cluster, end, err := node.Reach(t.Context(), f.settings[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}()
	r := &rebuild.Rebuild{From: rebuild.FromTopics, Partitions: 32, Grace: time.Millisecond, Cluster: cluster, Out: t.Output(), Progress: io.Discard}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	blackbox.Eventually(t, 30*time.Second, func() error { // it serves, and the former ones are gone
		for _, n := range f.nodes {
			status, body, err := blackbox.Get(n.URL() + "/readyz")
			if err != nil || status != 200 || strings.Contains(body, topics.TableBettors+`"`) {
				return fmt.Errorf("%d %s, %w", status, body, err)
			}
		}
		return nil
	})
	f.wantServed(once)
	f.wantShares()
}

// TestFleet_ALearnerBesideLearnsFromItsShare: of the bettors of others it knows nothing.
func TestFleet_ALearnerBesideLearnsFromItsShare(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	settings := *f.settings[1]
	settings.Addr = "127.0.0.1:0"
	blackbox.Start(t, &settings, node.Learner)
	s, coupons, own := f.through[0], 0, 0
	for i := range fleetEvents {
		s.Post("/v1/events", 202, s.Event(eventName(i), "A"))
	}
	s.Eventually(func() error { // it learns nothing from the first ones, if they come before their events
		for range fleetUsers {
			user := userName(coupons) // who has bet on nothing
			s.Post("/v1/coupons", 202, s.Coupon(fmt.Sprint("c", coupons), user, eventName(coupons)))
			if coupons++; f.has(user) == 1 {
				own++
			}
		}
		_, page, _ := s.Send("GET", "/metrics", "")
		_, learnt, found := strings.Cut(page, "tipoff_learner_coupons_total{company=\"default\"} ")
		if !found || strings.HasPrefix(learnt, "0") {
			return fmt.Errorf("of %d coupons nothing is learnt", coupons)
		}
		number, _, _ := strings.Cut(learnt, "\n")
		if n, err := strconv.ParseFloat(number, 64); err != nil || n > float64(own) {
			t.Errorf("%s coupons are learnt from, and %d of %d are of its bettors: %v", number, own, coupons, err)
		}
		return nil
	})
}

func TestFleet_RefusesSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	nodes := func(n int) (urls []string) {
		for i := range n {
			urls = append(urls, fmt.Sprintf("http://api-%d:5000", i))
		}
		return urls
	}
	for want, f := range map[string]node.Fleet{
		"from 0 to 1, is 2":             {APINodes: nodes(2), APINode: 2},
		"from 0 to 1, is -1":            {APINodes: nodes(2), APINode: -1},
		"names no gateways":             {APINode: 1},
		"power of two of gateways":      {APINodes: nodes(3)},
		"numbers 0 and 1 are the same":  {APINodes: []string{"http://a:5000", "http://A:5000"}},
		`is "a:5000"`:                   {APINodes: []string{"http://b:5000", "a:5000"}},
		`is "http://a:5000/"`:           {APINodes: []string{"http://a:5000/", "http://b:5000"}},
		`is "ftp://a:5000"`:             {APINodes: []string{"ftp://a:5000", "http://b:5000"}},
		"rebuild --table-partitions 16": {APINodes: nodes(16)},
	} {
		settings := blackbox.Settings(t.TempDir())
		settings.Fleet = f
		n, err := node.Start(t.Context(), settings, node.AllRoles...)
		if err == nil {
			err = n.Stop(nil)
			t.Errorf("%+v is taken: %v", f, err)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q in it", err, want)
		}
	}
}
