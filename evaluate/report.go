package evaluate

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"tipoff/rank"
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
	means, draw := make([]float64, resamples), uint64(1)
	for i := range means {
		scored, sum := 0, 0.0
		for range sums {
			draw++
			s := &sums[rank.Scatter(draw)%uint64(len(sums))]
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
	beginningsTable(out, results)
	fmt.Fprintf(out, "state: a bettor with %d selections %d bytes, at most %d; a fixture with 64 bets or more %d, at most %d\n",
		sizedBets, r.Sizes.Bettor, r.Sizes.BettorMost, r.Sizes.Fixture, r.Sizes.FixtureMost)
}

// The marks between which a page's tables stand.
const (
	reportBegin = "<!-- measured: begin -->"
	reportEnd   = "<!-- measured: end -->"
)

// Report puts the results as tables between the marks of a Markdown page, and after
// each table the pictures of [Plots] that lie in the folder plots, as seen from the
// page; "": none.
func Report(page string, results []*Result, plots string) (string, error) {
	before, rest, begins := strings.Cut(page, reportBegin)
	_, after, ends := strings.Cut(rest, reportEnd)
	if !begins || !ends {
		return "", fmt.Errorf("the page lacks the marks %s and %s", reportBegin, reportEnd)
	}
	var b strings.Builder
	b.WriteString(before + reportBegin + "\n")
	for _, log := range byLog(results) {
		reportLog(&b, log, plots)
	}
	b.WriteString("\n" + reportEnd + after)
	return b.String(), nil
}

// reportLog writes one log's results.
func reportLog(b *strings.Builder, log []*Result, plots string) {
	first := log[0]
	fmt.Fprintf(b, "\n### %s\n\n%d coupons, %d scored. State: a bettor with %d selections takes %d bytes in the median and %d at most, "+
		"a fixture with 64 bets or more %d and %d.\n\n", first.Log, first.Coupons, first.Scored, sizedBets, first.Sizes.Bettor, first.Sizes.BettorMost, first.Sizes.Fixture, first.Sizes.FixtureMost)
	b.WriteString("| ranker | NDCG@10 | 95% | less than tipoff by, 95% | HR@10 | Recall@10 | MRR@10 | coverage | novelty, bits | µs p50 | µs p99 " +
		"| NDCG@10 of users with 0 bets | 1-5 | more | of events under 10 bets |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range log {
		difference := ""
		if r.Difference != nil {
			difference = fmt.Sprintf("%.3f to %.3f", -r.Difference[1], -r.Difference[0])
		}
		fmt.Fprintf(b, "| %s | %.4f | %.4f-%.4f | %s | %.3f | %.3f | %.3f | %.3f | %.1f | %.0f | %.0f | %.3f | %.3f | %.3f | %.3f |\n",
			r.Ranker, r.NDCG, r.Interval[0], r.Interval[1], difference, r.HR, r.Recall, r.MRR, r.Coverage, r.Novelty, r.P50, r.P99,
			r.Slices[SliceNew].NDCG, r.Slices[SliceFew].NDCG, r.Slices[SliceMany].NDCG, r.Slices[SliceTail].NDCG)
	}
	b.WriteString(reportBeginnings(log))
	if plots != "" {
		fmt.Fprintf(b, "\n![NDCG@10 over the log](%[1]s/%[2]s-time.svg)\n![NDCG@10 against microseconds](%[1]s/%[2]s-speed.svg)\n", plots, first.Log)
	}
}
