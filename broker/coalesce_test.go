package broker

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"tipoff/topics"
)

// coalesced is a coalescing producer on a broker in this process, its time, and what has
// become of its promises.
type coalesced struct {
	*testing.T
	*coalescing
	kafka   *kfake.Cluster
	cluster *Cluster
	time    time.Time
	ends    chan ending
}

type ending struct {
	value  string
	offset int64
	err    error
}

func newCoalesced(t *testing.T) *coalesced {
	t.Helper()
	k := fake(t)
	c := connect(t, Config{Brokers: k.ListenAddrs()})
	client, err := c.config.newProducer("test", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// The timers do not come in an hour: the test calls turn and send itself.
	p := &coalesced{T: t, coalescing: newCoalescing(gokaProducer{client}, time.Hour, time.Hour), kafka: k, cluster: c, time: time.Unix(1e9, 0), ends: make(chan ending, 1000)}
	p.now = func() time.Time { return p.time }
	return p
}

// emit puts a value of the table in that was received at a second.
func (p *coalesced) emit(key, value string, received int64, mayWait bool) {
	headers := goka.Headers{topics.HeaderReceived: topics.FormatReceived(time.Unix(received, 0))}
	if mayWait {
		headers[topics.HeaderMayWait] = nil
	}
	p.EmitWithHeaders(topics.TableFixtures, key, []byte(value), headers).ThenWithMessage(func(m *sarama.ProducerMessage, err error) {
		p.ends <- ending{value, m.Offset, err}
	})
}

// want waits until the promises of these values, and no others, have ended, and returns
// their endings.
func (p *coalesced) want(values ...string) (ends []ending) {
	p.Helper()
	var got []string
	for range values {
		select {
		case e := <-p.ends:
			ends, got = append(ends, e), append(got, e.value)
		case <-p.Context().Done():
			p.Fatal("promises are left")
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, values) {
		p.Fatalf("the promises of %v ended, want %v", got, values)
	}
	return ends
}

// table is what was written, in the order of each key.
func (p *coalesced) table() (written []string) {
	p.Helper()
	if err := p.cluster.Read(p.Context(), topics.TableFixtures, func(s Stored) error {
		written = append(written, s.Key+"="+string(s.Value))
		return nil
	}); err != nil {
		p.Fatal(err)
	}
	slices.SortStableFunc(written, func(a, b string) int { return int(a[0]) - int(b[0]) })
	return written
}

func (p *coalesced) wantTable(want ...string) {
	p.Helper()
	if got := p.table(); !slices.Equal(got, want) {
		p.Errorf("written %v, want %v", got, want)
	}
}

func TestCoalescing_AHotKeyIsWrittenAtOnceAndThenOnceInAWhile(t *testing.T) {
	p := newCoalesced(t)
	p.emit("a", "01", 1, true)
	p.want("01")
	p.emit("b", "02", 1, true) // another key
	p.want("02")
	var waiting []string
	for i := 10; i < 60; i++ {
		waiting = append(waiting, fmt.Sprint(i))
		p.emit("a", fmt.Sprint(i), int64(i), true)
	}
	p.turn() // nothing is due
	p.wantTable("a=01", "b=02")
	p.time = p.time.Add(time.Hour)
	p.turn()
	for _, e := range p.want(waiting...) {
		if e.err != nil {
			t.Fatal(e)
		}
	}
	p.wantTable("a=01", "a=59", "b=02")
	p.emit("a", "70", 1, true) // was written just now
	p.emit("b", "71", 1, true) // was not
	p.want("71")
	p.time = p.time.Add(2 * time.Hour)
	p.turn()
	p.want("70")
	p.time = p.time.Add(2 * time.Hour)
	p.turn()
	if len(p.pace.keys) != 0 || len(p.pace.turns) != 0 {
		t.Errorf("of quiet keys %v and %v are left", p.pace.keys, p.pace.turns)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestCoalescing_WhatMayNotWaitIsWrittenWithAllThatWaits(t *testing.T) {
	p := newCoalesced(t)
	p.emit("a", "1", 1, true)
	p.emit("a", "2", 2, true)
	p.emit("a", "3", 3, false)
	p.emit("a", "4", 4, false)
	ends := p.want("1", "2", "3", "4")
	if ends[1].offset != ends[2].offset {
		t.Errorf("ends %v", ends)
	}
	p.wantTable("a=1", "a=3", "a=4")
	p.emit("a", "5", 5, true)
	p.EmitWithHeaders(topics.TableFixtures, "a", nil, nil)
	p.want("5")
	p.wantTable("a=1", "a=3", "a=4", "a=")
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestCoalescing_TheEndWritesWhatWaits(t *testing.T) {
	p := newCoalesced(t)
	for i := range 5 {
		p.emit("a", fmt.Sprint(i), int64(i), true)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p.want("0", "1", "2", "3", "4")
	p.wantTable("a=0", "a=4")
	p.emit("a", "5", 5, true)
	if e := p.want("5")[0]; e.err == nil {
		t.Error("written after the end")
	}
}

func TestCoalescing_AFailureIsThatOfAllThatWaited(t *testing.T) {
	p := newCoalesced(t)
	p.emit("a", "0", 0, true)
	p.want("0")
	p.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: topics.TableFixtures, Err: kerr.MessageTooLarge})
	p.emit("a", "1", 1, true)
	p.emit("a", "2", 2, true)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for _, e := range p.want("1", "2") {
		if !errors.Is(e.err, sarama.ErrMessageSizeTooLarge) {
			t.Errorf("%+v", e)
		}
	}
	p.wantTable("a=0")
}

// emitMessage sends a message to a topic of one partition's table, for the order there.
func (p *coalesced) emitMessage(value string, mayGather bool) {
	headers := goka.Headers{topics.HeaderReceived: topics.FormatReceived(time.Unix(1, 0))}
	if mayGather {
		headers[topics.HeaderMayGather] = nil
	}
	p.EmitWithHeaders(topics.TableFixtures, value, []byte(value), headers).ThenWithMessage(func(m *sarama.ProducerMessage, err error) {
		p.ends <- ending{value, m.Offset, err}
	})
}

func TestCoalescing_MessagesOfAMomentAreSentTogether(t *testing.T) {
	p := newCoalesced(t)
	p.emitMessage("1", true) // none was sent lately
	p.want("1")
	p.emitMessage("2", true)
	p.emitMessage("3", true)
	p.emitMessage("4", false) // waits for none
	p.want("4")
	p.wantTable("1=1", "4=4")
	p.time = p.time.Add(time.Hour)
	p.emitMessage("5", true)
	p.want("2", "3", "5")
	p.emitMessage("6", true)
	p.send() // as the timer does
	p.want("6")
	var many []string
	for i := range messagesAtOnce {
		many = append(many, fmt.Sprint(100+i))
		p.emitMessage(many[i], true)
	}
	p.want(many...)
	p.emitMessage("7", true)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	p.want("7")
	p.emitMessage("8", true)
	if e := p.want("8")[0]; e.err == nil {
		t.Error("sent after the end")
	}
}

// TestCoalescing_WhatIsGatheredIsSentInTime: by the timer, without another message.
func TestCoalescing_WhatIsGatheredIsSentInTime(t *testing.T) {
	p := newCoalesced(t)
	p.parcel.gap = time.Millisecond
	p.emitMessage("1", true)
	p.emitMessage("2", true)
	p.want("1", "2")
	p.emitMessage("3", true)
	p.emitMessage("4", true)
	p.want("3", "4")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestPace_AValueIsAsOldAsTheOldestThatItReplaces, for what is said of how fresh views are, and in
// the trace of the oldest that is traced.
func TestPace_AValueIsAsOldAsTheOldestThatItReplaces(t *testing.T) {
	p, now := newPace(time.Second), time.Unix(1e9, 0)
	for second := range int64(4) {
		headers := goka.Headers{topics.HeaderReceived: topics.FormatReceived(time.Unix(second, 0))}
		if second > 1 {
			headers[topics.HeaderTrace] = []byte(fmt.Sprint(second))
		}
		p.put(&outgoing{topic: "t", key: "k", headers: headers}, now)
	}
	due := p.due(now.Add(time.Second))
	if len(due) != 1 {
		t.Fatalf("%d are due", len(due))
	}
	if at, err := topics.ParseReceived(due[0].headers[topics.HeaderReceived]); err != nil || at.Unix() != 1 {
		t.Errorf("received at %v, %v", at, err)
	}
	if of := string(due[0].headers[topics.HeaderTrace]); of != "2" {
		t.Errorf("is in trace %q", of)
	}
}

func TestWindow_LegsMayBeManyMore(t *testing.T) {
	for _, set := range []topics.TableSet{{}, {Number: 7, Copied: true}} {
		if mostUnfinished(set.Selections()) != maxLegs || mostUnfinished(set.Coupons()) != maxUnfinished {
			t.Errorf("%v: %d legs, %d coupons", set, mostUnfinished(set.Selections()), mostUnfinished(set.Coupons()))
		}
	}
}
