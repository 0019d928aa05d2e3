package rejected

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"

	"tipoff/broker"
	"tipoff/topics"
)

// Listing is how rejections are listed: the newest, with counts of all by reason. Its
// tags, and those of [Selected], are those of the command line.
type Listing struct {
	Selected
	Limit  int    `default:"1000" placeholder:"N" help:"The newest N at the most (default ${default}); the counts are of all."`
	Before string `placeholder:"ID" help:"Of those older than this one: the first of a list, for the page before it."`
	JSON   bool   `name:"json" help:"One object a line, with the refused value in base64, and no counts."`
}

// List writes the list.
func List(ctx context.Context, c *broker.Cluster, l Listing, out io.Writer) error {
	none := func(int) {}
	g, err := read(ctx, c, none)
	if err != nil {
		return err
	}
	page, err := g.before(l.Before)
	if err != nil {
		return err
	}
	var found []rejection
	reasons, all, here := map[string]int{}, 0, 0
	err = g.each(ctx, l.Selected, none, func(r rejection) error {
		all++
		reasons[r.Reason]++
		if !page.holds(&r) {
			return nil
		}
		here++
		if !l.JSON {
			r.Value = nil
		}
		if found = append(found, r); len(found) >= 2*l.Limit {
			found = newest(found, l.Limit)
		}
		return nil
	})
	if err != nil {
		return err
	}
	found = newest(found, l.Limit)
	if l.JSON {
		for i := range found {
			if err := json.MarshalWrite(out, &found[i]); err != nil {
				return err
			}
			fmt.Fprintln(out)
		}
		return nil
	}
	if err := table(out, found); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d rejected", all)
	switch {
	case page != nil:
		fmt.Fprintf(out, ", %d of the %d before %s are listed", len(found), here, plainText(l.Before))
	case all > len(found):
		fmt.Fprintf(out, ", the newest %d are listed", len(found))
	}
	fmt.Fprintln(out)
	g.counts(out, reasons)
	if here > len(found) {
		fmt.Fprintf(out, "older ones: --before %s\n", plainText(found[0].ID))
	}
	return nil
}

func table(out io.Writer, found []rejection) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(found) > 0 {
		fmt.Fprintln(table, "REJECTED AT\tID (BY/TOPIC/PARTITION/OFFSET)\tKEY\tREASON")
	}
	for i := range found {
		r := &found[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.At.Format(time.RFC3339), plainText(r.ID), plainText(r.Key), plainText(r.Reason))
	}
	return table.Flush()
}

// counts prints a count by reason, the most frequent first.
func (g *rejections) counts(out io.Writer, reasons map[string]int) {
	order := slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
		return cmp.Or(cmp.Compare(reasons[b], reasons[a]), strings.Compare(a, b))
	})
	for _, reason := range order {
		fmt.Fprintf(out, "%8d  %s\n", reasons[reason], plainText(reason))
	}
	if g.foreign > 0 {
		fmt.Fprintf(out, "%8d  records on %s are no rejections and were left out\n", g.foreign, topics.Rejected)
	}
}

// newest are the n newest, in the order of their times.
func newest(list []rejection, n int) []rejection {
	slices.SortFunc(list, func(a, b rejection) int { return byTime(&a, &b) })
	return slices.Delete(list, 0, max(0, len(list)-n))
}

// plainText keeps what clients sent from moving the cursor of whoever reads it.
func plainText(s string) string {
	quoted := fmt.Sprintf("%q", s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
