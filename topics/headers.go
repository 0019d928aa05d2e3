package topics

import (
	"encoding/base64"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"strconv"
	"strings"
	"time"
)

// Names of record headers.
const (
	HeaderReceived = "received"    // when the gateway received a fact: microseconds since 1970, decimal
	HeaderOrigin   = "origin"      // where a copied fact was first: the text of an [Origin]
	HeaderEvents   = "events"      // of a coupon: what the gateway knew of its events, by state.MarshalKnown
	HeaderTold     = "told"        // of a leg: its bettor knows the event and waits for no message back
	HeaderTrace    = "traceparent" // of what is traced: the span that it follows from, as the W3C's Trace Context has it

	// HeaderMayWait says to a processor's producer that a table's value may be replaced by a
	// newer one of its key before it is written. It is on no topic.
	HeaderMayWait = "may-wait"
	// HeaderMayGather says to it that a message may wait for others, to be sent with them. It is
	// on no topic either.
	HeaderMayGather = "may-gather"
)

// Headers are what a record's headers say.
type Headers struct {
	Received time.Time // by the gateway; zero: they do not say, or no time of the years 1970 to 9999
	Origin   Origin    // of a copy; zero: it is none, or what they say is no origin
	Events   string    // the bytes of [HeaderEvents]
	Told     bool
	Trace    string // the text of [HeaderTrace]
}

// traceLength is how long a traceparent is, in bytes.
const traceLength = 55

// ParseHeaders reads the headers of a record, by name. Others than ours are left out,
// and so is what cannot be read: a record counts whatever its headers say.
func ParseHeaders(headers iter.Seq2[string, []byte]) (h Headers) {
	for name, value := range headers {
		switch name {
		case HeaderReceived:
			h.Received, _ = ParseReceived(value)
		case HeaderOrigin:
			h.Origin, _ = ParseOrigin(value)
		case HeaderEvents:
			h.Events = string(value)
		case HeaderTold:
			h.Told = true
		case HeaderTrace:
			if len(value) == traceLength {
				h.Trace = string(value)
			}
		}
	}
	return h
}

// ReceivedBy is when the gateway received the fact, but not after the broker had it:
// the clocks of gateways may be wrong.
func (h Headers) ReceivedBy(appended time.Time) time.Time {
	if h.Received.IsZero() || h.Received.After(appended) {
		return appended
	}
	return h.Received
}

// All visits the headers as they are written, by name.
func (h Headers) All() iter.Seq2[string, []byte] { return h.AllIn(new([]byte)) }

// AllIn is [Headers.All] with the values appended to a buffer.
func (h Headers) AllIn(buffer *[]byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		received := len(*buffer)
		*buffer = strconv.AppendInt(*buffer, h.Received.UnixMicro(), 10)
		_ = yield(HeaderReceived, (*buffer)[received:]) &&
			(h.Origin.IsZero() || yield(HeaderOrigin, appendText(buffer, h.Origin.String()))) &&
			(h.Events == "" || yield(HeaderEvents, appendText(buffer, h.Events))) &&
			(!h.Told || yield(HeaderTold, nil)) &&
			(h.Trace == "" || yield(HeaderTrace, appendText(buffer, h.Trace)))
	}
}

// appendText appends a text to a buffer and returns it as it stands there.
func appendText(buffer *[]byte, text string) []byte {
	begin := len(*buffer)
	*buffer = append(*buffer, text...)
	return (*buffer)[begin:]
}

// FormatReceived writes the value of [HeaderReceived].
func FormatReceived(t time.Time) []byte { return strconv.AppendInt(nil, t.UnixMicro(), 10) }

// ParseReceived is the reverse of [FormatReceived], for the years 1970 to 9999.
func ParseReceived(value []byte) (time.Time, error) {
	micros, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	t := time.UnixMicro(micros).UTC()
	if t.Year() < 1970 || t.Year() > 9999 { // no gateway's clock says that
		return time.Time{}, errors.New("must lie in the years 1970 to 9999")
	}
	return t, nil
}

// Origin is the position of a fact on its own topic. A copy keeps it, as a fact is
// known by it: it may be copied twice, and counts once.
type Origin struct {
	TopicID   string // tells one life of a topic from another
	Partition int32
	Offset    int64     // with its leader epoch above it: a [tipoff.Sequence]
	Appended  time.Time // by the broker
}

// IsZero says that the record is not a copy.
func (o Origin) IsZero() bool { return o.TopicID == "" }

func (o Origin) String() string {
	return fmt.Sprintf("%s/%d/%d/%d", o.TopicID, o.Partition, o.Offset, o.Appended.UnixMicro())
}

// ParseOrigin is the reverse of [Origin.String].
func ParseOrigin(value []byte) (Origin, error) {
	parts := strings.Split(string(value), "/")
	if len(parts) != 4 || parts[0] == "" {
		return Origin{}, fmt.Errorf("origin %q: must be topic id/partition/offset/microseconds", value)
	}
	var numbers [3]int64
	for i, part := range parts[1:] {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return Origin{}, fmt.Errorf("origin %q: %w", value, err)
		}
		numbers[i] = n
	}
	return Origin{parts[0], int32(numbers[0]), numbers[1], time.UnixMicro(numbers[2]).UTC()}, nil
}

// Source is the short form of a topic's id inside tables, never 0.
func Source(topicID string) uint32 {
	id, err := base64.RawURLEncoding.DecodeString(topicID)
	if err != nil {
		id = []byte(topicID)
	}
	hash := fnv.New32a()
	_, _ = hash.Write(id)
	return max(1, hash.Sum32())
}
