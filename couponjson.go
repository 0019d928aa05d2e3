package tipoff

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Coupons are most of what is posted: their JSON is written by hand.

// AppendJSON appends what [json.Marshal] returns of c, which was decoded and validated.
func (c *Coupon) AppendJSON(to []byte) []byte {
	to = appendText(append(to, `{"coupon_id":`...), c.ID)
	to = appendText(append(to, `,"user_id":`...), c.UserID)
	to = appendNumber(append(to, `,"stake":`...), c.Stake)
	to = c.Timestamp.AppendFormat(append(to, `,"timestamp":"`...), time.RFC3339Nano)
	to = append(to, `","selections":[`...)
	for i := range c.Selections {
		if i > 0 {
			to = append(to, ',')
		}
		to = c.Selections[i].appendJSON(to)
	}
	to = append(to, ']')
	if c.Extra != nil {
		to = appendMarshalled(append(to, `,"extra":`...), c.Extra)
	}
	return append(to, '}')
}

func (s *Selection) appendJSON(to []byte) []byte {
	to = appendText(append(to, `{"event_id":`...), s.EventID)
	to = appendNumber(append(to, `,"odds":`...), s.Odds)
	if s.Market != "" {
		to = appendText(append(to, `,"market":`...), s.Market)
	}
	if s.Outcome != "" {
		to = appendText(append(to, `,"outcome":`...), s.Outcome)
	}
	return append(to, '}')
}

// sizeJSON is about how many bytes the coupon's JSON has.
func (c *Coupon) sizeJSON() int { return 160 + 112*len(c.Selections) + len(c.Extra) }

// JSON is what [json.Marshal] returns of c, which was decoded and validated.
func (c *Coupon) JSON() []byte { return c.AppendJSON(make([]byte, 0, c.sizeJSON())) }

func appendText(to []byte, text string) []byte {
	to, err := jsontext.AppendQuote(to, text)
	if err != nil { // texts that are not UTF-8 were refused when they came
		panic(err)
	}
	return to
}

// leastPlain is from where on a number is written without an exponent.
const leastPlain = 1e-6

// appendNumber takes numbers from 0 to [MaxStake].
func appendNumber(to []byte, number float64) []byte {
	if number < leastPlain {
		return appendMarshalled(to, number)
	}
	return strconv.AppendFloat(to, number, 'f', -1, 64)
}

func appendMarshalled(to []byte, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil { // only values that were decoded and validated come here
		panic(err)
	}
	return append(to, text...)
}
