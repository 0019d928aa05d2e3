package trace

import (
	"fmt"

	oteltrace "go.opentelemetry.io/otel/trace"
)

// Header is the name under which a request or a record has a traceparent, as the W3C's
// Trace Context has it: version-trace-span-flags, in lower hexadecimal digits.
const Header = "traceparent"

// Length is how long a traceparent is, in bytes. Later versions may have more behind a
// dash.
const Length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

// parse reads a traceparent. What is none, or is not there, is no valid context.
func parse[T string | []byte](text T) (none oteltrace.SpanContext) {
	if len(text) < Length || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return none
	}
	var version, flags [1]byte
	c := oteltrace.SpanContextConfig{Remote: true}
	read := unhex(version[:], text[:2]) && unhex(c.TraceID[:], text[3:35]) && unhex(c.SpanID[:], text[36:52]) && unhex(flags[:], text[53:55])
	hasMore := len(text) > Length
	if !read || version[0] == 0xff || hasMore && (version[0] == 0 || text[Length] != '-') {
		return none
	}
	c.TraceFlags = oteltrace.TraceFlags(flags[0]) & oteltrace.FlagsSampled // the one flag of version 00
	return oteltrace.NewSpanContext(c)
}

// unhex reads lower hexadecimal digits, two a byte.
func unhex[T string | []byte](to []byte, digits T) bool {
	for i := range len(digits) {
		c := digits[i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		default:
			return false
		}
		to[i/2] = to[i/2]<<4 | c
	}
	return true
}

// format is the reverse of [parse].
func format(c oteltrace.SpanContext) string {
	return fmt.Sprintf("00-%s-%s-%s", c.TraceID(), c.SpanID(), c.TraceFlags()&oteltrace.FlagsSampled)
}
