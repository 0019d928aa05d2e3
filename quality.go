package tipoff

import "time"

// Quality says how good a company's recommendations are, live.
type Quality struct {
	Ranker          string        `json:"ranker"`
	Leader          string        `json:"leader"`         // the way to rank that the guard has chosen; "" where another ranker serves
	WindowSeconds   int           `json:"window_seconds"` // of LastHour
	Spans           []LiveSpan    `json:"spans"`          // of a day, oldest first; those without coupons are left out
	Hours           []LiveSpan    `json:"hours"`          // the same, added up by the hour
	LastHour        *LiveSpan     `json:"last_hour"`      // before the newest coupon, by the coupons' clock
	LastDay         *LiveSpan     `json:"last_day"`
	Coverage        *Coverage     `json:"coverage"` // nil: nothing was asked of late
	Weights         []TermWeight  `json:"weights"`  // the largest first
	WeightsOverTime []WeightsThen `json:"weights_over_time"`
}

// LiveSpan says how well the coupons of a span of time were foreseen.
type LiveSpan struct {
	From        time.Time  `json:"from,omitzero"` // zero of the last hour and day
	Coupons     uint64     `json:"coupons"`
	NDCG        float64    `json:"ndcg"` // of the first 10, before variety
	HR          float64    `json:"hr"`
	PopularNDCG *float64   `json:"popular_ndcg"` // of popularity, on the same coupons; nil: it was not measured
	PopularHR   *float64   `json:"popular_hr"`
	Band        [2]float64 `json:"band"` // holds the mean NDCG in 95 of 100 cases
}

// Coverage says which of the open events were shown in the last [ShownMinutes] minutes.
type Coverage struct {
	Events  float64         `json:"events"`  // share of the open events that were shown
	Leagues []LeagueShowing `json:"leagues"` // most shown first, [MaxLeaguesShown] at most
	Gini    float64         `json:"gini"`    // 0: all events were shown equally often; near 1: a single one was
}

// MaxLeaguesShown bounds the leagues of a [Coverage].
const MaxLeaguesShown = 100

// LeagueShowing says how much of a league was shown.
type LeagueShowing struct {
	League string  `json:"league"`
	Sport  string  `json:"sport"`
	Events int     `json:"events"` // open ones
	Shown  int     `json:"shown"`  // of them, those that were shown
	Share  float64 `json:"share"`  // of all that was shown
}

// TermWeight is the weight that a term of the learnt linear formula always has.
type TermWeight struct {
	Term   string  `json:"term"`
	Weight float64 `json:"weight"`
}

// WeightsThen are the weights that are the largest today, as they were once.
type WeightsThen struct {
	At      time.Time          `json:"at"`
	Weights map[string]float64 `json:"weights"`
}
