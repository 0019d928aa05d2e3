package blackbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"

	"tipoff"
	"tipoff/broker"
	"tipoff/generator"
	"tipoff/rebuild"
	"tipoff/sink"
	"tipoff/topics"
)

// Company is a small company's data on a Tipoff, whose tables a test compares before
// and after what it does to them.
type Company struct {
	*testing.T
	Cluster *broker.Cluster
	// Rebuild runs a rebuild with the options that it is given, and says what it says on
	// its Out.
	Rebuild func(context.Context, *rebuild.Rebuild) error

	book    *generator.Sportsbook
	client  *generator.Client
	coupons int
}

// NewCompany posts a small company's data to the Tipoff at url: half of the bets
// before their events, some events changed, some bets repeated.
func NewCompany(t *testing.T, url string, c *broker.Cluster) *Company {
	now := time.Now()
	// So few events that no bettor's lists are full: a full one depends on the order.
	r := &Company{T: t, Cluster: c, book: generator.NewSportsbook(5, 50, 12, 7, now), client: &generator.Client{URL: url}}
	coupons := r.book.Coupons(400, now)
	r.post(coupons[:200])
	if err := errors.Join(r.client.Users(r.Context(), r.book.Users()), r.client.Events(r.Context(), r.book.Events())); err != nil {
		r.Fatal(err)
	}
	r.post(coupons[200:])
	s := &Service{T: r.T, URL: url}
	versioned := r.book.Users()[0]
	versioned.Version = tipoff.VersionOf(3)
	s.Post("/v1/users", 202, versioned)
	for _, e := range r.book.Events()[:3] {
		if status, body, _ := s.Send("PATCH", "/v1/events/"+e.ID, `{"status":"suspended","result":"1:0","version":7}`); status != 202 {
			r.Fatalf("%d %s", status, body)
		}
	}
	r.post(coupons[:20])
	r.post([]tipoff.Coupon{{ID: "once", UserID: "asker", Stake: 1, Timestamp: now.UTC(), Selections: []tipoff.Selection{{EventID: r.book.Events()[5].ID, Odds: 2}}}})
	r.coupons = 401
	return r
}

// MovedTo goes on at another address, on another cluster.
func (r *Company) MovedTo(url string, c *broker.Cluster) { r.client.URL, r.Cluster = url, c }

// Serving waits for the topics of the table set that serves, and returns it.
func (r *Company) Serving() topics.TableSet {
	r.Helper()
	now, err := r.Cluster.TableSets()
	if err := errors.Join(err, r.Cluster.EnsureTopics()); err != nil {
		r.Fatal(err)
	}
	return now.Serving
}

// Mirrored waits until the database has every fact.
func (r *Company) Mirrored(db *sink.Database) {
	r.Helper()
	Eventually(r.T, 60*time.Second, func() error {
		n, err := db.CountFacts(r.Context())
		if want := int64(r.coupons + len(r.book.Users()) + len(r.book.Events())); err == nil && n != want {
			err = fmt.Errorf("the database has %d facts, want %d", n, want)
		}
		return err
	})
}

func (r *Company) post(coupons []tipoff.Coupon) {
	r.Helper()
	if err := r.client.Coupons(r.Context(), coupons); err != nil {
		r.Fatal(err)
	}
}

// Bet posts n new coupons.
func (r *Company) Bet(n int) {
	r.Helper()
	r.post(r.book.Coupons(n, time.Now()))
	r.coupons += n
}

// Betting posts new coupons all along until the returned function is called.
func (r *Company) Betting() (wait func()) {
	var going sync.WaitGroup
	going.Go(func() {
		for range 10 {
			r.Bet(10)
		}
	})
	return going.Wait
}

// Counted says that coupons were posted beside, of users of its own.
func (r *Company) Counted(coupons int) { r.coupons += coupons }

// Settled waits until every leg of every coupon counts in the table set's tables, and
// returns them.
func (r *Company) Settled(set topics.TableSet) (now Tables) {
	r.Helper()
	Eventually(r.T, 60*time.Second, func() error {
		now = ReadTables(r.T, r.Cluster, set)
		coupons, learnt, counted := 0, uint64(0), uint64(0)
		for key, b := range now.Bettors {
			coupons += len(b.Bets)
			learnt += b.LegCount
			for _, bet := range b.Bets {
				if bet.Waiting != 0 {
					return fmt.Errorf("bettor %s has a coupon that waits", key)
				}
			}
		}
		for _, f := range now.Fixtures {
			counted += f.LegCount
		}
		if coupons != r.coupons || learnt != counted {
			return fmt.Errorf("%d coupons, want %d; %d legs learnt, %d counted", coupons, r.coupons, learnt, counted)
		}
		return nil
	})
	return now
}

// Asking asks for recommendations all along for a user who has bet once, and wants
// each to be answered from what is known of him; the returned function ends it, and
// wants it to have asked least times.
func (r *Company) Asking(urls ...string) (end func(least int)) {
	ctx, cancel := context.WithCancel(r.Context())
	var asked int
	var going sync.WaitGroup
	going.Go(func() {
		for ; ctx.Err() == nil; asked++ {
			var answer tipoff.Recommendation
			err := GetJSON(urls[asked%len(urls)]+"/v1/recommendations?n=3&user_id=asker", &answer)
			if err != nil || len(answer.Items) != 3 || answer.ColdStart {
				r.Errorf("during the rebuild %s was answered %+v, %v", answer.UserID, answer, err)
				return
			}
			select {
			case <-time.After(2 * time.Millisecond): // leaves the machine to the others
			case <-ctx.Done():
			}
		}
	})
	return func(least int) {
		r.Helper()
		cancel()
		going.Wait()
		if asked < least {
			r.Errorf("only %d questions were asked", asked)
		}
	}
}

// Rebuilt runs a rebuild to its end, and returns what it said.
func (r *Company) Rebuilt(options rebuild.Rebuild) string {
	r.Helper()
	var out strings.Builder
	options.Out = &out
	if err := r.Rebuild(r.Context(), &options); err != nil {
		r.Fatalf("rebuild: %v\n%s", err, out.String())
	}
	return out.String()
}

// UntilItServes runs a rebuild until the new table set serves and the old one is kept
// up, then ends it as Ctrl-C does.
func (r *Company) UntilItServes(options rebuild.Rebuild) topics.TableSet {
	r.Helper()
	before, err := r.Cluster.TableSets()
	if err != nil {
		r.Fatal(err)
	}
	var out strings.Builder
	options.Out, options.Grace = &out, time.Hour
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- r.Rebuild(ctx, &options) }()
	var now topics.TableSets
	Eventually(r.T, 90*time.Second, func() error {
		select {
		case err := <-ended:
			r.Fatalf("the rebuild ended: %v\n%s", err, out.String())
		default:
		}
		if now, err = r.Cluster.TableSets(); err != nil || now.Serving.Number == before.Serving.Number {
			return fmt.Errorf("%+v, %v", now, err)
		}
		return nil
	})
	cancel()
	<-ended
	if now.Retiring == nil || now.Retiring.Number != before.Serving.Number || now.Filling != nil {
		r.Errorf("table sets %+v", now)
	}
	return r.Serving()
}

// DropFacts waits for the database to have everything and deletes the records of the
// topics of events and coupons, as their retention does.
func (r *Company) DropFacts(db *sink.Database) {
	r.Helper()
	r.Mirrored(db)
	admin := r.Admin()
	defer admin.Close()
	for _, topic := range []string{topics.Events, topics.Coupons} {
		all, err := r.Cluster.Ends(r.Context(), topic)
		if err != nil {
			r.Fatal(err)
		}
		if err := admin.DeleteRecords(topic, all); err != nil {
			r.Fatal(err)
		}
		begins, err := r.Cluster.Begins(r.Context(), topic)
		for p, end := range all {
			if err != nil || begins[p] != end {
				r.Fatalf("records of %s are still there, from %v on: %v", topic, begins, err)
			}
		}
	}
}

// Admin connects to the brokers as only a test does.
func (r *Company) Admin() sarama.ClusterAdmin {
	r.Helper()
	config, err := r.Cluster.Sarama("test")
	if err != nil {
		r.Fatal(err)
	}
	admin, err := sarama.NewClusterAdmin(r.Cluster.Brokers(), config)
	if err != nil {
		r.Fatal(err)
	}
	return admin
}

// Gone waits until no topic and no group of the table set is left.
func (r *Company) Gone(set topics.TableSet) {
	r.Helper()
	admin := r.Admin()
	defer admin.Close()
	Eventually(r.T, 15*time.Second, func() error {
		existing, err := admin.ListTopics()
		groups, again := admin.ListConsumerGroups()
		if err := errors.Join(err, again); err != nil {
			return err
		}
		for _, topic := range set.Topics() {
			if _, there := existing[topic.Name]; there {
				return fmt.Errorf("topic %s is still there", topic.Name)
			}
		}
		for _, group := range []string{set.Bettors(), set.Fixtures(), set.Learner(), set.Copier()} {
			if _, there := groups[group]; there {
				return fmt.Errorf("group %s is still there", group)
			}
		}
		return nil
	})
}
