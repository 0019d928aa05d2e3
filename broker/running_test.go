package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lovoo/goka"

	"tipoff/topics"
)

// counting is a processor's graph that keeps how many records each key had.
func counting() *goka.GroupGraph {
	count := func(ctx goka.Context, _ any) {
		n := 0
		if v, ok := ctx.Value().([]byte); ok {
			_, _ = fmt.Sscan(string(v), &n)
		}
		ctx.SetValue(fmt.Appendf(nil, "%d", n+1))
	}
	return goka.DefineGroup(topics.GroupBettors, goka.Input(topics.Users, raw{}, count), goka.Persist(raw{}))
}

type raw struct{}

// owner is the ownership of a table whose values have no epochs.
func owner(c *Cluster) *Owner {
	o := c.NewOwner(TableValues{
		Epoch: func([]byte) uint64 { return 0 },
		Check: func([]byte) error { return nil },
	}, func(string) {})
	o.group = topics.GroupBettors
	return o
}

// following collects what a view sees.
type following struct {
	mu     sync.Mutex
	values map[string]string
}

func (f *following) apply(u Update) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.values == nil {
		f.values = map[string]string{}
	}
	f.values[u.Key] = string(u.Value)
}

func (f *following) want(key, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if got := f.values[key]; got != value {
		return fmt.Errorf("%s = %q, want %q", key, got, value)
	}
	return nil
}

func ready(s State) error {
	if !s.Ready {
		return errors.New(s.Detail)
	}
	return nil
}

func TestProcessorAndView_FollowTheStreamThroughARestart(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub := publisher(t, c, 5*time.Second)
	var seen following
	view := c.NewView(topics.TableBettors, TableValues{}, seen.apply)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	running.Go(func() { _ = view.Run(ctx) })
	for round := 1; round <= 3; round++ {
		life, end := context.WithCancel(t.Context())
		p := c.NewProcessor(counting(), owner(c))
		done := make(chan struct{})
		go func() { defer close(done); _ = p.Run(life) }()
		if err := pub.Publish(t.Context(), records(20)); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error { return ready(p.State()) })
		for i := range 20 {
			eventually(t, func() error { return seen.want(fmt.Sprintf("default/u%d", i), fmt.Sprint(round)) })
		}
		end()
		<-done
		if s := p.State(); s.Ready {
			t.Errorf("a processor that has ended is ready: %+v", s)
		}
	}
	eventually(t, func() error { return ready(view.State()) })
	cancel()
	running.Wait()
}

func TestProcessor_TwoShareThePartitionsAndOneTakesOver(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub := publisher(t, c, 5*time.Second)
	var seen following
	view := c.NewView(topics.TableBettors, TableValues{}, seen.apply)
	var running sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	running.Go(func() { _ = view.Run(ctx) })
	lives := make([]context.CancelFunc, 2)
	var both [2]*Processor
	for i := range both {
		var life context.Context
		life, lives[i] = context.WithCancel(t.Context())
		both[i] = c.NewProcessor(counting(), owner(c))
		running.Go(func() { _ = both[i].Run(life) })
	}
	eventually(t, func() error {
		for _, p := range both {
			if s := p.State(); !s.Ready || s.Detail != "works on 1 of 2 partitions" {
				return errors.New(s.Detail)
			}
		}
		return nil
	})
	if err := pub.Publish(t.Context(), records(20)); err != nil {
		t.Fatal(err)
	}
	lives[0]()
	if err := pub.Publish(t.Context(), records(20)); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		eventually(t, func() error { return seen.want(fmt.Sprintf("default/u%d", i), "2") })
	}
	eventually(t, func() error {
		if s := both[1].State(); s.Detail != "works on 2 of 2 partitions" {
			return errors.New(s.Detail)
		}
		return nil
	})
	lives[1]()
	cancel()
	running.Wait()
}

func TestView_IsNotReadyBeforeItHasAll(t *testing.T) {
	t.Parallel()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub := publisher(t, c, 5*time.Second)
	values := records(200)
	for i := range values {
		values[i].Topic = topics.TableBettors
	}
	if err := pub.Publish(t.Context(), values); err != nil {
		t.Fatal(err)
	}
	gate := make(chan struct{})
	var seen following
	view := c.NewView(topics.TableBettors, TableValues{}, func(u Update) { <-gate; seen.apply(u) })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = view.Run(ctx) }()
	eventually(t, func() error {
		if s := view.State(); s.Lag != 200 {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	if view.State().Ready {
		t.Error("ready before anything was applied")
	}
	close(gate)
	eventually(t, func() error { return ready(view.State()) })
	if len(seen.values) != 200 {
		t.Errorf("ready with %d of 200 values", len(seen.values))
	}
	cancel()
	<-done
}

func TestLag_CountsWhatIsLeft(t *testing.T) {
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	pub := publisher(t, c, 5*time.Second)
	if err := pub.Publish(t.Context(), records(30)); err != nil {
		t.Fatal(err)
	}
	lag, err := c.LagTo(t.Context(), "nobody", []string{topics.Users, topics.Events}, c.Ends)
	if err != nil || lag[topics.Users] != 30 || lag[topics.Events] != 0 {
		t.Errorf("lag = %v, %v", lag, err)
	}
}
