package processors

import (
	"fmt"
	"testing"
)

func TestDecoded_AStateIsBelievedByItsBytesAndOnce(t *testing.T) {
	d := newDecoded[int](2)
	state := new(int)
	d.put("a", []byte("written"), state)
	if got := d.take("b", []byte("written")); got != nil {
		t.Error("the state of another key was returned")
	}
	if got := d.take("a", []byte("written")); got != state {
		t.Error("the state that was written was not returned")
	}
	if got := d.take("a", []byte("written")); got != nil {
		t.Error("a state that was taken and not written was returned again")
	}
	d.put("a", []byte("written"), state)
	if got := d.take("a", []byte("by another owner")); got != nil {
		t.Error("the table holds another value, and the state was returned")
	}
	if got := d.take("a", []byte("written")); got != nil {
		t.Error("a state that the table had passed was returned")
	}
}

func TestDecoded_IsBounded(t *testing.T) {
	d := newDecoded[int](10)
	for i := range 1000 {
		d.put(fmt.Sprint(i), nil, new(int))
	}
	if len(d.states) != 10 {
		t.Errorf("%d states, want 10", len(d.states))
	}
	if d.take("999", nil) == nil {
		t.Error("the newest state was not kept")
	}
}
