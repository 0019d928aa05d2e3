package broker

import "testing"

func TestHeld_CountsWhatTheTableHolds(t *testing.T) {
	o := connect(t, Config{Brokers: fake(t).ListenAddrs()}).NewOwner(TableValues{Group: func(_ string, value []byte) string { return string(value) }}, nil)
	s, err := o.storage("", 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		key, value string // "": deleted
		a, b       int
	}{{"k1", "a", 1, 0}, {"k2", "a", 2, 0}, {"k2", "a", 2, 0}, {"k2", "b", 1, 1}, {"k1", "", 0, 1}, {"k1", "", 0, 1}, {"k2", "", 0, 0}} {
		if err = s.Set(step.key, []byte(step.value)); step.value == "" {
			err = s.Delete(step.key)
		}
		if a, b := o.Held(3, "a"), o.Held(3, "b"); err != nil || a != step.a || b != step.b {
			t.Errorf("%+v: %d and %d, %v", step, a, b, err)
		}
	}
	if n := o.Held(4, "a"); n != 0 {
		t.Errorf("%d in a partition that is another's", n)
	}
}
