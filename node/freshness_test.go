package node

import (
	"strings"
	"testing"

	"tipoff/broker"
	"tipoff/sink"
)

func TestWithinLag_AGatewayFarBehindIsNotReady(t *testing.T) {
	state := broker.State{Ready: true, Detail: "follows its table", Lag: 11}
	of := func(most uint64, archive *sink.Archive) broker.State {
		r := &runningSet{node: &Node{settings: &Settings{Freshness: Freshness{MaxLag: most}}}, sets: &tableSets{archive: archive}}
		return r.withinLag(func() broker.State { return state })()
	}
	gateway := new(sink.Archive)
	if s := of(10, gateway); s.Ready || s.Lag != 11 || !strings.Contains(s.Detail, "TIPOFF_MAX_LAG") {
		t.Errorf("over the limit: %+v", s)
	}
	for name, s := range map[string]broker.State{"at the limit": of(11, gateway), "no limit": of(0, gateway), "no gateway": of(10, nil)} {
		if s != state {
			t.Errorf("%s: %+v", name, s)
		}
	}
	state = broker.State{Detail: "catches up with its table", Lag: 11}
	if s := of(10, gateway); s != state {
		t.Errorf("not ready for another reason: %+v", s)
	}
}
