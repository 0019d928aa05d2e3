package http

import (
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"tipoff"
)

// An answer with recommendations is joined from the JSON of its events, which was
// written once, and the few fields beside them.

// appendRecommendation appends what [json.Marshal] returns of a, whose ID is a number.
func appendRecommendation(to []byte, a *tipoff.Recommendation, id uint64) []byte {
	to = strconv.AppendUint(append(to, `{"recommendation_id":"`...), id, 36)
	to = appendText(append(to, `","user_id":`...), a.UserID)
	to = append(to, `,"items":[`...)
	for i := range a.Items {
		item := &a.Items[i]
		if i > 0 {
			to = append(to, ',')
		}
		to = append(append(to, `{"event":`...), item.Event.In(tipoff.FormV1, eventJSON)...)
		to = appendNumber(append(to, `,"score":`...), item.Score)
		to = appendText(append(to, `,"reason":{"code":`...), item.Reason.Code)
		to = appendText(append(to, `,"entity":`...), item.Reason.Entity)
		to = appendNumber(append(to, `,"evidence":`...), item.Reason.Evidence)
		to = append(to, '}', '}')
	}
	to = strconv.AppendBool(append(to, `],"cold_start":`...), a.ColdStart)
	if a.EmptyBecause != "" {
		to = appendText(append(to, `,"empty_because":`...), a.EmptyBecause)
	}
	return append(to, '}')
}

// appendOldEvents appends the items' events as the old service listed them.
func appendOldEvents(to []byte, items []tipoff.Item) []byte {
	to = append(to, '[')
	for i := range items {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(to, items[i].Event.In(tipoff.FormOld, oldEventJSON)...)
	}
	return append(to, ']')
}

func eventJSON(e *tipoff.Event) []byte { return marshal(e) }

func oldEventJSON(e *tipoff.Event) []byte {
	return marshal(oldEvent{
		ID: tipoff.EventRef(e.ID), EventID: e.ID, Begin: e.Begin.Format(time.DateOnly), End: e.End.Format(time.DateOnly),
		Country: e.Country, League: e.League, Participants: e.Participants, Sport: e.Sport,
	})
}

// marshal is for values that were read from JSON, and can be written as such.
func marshal(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // is answered, and logged, as a fault of ours
	}
	return text
}

func appendText(to []byte, text string) []byte {
	to, err := jsontext.AppendQuote(to, text)
	if err != nil { // texts that are not UTF-8 were refused when they came
		panic(err)
	}
	return to
}

// appendNumber takes numbers that are rounded to a few digits after the point.
func appendNumber(to []byte, number float64) []byte {
	return strconv.AppendFloat(to, number, 'f', -1, 64)
}

// buffers are where answers are joined.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// keptBuffer is the largest buffer that is used again, in bytes.
const keptBuffer = 64 << 10

// writeJoined writes the JSON that join appends as the response.
func (q *request) writeJoined(join func(to []byte) []byte) {
	buffer := buffers.Get().(*[]byte)
	*buffer = join((*buffer)[:0])
	q.SetContentType("application/json")
	q.Response.SetBody(*buffer)
	if cap(*buffer) <= keptBuffer {
		buffers.Put(buffer)
	}
}
