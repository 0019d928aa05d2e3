package tipoff

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tipoff/fields"
)

// Bounds of a coupon.
const (
	MaxSelections = 50
	MaxStake      = 1e12
)

// Coupon is a bet: one stake on one or more selections. It is known by company,
// user and coupon id; the first one posted stands.
type Coupon struct {
	ID         string         `json:"coupon_id"`
	UserID     string         `json:"user_id"`
	Stake      float64        `json:"stake"` // in the user's currency
	Timestamp  time.Time      `json:"timestamp"`
	Selections []Selection    `json:"selections"`
	Extra      jsontext.Value `json:"extra,omitzero"`
}

// Selection is one leg of a coupon: an outcome of an event at decimal odds.
type Selection struct {
	EventID string  `json:"event_id"`
	Odds    float64 `json:"odds"`
	Market  string  `json:"market,omitempty"`
	Outcome string  `json:"outcome,omitempty"`
}

// DecodeCoupon reads a coupon; the error is [Faults].
func DecodeCoupon(data []byte, how Reading) (Coupon, error) {
	var c Coupon
	r := fields.NewReader(data, how.Strict)
	r.Object(func(name string) bool {
		switch name {
		case "coupon_id":
			c.ID = r.ID()
		case "user_id":
			c.UserID = r.ID()
		case "stake":
			c.Stake = r.Number(0, MaxStake, true)
		case "timestamp":
			c.Timestamp = r.Time()
			if c.Timestamp.After(how.Now.Add(maxAhead)) {
				r.Fault("must be at most one day ahead of now, %s", how.Now.UTC().Format(time.RFC3339))
			}
		case "selections":
			c.Selections = readSelections(r)
		case "extra":
			c.Extra = r.Extra()
		default:
			return false
		}
		return true
	}, "coupon_id", "user_id", "stake", "timestamp", "selections")
	return c, r.End()
}

func readSelections(r *fields.Reader) []Selection {
	legs := make([]Selection, 0, 4)
	r.List(1, MaxSelections, func() {
		var leg Selection
		r.Object(func(name string) bool {
			switch name {
			case "event_id":
				leg.EventID = r.ID()
			case "odds":
				leg.Odds = r.Number(1, MaxOdds, false)
			case "market":
				leg.Market = r.Text(MaxID)
			case "outcome":
				leg.Outcome = r.Text(MaxID)
			default:
				return false
			}
			return true
		}, "event_id", "odds")
		for _, other := range legs {
			if leg.EventID != "" && other.EventID == leg.EventID && other.Market == leg.Market {
				r.Fault("must name each event and market once, event %q stands twice", leg.EventID)
				break
			}
		}
		legs = append(legs, leg)
	})
	return legs
}
