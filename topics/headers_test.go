package topics

import (
	"maps"
	"strings"
	"testing"
	"time"
)

func TestHeaders_AreReadAsTheyWereWritten(t *testing.T) {
	origin := Origin{TopicID: "mJ4-_w", Partition: 7, Offset: 1 << 40, Appended: now.Add(time.Second)}
	for _, want := range []Headers{{Received: now}, {Received: now, Origin: origin}, {Received: now, Told: true, Trace: strings.Repeat("x", traceLength)}} {
		if got := ParseHeaders(want.All()); got != want {
			t.Errorf("%+v was read as %+v", want, got)
		}
	}
}

func TestHeaders_ThatCannotBeReadSayNothing(t *testing.T) {
	headers := map[string][]byte{HeaderReceived: []byte("yesterday"), HeaderOrigin: []byte("1/2"), "trace": []byte("x"), HeaderTrace: []byte(strings.Repeat("x", traceLength+1))}
	if got := ParseHeaders(maps.All(headers)); got != (Headers{}) {
		t.Errorf("were read as %+v", got)
	}
}

func TestHeaders_AGatewayWhoseClockIsAheadIsNotBelieved(t *testing.T) {
	for _, c := range []struct{ received, want time.Time }{
		{now.Add(-time.Minute), now.Add(-time.Minute)}, {now.Add(time.Minute), now}, {time.Time{}, now},
	} {
		if got := (Headers{Received: c.received}).ReceivedBy(now); !got.Equal(c.want) {
			t.Errorf("received %v, appended %v: %v, want %v", c.received, now, got, c.want)
		}
	}
}

func TestOrigin_IsReadAsItWasWritten(t *testing.T) {
	o := Origin{TopicID: "mJ4-_w", Partition: 7, Offset: 1 << 40, Appended: time.UnixMicro(1_700_000_000_123_000).UTC()}
	if got, err := ParseOrigin([]byte(o.String())); err != nil || got != o {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "a/1/2", "/1/2/3", "a/b/2/3", "a/1/2/3/4"} {
		if got, err := ParseOrigin([]byte(bad)); err == nil {
			t.Errorf("%q was read as %+v", bad, got)
		}
	}
	if Source("") == 0 || Source("a") == Source("b") {
		t.Error("two topics have one source, or none")
	}
}
