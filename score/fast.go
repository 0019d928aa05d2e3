package score

import "math"

// Logarithms and powers in single precision, right to about five digits: terms need
// no more, and a question needs thousands.

// log2 is the binary logarithm of v > 0.
func log2(v float32) float32 {
	bits := math.Float32bits(v)
	exponent := float32(int32(bits>>23) - 127)
	m := math.Float32frombits(bits&0x7fffff|0x3f800000) - 1 // 0..1
	m2 := m * m
	low := 1.44254494 - 0.71814525*m
	high := 0.45754919 - 0.27790423*m
	top := 0.12309423 - 0.02714114*m
	return exponent + m*(low+m2*(high+m2*top))
}

// ln is the natural logarithm of v > 0.
func ln(v float32) float32 { return math.Ln2 * log2(v) }

// ln1p is the natural logarithm of 1 + v, for v >= 0.
func ln1p(v float32) float32 { return math.Ln2 * log2(1+v) }

// exp2 is 2^v, 0 below -100.
func exp2(v float32) float32 {
	if v < -100 {
		return 0
	}
	whole := int32(v+128) - 128 // rounds down, as v+128 > 0
	f := v - float32(whole)
	f2 := f * f
	low := 1 + 0.69314718*f
	high := 0.24022651 + 0.05550411*f
	top := 0.00961813 + 0.00133336*f + 0.00015403*f2
	return math.Float32frombits(uint32(whole+127)<<23) * (low + f2*(high+f2*top))
}
