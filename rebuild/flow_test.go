package rebuild

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lovoo/goka"
	"github.com/lovoo/goka/codec"

	"tipoff/topics"
)

func TestFlow_IsWhatTheProcessorsRead(t *testing.T) {
	set := topics.TableSet{Number: 2, Copied: true}
	f, err := flowOf(set)
	if err != nil {
		t.Fatal(err)
	}
	for group, want := range map[string][]string{
		set.Copier():   topics.Facts(),
		set.Bettors():  {set.Users(), set.Coupons(), set.Resolved()},
		set.Fixtures(): {set.Events(), set.Selections(), set.LoopFixtures()},
	} {
		slices.Sort(f.reads[group])
		if slices.Sort(want); !slices.Equal(f.reads[group], want) {
			t.Errorf("%s reads %v, want %v", group, f.reads[group], want)
		}
	}
	if len(f.reads) != 3 {
		t.Errorf("groups %v", f.groups())
	}
	// Copier, bettors, fixtures, three times the fixtures' loop, bettors.
	if n := f.hops(); n != 7 {
		t.Errorf("%d hops, want 7", n)
	}
	if f, err = flowOf(topics.TableSet{}); err != nil || f.hops() != 6 {
		t.Errorf("%d hops without a copier, want 6: %v", f.hops(), err)
	}
}

func ignore(goka.Context, any) {}

func TestFlow_AnInputThatIsAddedIsWaitedFor(t *testing.T) {
	c := cluster(t)
	p, err := c.NewPublisher(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		err = errors.Join(err, p.Publish(t.Context(), []topics.Record{{Topic: topics.Events, Key: fmt.Sprint("default/e", i), Value: []byte("v"), Received: time.Now()}}))
	}
	if err := errors.Join(err, p.Close()); err != nil {
		t.Fatal(err)
	}
	edges := []goka.Edge{goka.Input(topics.Users, new(codec.Bytes), ignore), goka.Persist(new(codec.Bytes))}
	for _, want := range []int64{0, 3} {
		f, err := flowThrough([]*goka.GroupGraph{goka.DefineGroup("group", edges...)})
		if err != nil {
			t.Fatal(err)
		}
		if left, err := f.behind(t.Context(), c, c.Ends); err != nil || left != want {
			t.Errorf("waits for %d records of %v, want %d: %v", left, f.reads, want, err)
		}
		edges = append(edges, goka.Input(topics.Events, new(codec.Bytes), ignore))
	}
}

func TestFlow_FollowsInputsLoopsAndOutputs(t *testing.T) {
	graph := func(more ...goka.Edge) []*goka.GroupGraph {
		edges := []goka.Edge{goka.Input("facts", new(codec.Bytes), ignore), goka.Output("middle", new(codec.Bytes)), goka.Persist(new(codec.Bytes))}
		return []*goka.GroupGraph{
			goka.DefineGroup("first", append(edges, more...)...),
			goka.DefineGroup("second", goka.Input("middle", new(codec.Bytes), ignore), goka.Persist(new(codec.Bytes))),
		}
	}
	before, err := flowThrough(graph())
	if err != nil || before.hops() != 2 {
		t.Errorf("%d hops, want 2: %v", before.hops(), err)
	}
	after, err := flowThrough(graph(goka.Input("more", new(codec.Bytes), ignore), goka.Loop(new(codec.Bytes), ignore)))
	if want := []string{"facts", "more", "first-loop"}; err != nil || !slices.Equal(after.reads["first"], want) {
		t.Errorf("reads %v, want %v: %v", after.reads["first"], want, err)
	}
	if n := after.hops(); n != 5 { // first, three times its loop, second
		t.Errorf("%d hops, want 5", n)
	}
	for _, edge := range []goka.Edge{goka.Join("users-table", new(codec.Bytes)), goka.Lookup("users-table", new(codec.Bytes))} {
		if _, err := flowThrough(graph(edge)); err == nil || !strings.Contains(err.Error(), "first reads table users-table") {
			t.Errorf("a table that is read: %v", err)
		}
	}
}
