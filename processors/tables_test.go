package processors_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tipoff/oracle"
	"tipoff/state"
	"tipoff/topics"
)

// tables are what both tables hold of a company.
func (w *world) tables(company string) oracle.Tables {
	w.Helper()
	return oracle.Tables{Bettors: w.table(topics.TableBettors, company), Fixtures: w.table(topics.TableFixtures, company)}
}

// wantFacts fails the test where a company's tables, or its rejections, differ from
// what its facts come to.
func (w *world) wantFacts(company string) {
	w.Helper()
	facts, err := oracle.Fold(company, oracle.Topics{
		Users: w.records(topics.Users), Events: w.records(topics.Events), Coupons: w.records(topics.Coupons),
	})
	if err != nil {
		w.Fatal(err)
	}
	var rejections [][]byte
	for _, r := range w.records(topics.Rejected) {
		rejections = append(rejections, r.Value)
	}
	wrong := append(facts.CompareTables(w.tables(company)), facts.CompareRejections(rejections)...)
	if len(wrong) > 0 {
		w.Fatalf("%s: the tables are wrong: %v", company, wrong[:min(len(wrong), 5)])
	}
}

// records reads a topic for the oracle.
func (w *world) records(topic string) (list []oracle.Record) {
	w.Helper()
	for _, r := range w.read(topic) {
		one := oracle.Record{Partition: r.partition, Offset: r.offset, Key: r.key, Value: []byte(r.value), Appended: r.at}
		if received, err := topics.ParseReceived([]byte(r.headers[topics.HeaderReceived])); err == nil {
			one.Received = received
		}
		list = append(list, one)
	}
	return list
}

// wantSame fails the test where the tables of two companies differ, which may be one
// company's at two moments.
func (w *world) wantSame(got oracle.Tables, company string, want oracle.Tables, other string) {
	w.Helper()
	differ := sameValues(ofCompany(got.Bettors, company), ofCompany(want.Bettors, other), state.UnmarshalBettor, oracle.DifferentBettors)
	differ = append(differ, sameValues(ofCompany(got.Fixtures, company), ofCompany(want.Fixtures, other), state.UnmarshalFixture, oracle.DifferentFixtures)...)
	if len(differ) > 0 {
		w.Fatalf("the tables of %s and %s differ: %s", company, other, differ)
	}
}

// ofCompany is a table by ids, without the parts of values.
func ofCompany(table map[string][]byte, company string) map[string][]byte {
	ids := map[string][]byte{}
	for key, value := range table {
		if _, _, isPart := topics.SplitPartKey(key); !isPart {
			ids[strings.TrimPrefix(key, company+"/")] = value
		}
	}
	return ids
}

func sameValues[V any](got, want map[string][]byte, decode func([]byte) (V, error), different func(a, b V) string) (differ []string) {
	if a, b := slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)); !slices.Equal(a, b) {
		return []string{fmt.Sprintf("keys %v and %v", a, b)}
	}
	for id := range got {
		a, errA := decode(got[id])
		b, errB := decode(want[id])
		if errA != nil || errB != nil {
			differ = append(differ, fmt.Sprint(id, ": ", errA, ", ", errB))
		} else if text := different(a, b); text != "" {
			differ = append(differ, id+": "+text)
		}
	}
	return differ
}
