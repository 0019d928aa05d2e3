package processors

import (
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/lovoo/goka"

	"tipoff/state"
	"tipoff/topics"
)

// countingOwner counts what is rejected, as topic/kind.
type countingOwner struct {
	soleOwner
	mu       sync.Mutex
	rejected map[string]int
}

// Finished says that all is, as else no bet is forgotten.
func (o *countingOwner) Finished(string, int32) int64 { return 1 << 30 }

func (o *countingOwner) Rejected(topic string, kind topics.RejectionKind) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rejected[topic+"/"+string(kind)]++
}

func TestRejections_HaveAKindEach(t *testing.T) {
	owner := &countingOwner{rejected: map[string]int{}}
	p := newPipelineBy(t, owner, topics.TableSet{Number: 2})
	set := topics.TableSet{Number: 2}
	p.send(topics.Record{Topic: topics.Users, Key: "no slash", Value: user("u").Value, Received: noon})
	p.send(topics.Record{Topic: topics.Users, Key: "default/u", Value: []byte("{}"), Received: noon})
	p.send(topics.Record{Topic: set.Selections(), Key: "default/e", Value: []byte("garbage"), Received: noon})
	p.send(event("e", "Liga")) // else they wait, and are not forgotten
	for i := range state.MaxCoupons + 1 {
		p.send(coupon(fmt.Sprint("c", i), "u", 10, "e"))
	}
	p.send(coupon("c3", "u", 99, "e"))
	old := coupon("old", "u", 10, "e")
	old.Value = []byte(`{"coupon_id":"old","user_id":"u","stake":1,"timestamp":"2001-01-01","selections":[{"event_id":"e","odds":2}]}`)
	p.send(old)
	p.tester.SetTableValue(goka.Table(set.TableBettors()), "default/broken", []byte("broken"))
	p.send(coupon("c", "broken", 10, "e"))
	p.tester.SetTableValue(goka.Table(set.TableFixtures()), "default/broken", []byte("broken"))
	p.send(event("broken", "Liga"))
	owner.mu.Lock()
	defer owner.mu.Unlock()
	if want := map[string]int{
		topics.Users + "/malformed": 1, topics.Users + "/invalid": 1, set.Selections() + "/malformed": 1, topics.Coupons + "/contradicts": 1,
		topics.Coupons + "/too-old": 1, topics.Coupons + "/broken-table": 1, topics.Events + "/broken-table": 1,
	}; !maps.Equal(owner.rejected, want) {
		t.Errorf("rejected %v\nwant %v", owner.rejected, want)
	}
}
