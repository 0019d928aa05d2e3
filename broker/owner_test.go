package broker

import (
	"errors"
	"testing"

	"tipoff/topics"
)

// TestOwner_ReturnsTheVeryValueOfItsTable: who holds the same keeps it but once.
func TestOwner_ReturnsTheVeryValueOfItsTable(t *testing.T) {
	o := connect(t, Config{Brokers: fake(t).ListenAddrs()}).NewOwner(TableValues{}, func(string) {})
	o.group = topics.GroupBettors
	if _, err := o.begin(session{generation: 1}); err != nil {
		t.Fatal(err)
	}
	s, err := o.storage("", 0)
	value := []byte("v")
	if err = errors.Join(err, s.Set("k", value)); err != nil {
		t.Fatal(err)
	}
	if got := o.Stored(0, "k"); len(got) == 0 || &got[0] != &value[0] {
		t.Errorf("returned %q, which is not the one that was set", got)
	}
	if got, other := o.Stored(0, "other"), o.Stored(1, "k"); got != nil || other != nil {
		t.Errorf("returned %q for a key that is not there, %q of a partition that is not", got, other)
	}
}
