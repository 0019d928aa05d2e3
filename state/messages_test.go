package state

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tipoff"
	"tipoff/wire"
)

func TestMessages_DoNotNest(t *testing.T) {
	inner := MarshalMessage(&Choice{UserID: "u", Legs: []Leg{*leg(1, 0, 0)}})
	for range 100 {
		var w wire.Writer
		w.Byte(messageVersion)
		w.Byte(kindChoice)
		w.Text("u")
		w.Int(0)
		w.Raw(nil)
		w.Uint(1)
		w.Raw(inner)
		inner = w
	}
	if _, err := UnmarshalMessage(inner); err == nil {
		t.Error("a choice within a choice was read")
	}
}

func TestMessages_ComeThroughTheTopic(t *testing.T) {
	r := Resolve(leg(3, 1, 2), TraitsOf(&tipoff.Event{ID: "e", Sport: "s", League: "l", Participants: []string{"a", "b", "a"}, Begin: noon}))
	if len(r.Teams) != 2 {
		t.Errorf("teams = %v", r.Teams)
	}
	waiting := leg(3, 1, 2)
	waiting.Sent = 9
	for _, m := range []any{leg(3, 1, 2, 1<<47, 5), r, &Release{r.Traits}, &Waiting{*waiting}, &Expire{Wait: 5}, &Expired{Empty: true}} {
		again, err := UnmarshalMessage(MarshalMessage(m))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Error(diff)
		}
	}
}
