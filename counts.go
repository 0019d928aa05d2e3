package tipoff

import "time"

// Bounds of an [EventCounts].
const (
	MaxListedOutcomes = 200
	MaxCountries      = 50
	MaxHours          = 168
	MaxOfHour         = 8 // outcomes, and countries, of an hour
	MaxNeighbours     = 20
)

// EventCounts says how an event is bet on. Legs count, each as a bet.
type EventCounts struct {
	EventID    string         `json:"event_id"`
	Bets       uint64         `json:"bets"`
	SampledOf  uint64         `json:"sampled_of"` // what follows was counted on one in so many bets, and counts for all
	Outcomes   []OutcomeCount `json:"outcomes"`   // most bet on first
	Countries  []CountryCount `json:"countries"`  // of users that are posted, most first
	Hours      []HourCount    `json:"hours"`      // the newest in which there were bets, oldest first
	Neighbours []Neighbour    `json:"neighbours"` // open events that the same users bet on, nearest first
	Held       *HeldEvent     `json:"held"`       // nil: the event is not open
}

// OutcomeCount is how often an outcome was chosen.
type OutcomeCount struct {
	Market  *string `json:"market"` // nil: bets that name none
	Outcome *string `json:"outcome"`
	Bets    uint64  `json:"bets"`
	Stake   float64 `json:"stake,omitzero"` // of an hour there is none; a coupon's is shared equally by its legs, whatever the currency
}

// CountryCount is how often users of a country bet on an event.
type CountryCount struct {
	Country string `json:"country"`
	Bets    uint64 `json:"bets"`
}

// HourCount is how an event was bet on in an hour, with the largest counts.
type HourCount struct {
	From      time.Time      `json:"from"`
	Bets      uint64         `json:"bets"`
	Outcomes  []OutcomeCount `json:"outcomes"`
	Countries []CountryCount `json:"countries"`
}

// Neighbour is an open event that the bettors of another one bet on.
type Neighbour struct {
	Event  *Offered `json:"event"`
	Weight float64  `json:"weight"` // 0..1: similarity by bets, as ranking uses it
}

// HeldEvent is what is held in memory of an open event.
type HeldEvent struct {
	Bets     uint64     `json:"bets"`
	Bettors  int        `json:"bettors_held"` // latest bettors that are known by what else they bet on
	FirstBet *time.Time `json:"first_bet"`    // nil: none
	LastBet  *time.Time `json:"last_bet"`     // of the bettors held
	Open     bool       `json:"open"`
}
