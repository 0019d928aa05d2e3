package tipoff

import (
	"errors"
	"strings"
	"testing"
)

func TestDecodeFact_ReadsEachKind(t *testing.T) {
	for kind, c := range map[Kind]struct{ body, id, owner string }{
		KindUser: {goodUser, "u1", "u1"}, KindEvent: {goodEvent, "e1", "e1"}, KindCoupon: {goodCoupon, "c1", "u1"},
	} {
		f, err := DecodeFact(kind, []byte(c.body), strict)
		if err != nil || f.ID() != c.id || f.Owner() != c.owner {
			t.Errorf("%s: %q of %q, %v", kind, f.ID(), f.Owner(), err)
		}
		var faults Faults
		f, err = DecodeFact(kind, []byte(with(c.body, "nickname", "1")), strict)
		if !errors.As(err, &faults) || f.ID() != c.id {
			t.Errorf("%s with a fault: %q, %v", kind, f.ID(), err)
		}
	}
	if f, err := DecodeFact("patch", []byte(`{}`), strict); err == nil || !strings.Contains(err.Error(), `is "patch"`) || f.ID() != "" {
		t.Errorf("an unknown kind: %+v, %v", f, err)
	}
	if f := (Fact{Patch: &EventPatch{ID: "e1"}}); f.ID() != "e1" || f.Owner() != "e1" {
		t.Errorf("a patch is %q of %q", f.ID(), f.Owner())
	}
}
