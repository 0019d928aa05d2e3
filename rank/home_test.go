package rank

import (
	"testing"

	"tipoff"
	"tipoff/state"
)

// TestBettor_HomeIsAsHePostedIt, not as another bettor of the country spelled it.
func TestBettor_HomeIsAsHePostedIt(t *testing.T) {
	x := NewIndex()
	for i, country := range []string{"germany", "Germany"} {
		b, id := new(state.Bettor), country
		b.Post(tipoff.User{ID: id, Country: country, Name: "of " + country}, at(int64(i)))
		x.PutBettor(id, b)
	}
	if a, b := x.Bettor("germany"), x.Bettor("Germany"); a.home != "germany" || b.home != "Germany" || a.country != b.country {
		t.Errorf("%q, %q", a.home, b.home)
	}
	x.PutBettor("germany", new(state.Bettor))
	if b := x.Bettor("germany"); b.home != "" || b.country != 0 {
		t.Errorf("not posted any more, %q", b.home)
	}
}
