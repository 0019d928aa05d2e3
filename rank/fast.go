package rank

import "math"

// Logarithms and powers in single precision, right to about three and a half digits:
// terms need no more, and a question needs thousands.

// log2 is the binary logarithm of v > 0.
func log2(v float32) float32 {
	bits := math.Float32bits(v)
	m := math.Float32frombits(bits&0x7fffff|0x3f800000) - 1 // 0..1
	return float32(int32(bits>>23)-127) + m*(1.43837933+m*(-0.67588065+m*(0.31815448-m*0.08065316)))
}

// ln is the natural logarithm of v > 0.
func ln(v float32) float32 { return math.Ln2 * log2(v) }

// ln1p is the natural logarithm of 1 + v, for v >= 0.
func ln1p(v float32) float32 { return math.Ln2 * log2(1+v) }

// exp2 is 2^v for v < 127, 0 below -100.
func exp2(v float32) float32 {
	if v < -100 {
		return 0
	}
	whole := int32(v+128) - 128 // rounds down, as v+128 > 0
	f := v - float32(whole)
	return math.Float32frombits(uint32(whole+127)<<23) * (1 + f*(0.69606564+f*(0.22449433+f*0.07944023)))
}
