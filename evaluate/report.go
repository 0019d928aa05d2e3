package evaluate

import (
	"fmt"
	"io"
	"slices"
)

// resamples is how often users are drawn again for an interval.
const resamples = 400

// Compare adds 95% intervals to the results of one log: of NDCG, and of its paired
// difference to the reference's, by bootstrap over users.
func Compare(results []*Result, reference string) {
	i := slices.IndexFunc(results, func(r *Result) bool { return r.Ranker == reference })
	for _, r := range results {
		r.Interval = bootstrap(r, nil)
		if i >= 0 && r.Ranker != reference {
			d := bootstrap(r, results[i])
			r.Difference = &d
		}
	}
}

// bootstrap draws users with repetition, always the same ones for the same log.
func bootstrap(r, reference *Result) [2]float64 {
	users := make([]int32, 0, len(r.users))
	for u := range r.users {
		users = append(users, u)
	}
	slices.Sort(users)
	if len(users) == 0 {
		return [2]float64{}
	}
	sums := make([]userSum, len(users))
	for i, u := range users {
		sums[i] = *r.users[u]
		if reference != nil {
			sums[i].ndcg -= reference.users[u].ndcg
		}
	}
	means, die := make([]float64, resamples), uint64(1)
	for i := range means {
		scored, sum := 0, 0.0
		for range sums {
			die++
			s := &sums[mix(die)%uint64(len(sums))]
			scored += s.scored
			sum += s.ndcg
		}
		means[i] = sum / float64(scored)
	}
	slices.Sort(means)
	return [2]float64{means[resamples*25/1000], means[resamples*975/1000]}
}

// Table writes one log's results for people.
func Table(out io.Writer, results []*Result) {
	if len(results) == 0 {
		return
	}
	r := results[0]
	fmt.Fprintf(out, "\n%s: %d coupons, %d scored\n", r.Log, r.Coupons, r.Scored)
	fmt.Fprintf(out, "%-18s %7s %7s %7s %7s %15s %7s %7s %8s %8s  %s\n",
		"ranker", "NDCG@10", "HR@10", "Recall", "MRR", "95% of NDCG", "cover", "bits", "us p50", "us p99", "NDCG: new / 1-5 / more / tail")
	for _, r := range results {
		fmt.Fprintf(out, "%-18s %7.4f %7.4f %7.4f %7.4f  %.4f-%.4f %7.3f %7.2f %8.1f %8.1f  %.3f / %.3f / %.3f / %.3f\n",
			r.Ranker, r.NDCG, r.HR, r.Recall, r.MRR, r.Interval[0], r.Interval[1], r.Coverage, r.Novelty, r.P50, r.P99,
			r.Slices[SliceNew].NDCG, r.Slices[SliceFew].NDCG, r.Slices[SliceMany].NDCG, r.Slices[SliceTail].NDCG)
	}
	fmt.Fprintf(out, "state: a bettor with %d selections %d bytes, at most %d; a fixture with 64 bets or more %d, at most %d\n",
		sizedBets, r.Sizes.Bettor, r.Sizes.BettorMost, r.Sizes.Fixture, r.Sizes.FixtureMost)
}
