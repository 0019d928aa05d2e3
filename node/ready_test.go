package node_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"tipoff/blackbox"
	"tipoff/http"
	"tipoff/node"
)

// TestReadiness_WhileKafkaIsPaused: a gateway answers from memory and says what it
// cannot do; another role has nothing to do then.
func TestReadiness_WhileKafkaIsPaused(t *testing.T) {
	t.Parallel()
	kafka, settings := outside(t)
	gateway, processors := blackbox.Start(t, settings, node.API), blackbox.Start(t, settings, node.Processors)
	want := func(n *blackbox.Node, wants string) {
		t.Helper()
		blackbox.Eventually(t, 30*time.Second, func() error {
			if r := n.Readiness(); said(r) != wants {
				return fmt.Errorf("%s, want %s: %+v", said(r), wants, r)
			}
			return nil
		})
	}
	want(gateway, "ready true, accepts true, fresh true")
	want(processors, "ready true")
	gate := make(chan struct{})
	kafka.Control(func(kmsg.Request) (kmsg.Response, error, bool) {
		kafka.KeepControl()
		<-gate
		return nil, nil, false
	})
	want(gateway, "ready true, accepts false, fresh false")
	want(processors, "ready false")
	for _, part := range gateway.Readiness().Parts {
		if part.Name == "logs" { // known to be whole when last seen
			continue
		}
		if part.Ready || part.Needed || (part.Name != "kafka" && (part.Age == nil || *part.Age < 1)) {
			t.Errorf("%+v", part)
		}
	}
	close(gate)
	want(gateway, "ready true, accepts true, fresh true")
	want(processors, "ready true")
}

func said(r http.Readiness) string {
	s := fmt.Sprintf("ready %v", r.Ready)
	if r.Accepts != nil && r.Fresh != nil {
		s += fmt.Sprintf(", accepts %v, fresh %v", *r.Accepts, *r.Fresh)
	}
	return s
}
