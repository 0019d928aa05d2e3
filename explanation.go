package tipoff

import "time"

// The rankers that a company may be served by.
const (
	RankerSimilar  = "similar"  // the replaced service's: any event of a sport or league bet on before
	RankerPopular  = "popular"  // what most bet on
	RankerAffinity = "affinity" // the bettor's sports, leagues and teams, times popularity
	RankerCF       = "cf"       // what the same bettors bet on
	RankerTipoff   = "tipoff"   // learnt
)

// Rankers lists them.
func Rankers() []string {
	return []string{RankerSimilar, RankerPopular, RankerAffinity, RankerCF, RankerTipoff}
}

// Explanation says what the score of one event for one user is made of.
type Explanation struct {
	UserID  string    `json:"user_id"`
	Event   *Offered  `json:"event"`
	Ranker  string    `json:"ranker"`
	Formula string    `json:"formula"` // the way to rank whose weights counted
	Score   float64   `json:"score"`   // as the recommendation shows it
	Rank    *int      `json:"rank"`    // place in the recommendation, else in one of [MaxItems]; nil: in neither
	Reason  *Reason   `json:"reason"`
	Terms   []Term    `json:"terms"` // the largest contribution first; they add up to the score
	At      time.Time `json:"at"`    // the moment that it holds for
}

// Term is one number that a score is made of.
type Term struct {
	Name         string  `json:"name"`
	Value        float64 `json:"value"`
	Weight       float64 `json:"weight"`
	Contribution float64 `json:"contribution"` // value times weight
	Words        string  `json:"words"`
}
