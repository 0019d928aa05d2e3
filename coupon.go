package tipoff

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
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
	r := newReader(data, how)
	r.object(func(name string) bool {
		switch name {
		case "coupon_id":
			c.ID = r.id()
		case "user_id":
			c.UserID = r.id()
		case "stake":
			c.Stake = r.number(0, MaxStake, true)
		case "timestamp":
			c.Timestamp = r.time()
			if c.Timestamp.After(how.Now.Add(MaxAhead)) {
				r.fault("must be at most one day ahead of now, %s", how.Now.UTC().Format(time.RFC3339))
			}
		case "selections":
			c.Selections = r.selections()
		case "extra":
			c.Extra = r.extra()
		default:
			return false
		}
		return true
	}, "coupon_id", "user_id", "stake", "timestamp", "selections")
	return c, r.finish()
}

func (r *reader) selections() []Selection {
	legs := make([]Selection, 0, 4)
	r.list(1, MaxSelections, func() {
		var leg Selection
		r.object(func(name string) bool {
			switch name {
			case "event_id":
				leg.EventID = r.id()
			case "odds":
				leg.Odds = r.number(1, MaxOdds, false)
			case "market":
				leg.Market = r.text(MaxID)
			case "outcome":
				leg.Outcome = r.text(MaxID)
			default:
				return false
			}
			return true
		}, "event_id", "odds")
		for _, other := range legs {
			if leg.EventID != "" && other.EventID == leg.EventID && other.Market == leg.Market {
				r.fault("must name each event and market once, event %q stands twice", leg.EventID)
				break
			}
		}
		legs = append(legs, leg)
	})
	return legs
}
