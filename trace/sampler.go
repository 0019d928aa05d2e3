package trace

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	oteltrace "go.opentelemetry.io/otel/trace"
)

// Sampler decides which requests are traced. It decides before anything is made for a
// span, so that the others cost nothing.
type Sampler struct {
	byParent bool       // a request with a traceparent is traced if that says so
	below    uint64     // of the others those of which the trace's number is below, of 1<<63
	wished   *allowance // bounds those that are traced for their traceparent alone; nil: nothing does
}

// Names of OpenTelemetry's samplers, with the share of each that has one of its own.
var samplers = map[string]float64{"always_on": 1, "always_off": 0, "traceidratio": ownRatio}

const (
	ownRatio    = -1 // the share is that of the setting
	parentBased = "parentbased_"
)

// NewSampler returns the sampler of a name that OTEL_TRACES_SAMPLER may have. ratio is the
// share that those whose name ends in traceidratio trace, 0 to 1. "" is
// parentbased_traceidratio with a bound on what clients can have traced.
func NewSampler(name string, ratio float64) (s Sampler, err error) {
	if name == "" {
		s, err = NewSampler(parentBased+"traceidratio", ratio)
		s.wished = new(allowance)
		return s, err
	}
	base, byParent := strings.CutPrefix(name, parentBased)
	share, known := samplers[base]
	if !known {
		return s, fmt.Errorf("OTEL_TRACES_SAMPLER: must be one of %s, is %q", strings.Join(SamplerNames(), ", "), name)
	}
	if share == ownRatio {
		share = ratio
	}
	if !(share >= 0 && share <= 1) { // NaN too
		return s, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG: must be the share of requests that are traced, 0 to 1, is %v", ratio)
	}
	return Sampler{byParent: byParent, below: uint64(share * (1 << 63))}, nil
}

// SamplerNames are the names that [NewSampler] knows.
func SamplerNames() (names []string) {
	for name := range samplers {
		names = append(names, name, parentBased+name)
	}
	slices.Sort(names)
	return names
}

// take says whether a request is traced whose client sent the parent, which is not valid
// where it sent none, and in which trace.
func (s Sampler) take(parent oteltrace.SpanContext) (id oteltrace.TraceID, isTaken bool) {
	if parent.IsValid() {
		id = parent.TraceID()
		if !s.byParent {
			return id, s.isBelow(id)
		}
		return id, parent.IsSampled() && (s.wished == nil || s.isBelow(id) || s.wished.take(time.Now()))
	}
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()|1) // not 0
	return id, s.isBelow(id)
}

// isBelow decides as OpenTelemetry's TraceIDRatioBased does, so that all services that
// trace the same share trace the same requests.
func (s Sampler) isBelow(id oteltrace.TraceID) bool {
	return binary.BigEndian.Uint64(id[8:])>>1 < s.below
}

// maxWished is how many requests a second are traced because their client asks for it.
const maxWished = 10

// allowance is used up by [maxWished] a second, and grows to those of one second.
type allowance struct {
	until atomic.Int64 // Unix nanoseconds: what was taken is used up until then
}

func (a *allowance) take(now time.Time) bool {
	for {
		was := a.until.Load()
		until := max(was, now.Add(-time.Second).UnixNano()) + int64(time.Second)/maxWished
		if until > now.UnixNano() {
			return false
		}
		if a.until.CompareAndSwap(was, until) {
			return true
		}
	}
}

// rootKey is under what a context has the trace that a [Sampler] has taken.
type rootKey struct{}

// IDs numbers traces and spans: it is the provider's generator of ids.
type IDs struct{}

// NewIDs returns the trace that the sampler has taken, and a number for its first span.
func (i IDs) NewIDs(ctx context.Context) (oteltrace.TraceID, oteltrace.SpanID) {
	id, _ := ctx.Value(rootKey{}).(oteltrace.TraceID)
	return id, i.NewSpanID(ctx, id)
}

// NewSpanID returns a number for another span.
func (IDs) NewSpanID(context.Context, oteltrace.TraceID) (id oteltrace.SpanID) {
	for !id.IsValid() {
		binary.BigEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}
