package rejected

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"tipoff"
	"tipoff/broker"
	"tipoff/topics"
)

// recent looks at the cluster's dead letters, and publishes until the test ends.
func recent(t *testing.T, c *broker.Cluster) *Recent {
	t.Helper()
	p, err := c.NewPublisher(5 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	r := NewRecent(c, p)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func (r *Recent) page(t *testing.T, company string, f tipoff.DeadLetterFilter) tipoff.DeadLetterPage {
	t.Helper()
	if f.N == 0 {
		f.N = tipoff.MaxDeadLetters
	}
	page, err := r.DeadLetters(t.Context(), company, f)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestRecent_ListsTheNewestFirstByReasonAndOfTheAskerAlone(t *testing.T) {
	t.Parallel()
	c := embeddedCluster(t)
	r := recent(t, c)
	if page := r.page(t, "default", tipoff.DeadLetterFilter{}); len(page.Rejected) != 0 || page.Cursor != nil || page.Rejected == nil || page.Counts == nil {
		t.Errorf("of nothing: %+v", page)
	}
	for i := range int64(9) {
		one := refused(i, topics.Users, "default/u", fmt.Sprint("value", i), "why")
		if one.Kind = topics.Invalid; i%3 == 0 {
			one.Kind = topics.Malformed
		}
		refuse(t, c, one) // one after another, so that their times differ or stay in order
	}
	old := refused(20, topics.Coupons, "default/u", "\xffbytes\n"+strings.Repeat("x", 5000), "why\n\x1b")
	refuse(t, c, old, refused(21, topics.Users, "other/u", "secret", "why"), refused(22, topics.Users, "no key", "x", "why"))
	publish(t, c, topics.Record{Topic: topics.Rejected, Key: "k", Value: []byte("no rejection"), Received: time.Now()})
	page := r.page(t, "default", tipoff.DeadLetterFilter{})
	if len(page.Rejected) != 10 || page.Cursor != nil || page.Older != 0 || fmt.Sprint(page.Counts) != "[{invalid 6} {malformed 3} {unknown 1}]" {
		t.Fatalf("%+v", page)
	}
	for i := range page.Rejected[1:] {
		if page.Rejected[i].At.Before(page.Rejected[i+1].At) {
			t.Errorf("%d is older than %d", i, i+1)
		}
	}
	unknown := r.page(t, "default", tipoff.DeadLetterFilter{Reason: tipoff.ReasonUnknown})
	if l := unknown.Rejected[0]; len(unknown.Rejected) != 1 || !l.Truncated || l.Offset != 20 || l.Partition != 1 || l.Topic != topics.Coupons ||
		!strings.HasPrefix(l.Value, "\uFFFDbytes\nxxx") || l.Detail != "why\n\x1b" || l.Key != "default/u" {
		t.Errorf("%+v", unknown)
	}
	if other := r.page(t, "other", tipoff.DeadLetterFilter{}); len(other.Rejected) != 1 || other.Rejected[0].Value != "secret" {
		t.Errorf("of the other company: %+v", other)
	}
	seen := map[string]bool{}
	pages, cursor := 0, ""
	for more := true; more; pages++ {
		page := r.page(t, "default", tipoff.DeadLetterFilter{N: 4, Cursor: cursor})
		for _, l := range page.Rejected {
			if seen[l.ID] {
				t.Errorf("%s is on two pages", l.ID)
			}
			seen[l.ID] = true
		}
		if more = page.Cursor != nil; more {
			cursor = *page.Cursor
		}
	}
	if len(seen) != 10 || pages != 3 {
		t.Errorf("%d on %d pages", len(seen), pages)
	}
	var faults tipoff.Faults
	if _, err := r.DeadLetters(t.Context(), "default", tipoff.DeadLetterFilter{Cursor: "!"}); !errors.As(err, &faults) {
		t.Errorf("a cursor that is none: %v", err)
	}
}

func TestRecent_RetriesEachOnceWhoeverAsksAtOnce(t *testing.T) {
	t.Parallel()
	c := embeddedCluster(t)
	r := recent(t, c)
	refuse(t, c, refused(1, topics.Coupons, "default/u1", "bet", "why"), refused(2, topics.Selections, "default/e1", "leg", "why"),
		refused(3, topics.Users, "other/u1", "x", "why"), refused(4, topics.Users, "default/u2", strings.Repeat("x", topics.MaxRejectedValue), "why"))
	ids := map[int64]string{}
	for _, company := range []string{"default", "other"} {
		for _, l := range r.page(t, company, tipoff.DeadLetterFilter{}).Rejected {
			ids[l.Offset] = l.ID
		}
	}
	var asking sync.WaitGroup
	results := make(chan error, 5)
	for range cap(results) {
		asking.Go(func() {
			_, err := r.Retry(t.Context(), "default", ids[1])
			results <- err
		})
	}
	asking.Wait()
	done := 0
	for range cap(results) {
		var conflict *tipoff.Conflict
		switch err := <-results; {
		case err == nil:
			done++
		case !errors.As(err, &conflict) || !strings.Contains(conflict.Why, "sent again already"):
			t.Error(err)
		}
	}
	if got := on(t, c, topics.Coupons); done != 1 || got != "default/u1=bet" {
		t.Errorf("%d have sent it again; on the topic %q", done, got)
	}
	if page := r.page(t, "default", tipoff.DeadLetterFilter{}); len(page.Rejected) != 2 {
		t.Errorf("still listed: %+v", page.Rejected)
	}
	if got := listed(t, c, Listing{}); !strings.Contains(got, "3 rejected") { // as the command line sees it
		t.Errorf("listed: %s", got)
	}
	for offset, part := range map[int64]string{2: "tipoff rebuild", 4: "was cut"} {
		var conflict *tipoff.Conflict
		if _, err := r.Retry(t.Context(), "default", ids[offset]); !errors.As(err, &conflict) || !strings.Contains(conflict.Why, part) {
			t.Errorf("%d: %v", offset, err)
		}
	}
	for _, id := range []string{ids[3], "0-999", "none", ""} { // of the other company, and of nobody
		if _, err := r.Retry(t.Context(), "default", id); !errors.Is(err, tipoff.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if got := on(t, c, topics.Users); got != "" {
		t.Errorf("on the users' topic: %q", got)
	}
	refuse(t, c, refused(1, topics.Coupons, "default/u1", "bet", "again")) // what was sent again is refused from the same place
	if page := r.page(t, "default", tipoff.DeadLetterFilter{}); len(page.Rejected) != 3 || page.Rejected[0].Detail != "again" {
		t.Errorf("refused again: %+v", page.Rejected)
	}
	refuse(t, c, refused(4, topics.Users, "default/u2", "x", "whole now"))
	if page := r.page(t, "default", tipoff.DeadLetterFilter{}); len(page.Rejected) != 3 || page.Rejected[0].Detail != "whole now" {
		t.Errorf("of two of one record both are listed, or the older one: %+v", page.Rejected)
	}
	var conflict *tipoff.Conflict
	if _, err := r.Retry(t.Context(), "default", ids[4]); !errors.As(err, &conflict) || !strings.Contains(conflict.Why, "rejected again since") {
		t.Errorf("the older one: %v", err)
	}
}

func TestRecent_LooksAtABoundedNumberOfRecords(t *testing.T) {
	t.Parallel()
	c := embeddedCluster(t)
	var list []topics.Rejection
	for i := range int64(3 * tipoff.MaxDeadLettersLooked) {
		list = append(list, refused(i, topics.Users, "default/u", "value", "why"))
	}
	refuse(t, c, list...)
	r := recent(t, c)
	page := r.page(t, "default", tipoff.DeadLetterFilter{})
	if counts := page.Counts[0].Records; counts != tipoff.MaxDeadLettersLooked || page.Older != 2*tipoff.MaxDeadLettersLooked {
		t.Errorf("%d of %d were looked at, %d are older", counts, len(list), page.Older)
	}
	list = nil
	for i := range int64(100) {
		list = append(list, refused(10_000+i, topics.Users, "default/u", strings.Repeat("x", 200_000), "why"))
		if len(list) == 10 {
			refuse(t, c, list...)
			list = nil
		}
	}
	stored, older, err := c.Last(t.Context(), topics.Rejected, tipoff.MaxDeadLettersLooked, tipoff.MaxDeadLetterBytes)
	bytes := 0
	for _, s := range stored {
		bytes += len(s.Value)
	}
	if err != nil || bytes < tipoff.MaxDeadLetterBytes/2 || bytes > 3*tipoff.MaxDeadLetterBytes || older+int64(len(stored)) != 3*tipoff.MaxDeadLettersLooked+100 {
		t.Errorf("read %d records of %d bytes, %d are older: %v", len(stored), bytes, older, err)
	}
}

// TestRecent_AnswersAllWhoAskAtOnceByOneLook: however long the broker takes for it.
func TestRecent_AnswersAllWhoAskAtOnceByOneLook(t *testing.T) {
	t.Parallel()
	k, c := kafkaCluster(t)
	refuse(t, c, refused(1, topics.Users, "default/u", "x", "why"), refused(2, topics.Users, "other/u", "x", "why"))
	r := recent(t, c)
	gate, first := make(chan struct{}), make(chan struct{})
	looks := atomic.Int64{}
	k.ControlKey(int16(kmsg.ListOffsets), func(kmsg.Request) (kmsg.Response, error, bool) {
		k.KeepControl()
		if looks.Add(1) == 1 {
			close(first)
		}
		<-gate
		return nil, nil, false
	})
	const questions = 50
	var asking sync.WaitGroup
	asking.Add(questions)
	results := make(chan error, questions)
	ask := func(i int) {
		asking.Done()
		company := []string{"default", "other"}[i%2]
		page, err := r.DeadLetters(t.Context(), company, tipoff.DeadLetterFilter{N: 10})
		if err == nil && (len(page.Rejected) != 1 || page.Rejected[0].Key != company+"/u") {
			err = fmt.Errorf("%+v", page)
		}
		results <- err
	}
	go ask(0)
	<-first
	for i := range questions - 1 {
		go ask(i)
	}
	asking.Wait()
	close(gate)
	for range questions {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := looks.Load(); n > questions { // a look asks where the logs begin and where they end; some came late
		t.Errorf("%d questions for offsets", n)
	}
}

// TestRecent_CloseWaitsForARetryUnderWay: what is published is noted, too.
func TestRecent_CloseWaitsForARetryUnderWay(t *testing.T) {
	t.Parallel()
	k, c := kafkaCluster(t)
	refuse(t, c, refused(1, topics.Users, "default/u", "x", "why"))
	r := recent(t, c)
	id := r.page(t, "default", tipoff.DeadLetterFilter{}).Rejected[0].ID
	gate, publishes := make(chan struct{}), make(chan struct{})
	once := sync.OnceFunc(func() { close(publishes) })
	k.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) { // of the record, once
		once()
		<-gate
		return nil, nil, false
	})
	retried, closed := make(chan error, 1), make(chan struct{})
	go func() {
		_, err := r.Retry(t.Context(), "default", id)
		retried <- err
	}()
	<-publishes
	go func() {
		defer close(closed)
		_ = r.Close()
	}()
	<-r.life.Done()
	if _, err := r.Retry(t.Context(), "default", id); !errors.Is(err, tipoff.ErrUnavailable) {
		t.Errorf("one that came too late: %v", err)
	}
	select {
	case <-closed:
		t.Error("it does not wait for what is being published")
	default:
	}
	close(gate)
	<-closed
	if err := <-retried; err != nil {
		t.Error(err)
	}
	if got := listed(t, c, Listing{}); !strings.Contains(got, "0 rejected") || on(t, c, topics.Users) != "default/u=x" {
		t.Errorf("sent again, and not noted: %s", got)
	}
	if _, err := r.DeadLetters(t.Context(), "default", tipoff.DeadLetterFilter{}); !errors.Is(err, tipoff.ErrUnavailable) {
		t.Errorf("after its end: %v", err)
	}
}
