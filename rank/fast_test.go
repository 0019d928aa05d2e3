package rank

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestFast_IsRightToThreeDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float32Range(1e-6, 1e9).Draw(t, "v")
		if got, want := float64(log2(v)), math.Log2(float64(v)); math.Abs(got-want) > 3e-4 {
			t.Fatalf("log2(%g) = %g, is %g", v, got, want)
		}
		e := rapid.Float32Range(-90, 30).Draw(t, "e")
		if got, want := float64(exp2(e)), math.Exp2(float64(e)); math.Abs(got/want-1) > 3e-4 {
			t.Fatalf("exp2(%g) = %g, is %g", e, got, want)
		}
	})
}
