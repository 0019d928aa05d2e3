package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff/blackbox"
	"tipoff/rejected"
	"tipoff/topics"
)

func TestServices_RetryPublishesARejectedRecordOnceAgain(t *testing.T) {
	c := realServices(t).connect()
	p, err := c.NewPublisher(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	r := topics.Rejection{Reason: "made the processor panic: boom", By: "tipoff-bettors", Topic: topics.Coupons, Key: "default/u1", Value: []byte("bet")}
	value, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // delivered twice
		if err := p.Publish(t.Context(), []topics.Record{{Topic: topics.Rejected, Key: r.ID(), Value: value, Received: time.Now()}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"1 published again", "0 published again"} {
		var out bytes.Buffer
		if err := rejected.Retry(t.Context(), c, rejected.Selected{}, false, &out, io.Discard); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s, %v; want %q", out.String(), err, want)
		}
	}
	if n, err := c.Size(t.Context(), topics.Coupons); err != nil || n != 1 {
		t.Errorf("%d records on %s, %v", n, topics.Coupons, err)
	}
}

func TestRejected_WorksWhetherTipoffRunsOrNot(t *testing.T) {
	t.Parallel()
	env := []string{"TIPOFF_DATA=" + t.TempDir()}
	p := launch(t, env).ready()
	s := &blackbox.Service{T: t, URL: p.url, Prefix: fmt.Sprint(time.Now().UnixNano())}
	coupon := s.Coupon("c1", "u", "e1")
	s.Post("/v1/coupons", 202, coupon)
	coupon.Stake++
	s.Post("/v1/coupons", 202, coupon)
	rejected := func(n int) func() error {
		return func() error {
			if got := p.tool("rejected", "list"); !strings.Contains(got, fmt.Sprintf("\n%d rejected\n", n)) || n > 0 && !strings.Contains(got, "is taken by a coupon with another content") {
				return errors.New(got)
			}
			return nil
		}
	}
	blackbox.Eventually(t, 20*time.Second, rejected(1))
	blackbox.Eventually(t, 20*time.Second, func() error {
		if said := "see tipoff rejected list\" topic=coupon_topic kind=contradicts"; !strings.Contains(p.logged(), said) {
			return fmt.Errorf("the log does not say %s", said)
		}
		return nil
	})
	if got := p.tool("rejected", "retry"); !strings.Contains(got, "1 published again") {
		t.Errorf("retry: %s", got)
	}
	blackbox.Eventually(t, 20*time.Second, rejected(1)) // it still has another content
	p.stop()
	blackbox.Eventually(t, time.Second, rejected(1))
	if got := p.tool("rejected", "retry"); !strings.Contains(got, "1 published again") {
		t.Errorf("retry while nothing runs: %s", got)
	}
	blackbox.Eventually(t, time.Second, rejected(0))
	cmd := exec.Command(binary, "rejected", "list")
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "there is no broker's folder") {
		t.Errorf("in an empty folder: %v, %s", err, out)
	}
}
