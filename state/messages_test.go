package state

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tipoff"
	"tipoff/wire"
)

// choiceWithBettor is a choice as an older program wrote it, on these legs.
func choiceWithBettor(legs ...[]byte) []byte {
	var w wire.Writer
	w.Byte(messageVersion)
	w.Byte(kindChoiceWithBettor)
	w.Text("u")
	w.Int(noon.Unix())
	w.Raw(new(Bettor).Marshal())
	w.Uint(uint64(len(legs)))
	for _, leg := range legs {
		w.Raw(leg)
	}
	return w
}

func TestMessages_AChoiceOfAnOlderProgramSaysTheSame(t *testing.T) {
	var b Bettor
	coupon := bet("c1", noon, "e1", "e2")
	b.AddCoupon(coupon, at(5), CauseAt(at(5)), noon.Unix())
	legs := b.LegsOf(coupon, cause(5, 3), noon.Unix())
	got, err := UnmarshalMessage(choiceWithBettor(MarshalMessage(&legs[0]), MarshalMessage(&legs[1])))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(NewChoice(legs), got); diff != "" {
		t.Error(diff)
	}
}

func TestMessages_DoNotNest(t *testing.T) {
	inner := choiceWithBettor(MarshalMessage(leg(1, 0, 0)))
	for range 100 {
		inner = choiceWithBettor(inner)
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
	for _, m := range []any{leg(3, 1, 2, 1<<47, 5), r, &Release{r.Traits}, &Waiting{*waiting}, &Expire{Wait: 5}, &Expired{Empty: true}, NewChoice([]Leg{*leg(3, 1, 2), *leg(3, 1, 3)})} {
		again, err := UnmarshalMessage(MarshalMessage(m))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Error(diff)
		}
	}
}
