package rebuild_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tipoff/blackbox"
	"tipoff/node"
	"tipoff/rebuild"
	"tipoff/sink"
	"tipoff/topics"
)

// rebuilding is a Tipoff in this process with data in it, whose tables are filled
// again.
type rebuilding struct {
	*blackbox.Company
	settings *node.Settings
	node     *blackbox.Node
}

func newRebuilding(t *testing.T) *rebuilding {
	settings := blackbox.Settings(t.TempDir())
	n := blackbox.Start(t, settings)
	r := &rebuilding{blackbox.NewCompany(t, n.URL(), n.Cluster()), settings, n}
	r.Rebuild = blackbox.Rebuilding(settings)
	return r
}

// restart ends the node and starts it again, on another folder if one is named.
func (r *rebuilding) restart() {
	r.Helper()
	r.node.End()
	r.node = blackbox.Start(r.T, r.settings)
	r.MovedTo(r.node.URL(), r.node.Cluster())
}

// database calls do with the mirror.
func (r *rebuilding) database(do func(*sink.Database)) {
	r.Helper()
	db, err := r.settings.OpenDatabase()
	if err != nil {
		r.Fatal(err)
	}
	do(db)
	if err := db.Close(); err != nil {
		r.Error(err)
	}
}

func (r *rebuilding) status() string {
	r.Helper()
	var out strings.Builder
	if err := (&rebuild.Rebuild{Cluster: r.Cluster, Out: &out}).Status(r.Context()); err != nil {
		r.Fatal(err)
	}
	return out.String()
}

func TestRebuild_FillsEqualTablesBesideAndChangesOverWithoutAGap(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options rebuild.Rebuild
		before  func(*rebuilding)
		want    topics.TableSet
	}{
		"FromTheTopics":      {rebuild.Rebuild{}, nil, topics.TableSet{Number: 1}},
		"IntoMorePartitions": {rebuild.Rebuild{Partitions: 16}, nil, topics.TableSet{Number: 1, Copied: true, Partitions: 16}},
		"FromTheDatabase":    {rebuild.Rebuild{}, func(r *rebuilding) { r.database(r.DropFacts) }, topics.TableSet{Number: 1, Copied: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRebuilding(t)
			first := r.Settled(topics.TableSet{})
			if len(first.Bettors) < 20 || len(first.Fixtures) != 12 {
				t.Errorf("%d bettors, %d fixtures", len(first.Bettors), len(first.Fixtures))
			}
			if c.before != nil {
				c.before(r)
			}
			end := r.Asking(r.node.URL())
			wait := r.Betting() // facts keep coming, and count in both
			next := r.UntilItServes(c.options)
			if next != c.want {
				t.Errorf("%+v serves, want %+v", next, c.want)
			}
			wait()
			if err := r.Settled(topics.TableSet{}).Differ(r.Settled(next)); err != nil {
				t.Errorf("the tables differ: %v", err)
			}
			// Interrupted while the former table set was kept up, the command goes on.
			if out := r.Rebuilt(rebuild.Rebuild{}); !strings.Contains(out, "serves alone") {
				t.Errorf("said %s", out)
			}
			end(20)
			blackbox.OneBet(&blackbox.Service{T: t, URL: r.node.URL(), Prefix: "after"})
			r.Counted(1)
			if out := r.status(); !strings.Contains(out, next.String()+" serves") || !strings.Contains(out, "no rebuild is under way") {
				t.Errorf("status: %s", out)
			}
			r.Gone(topics.TableSet{})
			// A restart serves from the same table set, and another rebuild follows it.
			r.restart()
			before := r.Settled(next)
			if out := r.Rebuilt(rebuild.Rebuild{}); !strings.Contains(out, "table set 2") {
				t.Errorf("said %s", out)
			}
			if err := before.Differ(r.Settled(r.Serving())); err != nil {
				t.Errorf("after a second rebuild the tables differ: %v", err)
			}
		})
	}
}

func TestRebuild_FactsCopiedTwiceCountOnce(t *testing.T) {
	t.Parallel()
	r := newRebuilding(t)
	r.Rebuilt(rebuild.Rebuild{Partitions: 4})
	next := topics.TableSet{Number: 1, Copied: true, Partitions: 4}
	if got := r.Serving(); got != next {
		t.Errorf("%+v serves", got)
	}
	before := r.Settled(next)
	copies, err := r.Cluster.Size(t.Context(), next.Coupons())
	if err != nil {
		t.Fatal(err)
	}
	r.node.End()
	// The copier forgets how far it has come.
	c, end, err := node.OpenFolder(t.Context(), r.settings)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.DeleteGroups(t.Context(), []string{next.Copier()}), end()); err != nil {
		t.Fatal(err)
	}
	r.restart()
	blackbox.Eventually(t, 30*time.Second, func() error {
		if now, err := r.Cluster.Size(t.Context(), next.Coupons()); err != nil || now < 2*copies {
			return fmt.Errorf("%d records on the topic of copies, of %d twice: %v", now, copies, err)
		}
		left, err := rebuild.Left(t.Context(), r.Cluster, next)
		if err == nil && left > 0 {
			err = fmt.Errorf("%d records are left", left)
		}
		return err
	})
	if err := before.Differ(r.Settled(next)); err != nil {
		t.Errorf("facts copied twice changed the tables: %v", err)
	}
	r.Bet(5)
	r.Settled(next)
}

func TestRebuild_RefusesOtherSettingsWhileOneIsUnderWayAndCanBeGivenUp(t *testing.T) {
	t.Parallel()
	r := newRebuilding(t)
	// One that was begun by a command that is gone.
	other := topics.TableSet{Number: 4, Copied: true, Partitions: 4}
	if err := rebuild.Announce(t.Context(), r.Cluster, topics.TableSets{Filling: &other, Last: 4}); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err := r.Rebuild(t.Context(), &rebuild.Rebuild{Partitions: 16, Out: &out})
	if err == nil || !strings.Contains(err.Error(), "is under way with other settings") {
		t.Errorf("%v", err)
	}
	if out := r.status(); !strings.Contains(out, "table set 0 serves") || !strings.Contains(out, "table set 4 from copies of the facts in 4 partitions is being filled") {
		t.Errorf("status: %s", out)
	}
	given := &rebuild.Rebuild{Cluster: r.Cluster, Out: &out}
	if err := given.Cancel(t.Context()); err != nil || !strings.Contains(out.String(), "is given up") {
		t.Errorf("%v, said %s", err, out.String())
	}
	r.Gone(other)
	if err := given.Cancel(t.Context()); err == nil || !strings.Contains(err.Error(), "no rebuild is under way") {
		t.Errorf("%v", err)
	}
	r.Settled(r.Serving())
}
