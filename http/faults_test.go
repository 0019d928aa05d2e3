package http

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"tipoff"
)

// faulty is so many lines, each an item with so many fields that no entity has.
func faulty(items, fields int) string {
	var item strings.Builder
	item.WriteString(`{"user_id":"u"`)
	for i := range fields {
		fmt.Fprintf(&item, `,"%x":0`, i)
	}
	return strings.Repeat(item.String()+"}\n", items)
}

// answered is a response to a post, 207 or 400.
type answered struct {
	Accepted      int            `json:"accepted"`
	RejectedItems int            `json:"rejected_items"`
	Rejected      []tipoff.Fault `json:"rejected"`
	Errors        []tipoff.Fault `json:"errors"`
	MoreFaults    int            `json:"more_faults"`
	Detail        string         `json:"detail"`
}

func (g *gateway) read(a answer) (read answered) {
	g.Helper()
	if err := json.Unmarshal([]byte(a.body), &read); err != nil {
		g.Fatalf("%v: %s", err, a.body)
	}
	return read
}

// What a post with countless faults costs is bounded: 127 KB, packed, were answered
// with 222 MB.
func TestPost_WithCountlessFaultsIsAnsweredBriefly(t *testing.T) {
	g := start(t)
	const items, fields = 911, 2300
	body := faulty(items, fields)
	sent := packed(body)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a := g.ask("POST", "/v1/users", sent, "Content-Type", "application/x-ndjson", "Content-Encoding", "gzip")
	runtime.ReadMemStats(&after)
	g.want(a, 400)
	if len(a.body) > 32<<10 {
		t.Errorf("%d bytes of response to a post of %d", len(a.body), len(sent))
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 40*uint64(len(body)) {
		t.Errorf("%d MB were allocated for a body of %d MB", allocated>>20, len(body)>>20)
	}
	got := g.read(a)
	all := items * (fields + 5) // five required fields are not there either
	if len(got.Errors) != 100 || got.RejectedItems != items || got.MoreFaults != all-100 {
		t.Errorf("%d faults are listed and %d more told, of %d items; want %d, %d, %d",
			len(got.Errors), got.MoreFaults, got.RejectedItems, 100, all-100, items)
	}
	if strings.Contains(got.Detail, "is not a field") {
		t.Errorf("detail says again what errors says: %s", got.Detail)
	}
}

func TestPost_CountsEveryItem(t *testing.T) {
	g := start(t)
	body := faulty(3, 97) + strings.ReplaceAll(goodUser, "\n", " ") + "\n" + faulty(20, 0)
	got := g.read(g.ask("POST", "/v1/users", body, "Content-Type", "application/x-ndjson"))
	if got.Accepted != 1 || got.RejectedItems != 23 || len(got.Rejected) != 100 || got.MoreFaults != 3*102+20*5-100 {
		t.Errorf("accepted %d, rejected %d, %d faults and %d more", got.Accepted, got.RejectedItems, len(got.Rejected), got.MoreFaults)
	}
	if last := got.Rejected[9]; last.Index != 0 || last.More != 102-10 {
		t.Errorf("the first item's last fault is %+v", last)
	}
	if last := got.Rejected[99]; last.Index != 3+14 || last.More != 0 {
		t.Errorf("the last fault is %+v", last)
	}
	good := g.read(g.ask("POST", "/v1/users", goodUser))
	if good.Accepted != 1 || good.RejectedItems != 0 || good.MoreFaults != 0 {
		t.Errorf("%+v", good)
	}
}

// An id that breaks its bounds is not repeated with each of the item's faults.
func TestPost_TellsOnlyIDsThatAreIDs(t *testing.T) {
	g := start(t)
	a := g.ask("POST", "/v1/users", `{"user_id":"`+strings.Repeat("i", 100_000)+`"}`)
	g.want(a, 400, `"field":"user_id"`)
	if len(a.body) > 4<<10 {
		t.Errorf("%d bytes of response", len(a.body))
	}
}

func TestParameters_ListTenFaultsAndCountTheOthers(t *testing.T) {
	g := start(t)
	var query strings.Builder
	for i := range 500 {
		fmt.Fprintf(&query, "&x%03d=1", i)
	}
	a := g.ask("GET", "/v1/recommendations?n=0"+query.String(), "")
	g.want(a, 400, `"field":"n"`, `"field":"x007"`)
	if got := g.read(a); len(got.Errors) != 10 || got.Errors[9].More != 492 || got.MoreFaults != 492 {
		t.Errorf("%+v", got)
	}
	a = g.ask("GET", "/v1/recommendations?user_id=u&"+strings.Repeat("long", 2000)+"=1", "")
	g.want(a, 400, "is not a parameter")
	if len(a.body) > 1<<10 {
		t.Errorf("%d bytes of response", len(a.body))
	}
}
