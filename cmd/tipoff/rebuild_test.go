package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tipoff/broker"
	"tipoff/rebuild"
	"tipoff/topics"
)

func TestRebuild_FillsEqualTablesBesideAndChangesOverWithoutAGap(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		before func(*rebuilding)
		want   topics.TableSet
	}{
		"FromTheTopics":      {nil, nil, topics.TableSet{Number: 1}},
		"IntoMorePartitions": {[]string{"--table-partitions", "16"}, nil, topics.TableSet{Number: 1, Copied: true, Partitions: 16}},
		"FromTheDatabase":    {nil, (*rebuilding).dropFacts, topics.TableSet{Number: 1, Copied: true}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRebuilding(t)
			first := r.settled(topics.TableSet{})
			if len(first.bettors) < 20 || len(first.fixtures) != 12 {
				t.Errorf("%d bettors, %d fixtures", len(first.bettors), len(first.fixtures))
			}
			if c.before != nil {
				c.before(r)
			}
			end := r.asking(r.p.url)
			betting := make(chan struct{})
			go func() { // facts keep coming, and count in both
				defer close(betting)
				for range 10 {
					r.bet(10)
				}
			}()
			next := r.untilItServes(c.args...)
			if next != c.want {
				t.Errorf("%+v serves, want %+v", next, c.want)
			}
			<-betting
			if err := r.settled(topics.TableSet{}).differ(r.settled(next)); err != nil {
				t.Errorf("the tables differ: %v", err)
			}
			// Interrupted while the former build was kept up, the command goes on.
			if out := r.p.tool("rebuild", "--grace", "0s"); !strings.Contains(out, "serves alone") {
				t.Errorf("said %s", out)
			}
			if asked := end(); asked < 20 {
				t.Errorf("only %d questions were asked", asked)
			}
			t.Run("OneBetChangesTheNextRecommendation", func(t *testing.T) {
				oneBet(&service{T: t, url: r.p.url, run: "after"})
			})
			if out := r.p.tool("rebuild", "--status"); !strings.Contains(out, next.String()+" serves") || !strings.Contains(out, "no rebuild is under way") {
				t.Errorf("status: %s", out)
			}
			r.gone(topics.TableSet{})
			// A restart serves from the same build, and another rebuild follows it.
			r.p.stop()
			r.launch()
			r.coupons++ // oneBet's
			before := r.settled(next)
			if out := r.p.tool("rebuild", "--grace", "0s"); !strings.Contains(out, "table set 2") {
				t.Errorf("said %s", out)
			}
			if err := before.differ(r.settled(r.serving())); err != nil {
				t.Errorf("after a second rebuild the tables differ: %v", err)
			}
			r.p.stop()
		})
	}
}

func TestRebuild_FactsCopiedTwiceCountOnce(t *testing.T) {
	r := newRebuilding(t)
	r.p.tool("rebuild", "--table-partitions", "4", "--grace", "0s")
	next := topics.TableSet{Number: 1, Copied: true, Partitions: 4}
	if got := r.serving(); got != next {
		t.Errorf("%+v serves", got)
	}
	before := r.settled(next)
	ends := r.end(next.Coupons())
	r.p.kill()
	// The copier forgets how far it has come.
	e, err := broker.OpenEmbedded(filepath.Join(r.folder(), "broker"))
	if err != nil {
		t.Fatal(err)
	}
	admin := r.admin(e.Brokers())
	eventually(t, 30*time.Second, func() error { return admin.DeleteConsumerGroup(next.Copier()) }) // its killed member times out first
	if err := errors.Join(admin.Close(), e.Close()); err != nil {
		t.Fatal(err)
	}
	r.launch()
	eventually(t, 30*time.Second, func() error {
		if now := r.end(next.Coupons()); now < 2*ends {
			return fmt.Errorf("%d records on the topic of copies, of %d twice", now, ends)
		}
		left, err := rebuild.Left(t.Context(), r.cluster, next)
		if err == nil && left > 0 {
			err = fmt.Errorf("%d records are left", left)
		}
		return err
	})
	if err := before.differ(r.settled(next)); err != nil {
		t.Errorf("facts copied twice changed the tables: %v", err)
	}
	r.bet(5)
	r.settled(next)
	r.p.stop()
}

func TestRebuild_GoesOnWhereEverythingWasKilled(t *testing.T) {
	r := newRebuilding(t)
	before := r.settled(topics.TableSet{})
	for _, args := range [][]string{{"--table-partitions", "16"}, {"--from", "database"}} {
		cmd := exec.Command(binary, append([]string{"rebuild", "--grace", "1h"}, args...)...)
		cmd.Dir, cmd.Env = r.p.cmd.Dir, r.p.cmd.Env
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, 30*time.Second, func() error {
			now, err := r.cluster.TableSets()
			if err == nil && now.Filling == nil {
				err = errors.New("nothing is being filled")
			}
			return err
		})
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		r.p.kill()
		r.launch()
		if now, err := r.cluster.TableSets(); err != nil || now.Filling == nil && now.Retiring == nil {
			t.Fatalf("builds %+v, %v: the rebuild was over before it was killed", now, err)
		}
		out := r.p.tool("rebuild", "--grace", "0s")
		if !strings.Contains(out, "serves alone") {
			t.Errorf("said %s", out)
		}
		if err := before.differ(r.settled(r.serving())); err != nil {
			t.Errorf("%v: the tables differ: %v", args, err)
		}
	}
	r.p.stop()
}

func TestRebuild_RefusesOtherSettingsWhileOneIsUnderWayAndCanBeGivenUp(t *testing.T) {
	r := newRebuilding(t)
	// One that was begun by a command that is gone.
	other := topics.TableSet{Number: 4, Copied: true, Partitions: 4}
	builds := topics.TableSets{Filling: &other, Last: 4}
	if err := rebuild.Announce(t.Context(), r.cluster, builds); err != nil {
		t.Fatal(err)
	}
	refused := func(want string, args ...string) {
		t.Helper()
		cmd := exec.Command(binary, append([]string{"rebuild"}, args...)...)
		cmd.Dir, cmd.Env = r.p.cmd.Dir, r.p.cmd.Env
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("tipoff rebuild %v: %v, %s; want %q", args, err, out, want)
		}
	}
	refused("is under way with other settings", "--table-partitions", "16")
	refused("power of two", "--table-partitions", "3")
	if out := r.p.tool("rebuild", "--status"); !strings.Contains(out, "table set 0 serves") || !strings.Contains(out, "table set 4 from copies of the facts in 4 partitions is being filled") {
		t.Errorf("status: %s", out)
	}
	if out := r.p.tool("rebuild", "--cancel"); !strings.Contains(out, "is given up") {
		t.Errorf("said %s", out)
	}
	r.gone(other)
	refused("no rebuild is under way", "--cancel")
	r.settled(r.serving())
	r.p.stop()
}
