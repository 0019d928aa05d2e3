package tipoff

import "time"

// Bounds of a question.
const (
	MaxItems       = 100  // of a recommendation through v1
	MaxItemsOld    = 1000 // of a recommendation through the old route
	MaxExcluded    = 200
	DefaultItems   = 10
	DefaultVariety = 0.1 // [Query.Diversity] unless the client says otherwise
	DefaultPerPage = 50
	MaxPerPage     = 500
)

// Query asks what a bettor may like now. The zero value of each filter lets
// everything pass.
type Query struct {
	UserID       string
	N            int           // how many items at the most
	Sport        string        // of this sport only, whatever its case
	League       string        // of this league only
	Country      string        // of events in this country only
	Within       time.Duration // beginning no later than this from now
	Exclude      []string      // event ids
	Diversity    float64       // 0: by score alone; 1: as varied as can be
	MaxPerLeague int           // 0: no cap
	Followed     bool          // only of sports and leagues that the user follows
	Fresh        bool          // not an answer that was kept for a moment
	Ranker       string        // of [Rankers]; "": the one that serves. A named one's answers are not kept
}

// Recommendation is the answer to a [Query], best item first.
type Recommendation struct {
	ID           string `json:"recommendation_id"`
	UserID       string `json:"user_id"`
	Items        []Item `json:"items"`
	ColdStart    bool   `json:"cold_start"`              // nothing is known of the user's taste
	EmptyBecause string `json:"empty_because,omitempty"` // why there are no items
}

// Item is one recommended event.
type Item struct {
	Event  *Offered `json:"event"`
	Score  float64  `json:"score"` // comparable within one answer only
	Reason Reason   `json:"reason"`
}

// The codes of a [Reason].
const (
	ReasonTeam       = "TEAM_AFFINITY"
	ReasonLeague     = "LEAGUE_AFFINITY"
	ReasonSport      = "SPORT_AFFINITY"
	ReasonCountry    = "POPULAR_IN_COUNTRY"
	ReasonPopular    = "POPULAR"
	ReasonCoBet      = "CO_BET"
	ReasonSoon       = "STARTS_SOON"
	ReasonNewFixture = "NEW_FIXTURE"
	ReasonOpen       = "OPEN" // nothing speaks for it more than for others
)

// Reason is the largest positive term of an item's score.
type Reason struct {
	Code     string  `json:"code"`
	Entity   string  `json:"entity"`   // the team, league, sport, country or event that the code speaks of
	Evidence float64 `json:"evidence"` // the quantity behind it, as docs/reasons.md says for each code
}

// PopularEvent is an open event with how much it is bet on.
type PopularEvent struct {
	Event    Event            `json:"event"`
	Score    float64          `json:"score"` // bets, decayed with a half-life of 6 hours
	Bets     uint64           `json:"bets"`  // legs in all
	Outcomes []PopularOutcome `json:"outcomes"`
}

// PopularOutcome is how often one outcome of an event was chosen, where bets
// name it.
type PopularOutcome struct {
	Market  string `json:"market"`
	Outcome string `json:"outcome"`
	Bets    uint64 `json:"bets"`
}

// Affinities is what was learnt of a user, in words and numbers.
type Affinities struct {
	UserID  string     `json:"user_id"`
	Bets    uint64     `json:"bets"` // legs learnt from
	Sports  []Affinity `json:"sports"`
	Leagues []Affinity `json:"leagues"`
	Teams   []Affinity `json:"teams"`
	Markets []Affinity `json:"markets"`
	Odds    []Affinity `json:"odds"` // by range, as "1.50-2.00"
}

// Affinity is a user's decayed share of one category.
type Affinity struct {
	Name   string  `json:"name"`
	Weight float64 `json:"weight"` // bets, decayed with a half-life of 30 days
	Share  float64 `json:"share"`  // of the user's weight in all, 0..1
}

// EventFilter selects events of a company for a list.
type EventFilter struct {
	Sport, League string
	From, Until   time.Time // of the beginning; zero: no bound
	Status        string    // "": any
	Cursor        string    // where the last page ended; "": the first page
	N             int
}
