package state

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestChunk_KeepsALegOnce(t *testing.T) {
	var c Chunk
	c.Wait(leg(1, 0, 0, 7))
	c.Wait(leg(1, 1, 0))
	c.Wait(leg(1, 0, 0))
	if len(c.Legs) != 2 || c.Legs[0].History != nil {
		t.Errorf("legs = %+v", c.Legs)
	}
	again, err := UnmarshalChunk(c.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&c, again, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}
