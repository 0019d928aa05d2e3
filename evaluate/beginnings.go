package evaluate

import (
	"fmt"
	"io"
	"strings"
)

// beginnings are the first coupons of a log, which are reported apart: how well a
// ranker does that has learnt little yet. Scoring them does not change any other
// figure of a [Result].
var beginnings = []struct {
	coupons int
	every   int // each so many of them is scored, or more of them where Options ask for more
}{{100, 1}, {1_000, 1}, {10_000, 5}}

// Beginning is how a ranker did on the first coupons of a log.
type Beginning struct {
	Coupons int `json:"coupons"`
	Slice
}

// newBeginnings are those that a log of so many coupons has.
func newBeginnings(coupons int) (has []Beginning) {
	for _, b := range beginnings {
		if b.coupons <= coupons {
			has = append(has, Beginning{Coupons: b.coupons})
		}
	}
	return has
}

// begins says whether a coupon, by its position in the log, counts in a beginning.
func begins(i, coupon, every int) bool {
	b := beginnings[i]
	return coupon < b.coupons && coupon%max(1, min(b.every, every)) == 0
}

// addBeginning counts a ranking in each beginning to which the coupon belongs.
func (r *Result) addBeginning(a *ranking, coupon, every int) {
	for i := range r.Beginnings {
		if begins(i, coupon, every) {
			r.Beginnings[i].add(hitRate(a), ndcg(a))
		}
	}
}

// beginningsTable writes one log's beginnings for people.
func beginningsTable(out io.Writer, results []*Result) {
	if len(results[0].Beginnings) == 0 {
		return
	}
	fmt.Fprintf(out, "%-18s", "NDCG@10 of first")
	for _, b := range results[0].Beginnings {
		fmt.Fprintf(out, " %7d", b.Coupons)
	}
	fmt.Fprintln(out)
	for _, r := range results {
		fmt.Fprintf(out, "%-18s", r.Ranker)
		for _, b := range r.Beginnings {
			fmt.Fprintf(out, " %7.4f", b.NDCG)
		}
		fmt.Fprintln(out)
	}
	if line := headStart(results); line != "" {
		fmt.Fprintln(out, line)
	}
}

// reportBeginnings is the same as a table of Markdown.
func reportBeginnings(results []*Result) string {
	first := results[0].Beginnings
	if len(first) == 0 {
		return fmt.Sprintf("\nThe log has fewer than %d coupons: too few for a table of its beginning.\n", beginnings[0].coupons)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nThe first coupons, with what was learnt from those before each; NDCG@10:\n\n| ranker |")
	for _, one := range first {
		fmt.Fprintf(&b, " first %d (%d scored) |", one.Coupons, one.Scored)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(first)) + "\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s |", r.Ranker)
		for _, one := range r.Beginnings {
			fmt.Fprintf(&b, " %.4f |", one.NDCG)
		}
		b.WriteString("\n")
	}
	if line := headStart(results); line != "" {
		b.WriteString("\n" + line + "\n")
	}
	return b.String()
}

// headStart says how far the learnt ranker is from the best plain one that serves, in
// each beginning; "": one of them was not measured.
func headStart(results []*Result) string {
	var learnt *Result
	var plain []*Result
	for _, r := range results {
		switch {
		case r.Ranker == "tipoff":
			learnt = r
		case strings.HasPrefix(r.Ranker, "served-"):
			plain = append(plain, r)
		}
	}
	if learnt == nil || len(plain) == 0 {
		return ""
	}
	var parts []string
	for i, b := range learnt.Beginnings {
		best := plain[0]
		for _, r := range plain[1:] {
			if r.Beginnings[i].NDCG > best.Beginnings[i].NDCG {
				best = r
			}
		}
		difference := b.NDCG - best.Beginnings[i].NDCG
		part := fmt.Sprintf("first %d %+.4f", b.Coupons, difference)
		if at := best.Beginnings[i].NDCG; at > 0 {
			part += fmt.Sprintf(" (%+.0f%%)", 100*difference/at)
		}
		parts = append(parts, part+" to "+best.Ranker)
	}
	return "tipoff against the best plain ranker that serves: " + strings.Join(parts, ", ") + "."
}
