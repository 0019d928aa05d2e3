package tipoff_test

import (
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// cells are the rows of a table of docs/scaling.md by their first cell, without backquotes.
func cells(t *testing.T, heading string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/scaling.md has no heading %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string][]string{}
	for line := range strings.Lines(section) {
		if columns := strings.Split(strings.TrimSpace(line), "|"); len(columns) > 3 {
			for i := range columns {
				columns[i] = strings.Trim(columns[i], " `")
			}
			rows[columns[1]] = columns[2 : len(columns)-1]
		}
	}
	return rows
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64)
	if err != nil {
		t.Fatalf("docs/scaling.md: %q is no number", text)
	}
	return n
}

// powerFrom is the least power of two that is n or more.
func powerFrom(n float64) float64 { return math.Exp2(math.Ceil(math.Log2(n))) }

// needed calculates what a number of bettors needs, by the names of docs/scaling.md.
func needed(n float64, c map[string]float64) map[string]float64 {
	coupons, lookups := n*.3/86400*10, n*2/86400*10
	gateways := powerFrom(max(1, n*c["gateway"]/16e9))
	return map[string]float64{
		"coupons a second, at most":                      coupons,
		"lookups a second, at most":                      lookups,
		"written to Kafka, a replica, MB/s":              coupons * (c["tables"] + c["choices"] + c["topics"]) / 1e6,
		"of it changelogs of the tables, MB/s":           coupons * c["tables"] / 1e6,
		"Kafka's disk, a replica, GB":                    n * (c["value"] + .3*(2*(c["tables"]+c["choices"])+30*c["topics"])) / 1e9,
		"the database's disk, a year, GB":                n * .3 * 365 * c["mirrored"] / 1e9,
		"memory of all processors, GB":                   n * c["processor"] / 1e9,
		"CPU of all processors, cores":                   coupons * c["coupon"] / 1e6,
		"memory of all gateways, each bettor once, GB":   n * c["gateway"] / 1e9,
		"gateways (`TIPOFF_API_NODES`) of 16 GB at most": gateways,
		"start of one, minutes":                          n / gateways * c["start"] / 1e6 / 60,
		"CPU of all gateways for lookups, cores":         lookups * (c["lookup"] + c["hop"]*(1-1/gateways)) / 1e6,
		"CPU of each for its views, cores, at most":      coupons * c["view"] / 1e6,
		"partitions of the tables":                       powerFrom(max(8, gateways, n/1e6)),
	}
}

// TestScaling_FollowsFromItsConstants: whoever measures a constant again is told what the
// table of needs comes to.
func TestScaling_FollowsFromItsConstants(t *testing.T) {
	constants, rows := map[string]float64{}, cells(t, "What is needed")
	for name, row := range cells(t, "Constants") {
		if name != "constant" && !strings.HasPrefix(name, "-") {
			constants[name] = number(t, row[1])
		}
	}
	for i, bettors := range rows[""][1:] {
		for name, want := range needed(number(t, bettors), constants) {
			row := rows[name]
			if len(row) != 4 {
				t.Fatalf("docs/scaling.md has no row %q of four cells", name)
			}
			if said := number(t, row[i+1]); math.Abs(said/want-1) > .05 {
				t.Errorf("%s, of %s bettors: docs/scaling.md says %v, its constants come to %.2g", name, bettors, said, want)
			}
		}
	}
	if calculated := len(needed(1e6, constants)); len(rows) != calculated+2 { // its head has two lines
		t.Errorf("docs/scaling.md has %d rows, %d of them calculated", len(rows)-2, calculated)
	}
}
