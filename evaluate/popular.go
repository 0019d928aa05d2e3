package evaluate

import (
	"math"
	"time"
)

// popular ranks by the bets of everyone, or of the user's country.
type popular struct {
	name      string
	halfLife  float64 // seconds; 0: bets count for ever
	byCountry bool
	counts    map[string][]decayed // by country, "" is everyone
}

// popPrior is added to the bets of each event: one without any has a logarithm too.
const popPrior = 0.3

// popularEver ranks by all bets so far.
func popularEver() *popular { return newPopular("popular-ever", 0, false) }

// popularNow ranks by bets that decay with a half-life of six hours.
func popularNow() *popular { return newPopular("popular-6h", 6*time.Hour, false) }

// popularCountry is [popularNow] by the bets from the user's country, those of
// everyone deciding between equals.
func popularCountry() *popular { return newPopular("popular-country", 6*time.Hour, true) }

func newPopular(name string, halfLife time.Duration, byCountry bool) *popular {
	return &popular{name: name, halfLife: halfLife.Seconds(), byCountry: byCountry, counts: map[string][]decayed{}}
}

func (p *popular) Name() string { return p.name }

func (p *popular) Top(q *Query) []int32 {
	scores := make([]float64, len(q.Candidates))
	p.add(q, scores)
	return q.top(scores)
}

// add adds the logarithm of the candidates' bets.
func (p *popular) add(q *Query, scores []float64) {
	now := seconds(q.Now)
	for i, c := range q.Candidates {
		all := at(p.counts[""], c).value(now, p.halfLife)
		if !p.byCountry {
			scores[i] += math.Log(all + popPrior)
			continue
		}
		own := 0.0
		if q.Country != "" {
			own = at(p.counts[q.Country], c).value(now, p.halfLife)
		}
		scores[i] += math.Log(own+popPrior) + 0.01*math.Log(all+popPrior)
	}
}

func (p *popular) Learn(q *Query, legs []int32) {
	for _, country := range []string{"", q.Country} {
		counts := grown(p.counts[country], len(q.Events))
		for _, leg := range legs {
			counts[leg].add(1, seconds(q.Now), p.halfLife)
		}
		p.counts[country] = counts
		if q.Country == "" || !p.byCountry {
			return
		}
	}
}

// decayed is a sum that halves with every half-life, as of the second at.
type decayed struct{ sum, at float64 }

func (f *decayed) add(weight, now, halfLife float64) {
	f.sum = f.value(now, halfLife) + weight
	f.at = now
}

func (f decayed) value(now, halfLife float64) float64 {
	if halfLife == 0 || f.sum == 0 {
		return f.sum
	}
	return f.sum * math.Exp2((f.at-now)/halfLife)
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

// grown is list, long enough for n.
func grown[T any](list []T, n int) []T {
	if len(list) < n {
		list = append(list, make([]T, n-len(list))...)
	}
	return list
}

// at is an element of a list that may be too short.
func at[T any](list []T, i int32) (v T) {
	if int(i) < len(list) {
		v = list[i]
	}
	return v
}
