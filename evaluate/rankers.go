package evaluate

import (
	"fmt"

	"tipoff"
	"tipoff/rank"
)

// rankers are all that can be measured: baselines that keep a state of their own,
// as their papers have it, and those of rank, on the bounded state that serves.
var rankers = []struct {
	name string
	make func() Ranker
}{
	{"similar", func() Ranker { return old{} }},
	{"popular-ever", func() Ranker { return popularEver() }},
	{"popular-6h", func() Ranker { return popularNow() }},
	{"popular-country", func() Ranker { return popularCountry() }},
	{"affinity", func() Ranker { return newAffinity() }},
	{"cf", func() Ranker { return newCF() }},
	{"cf-popular", func() Ranker { return newCFPopular() }},
	{"vmis", func() Ranker { return newVMIS() }},
	{"hand-blend", func() Ranker { return newBlend() }},
	{"served-popular", func() Ranker { return Served("served-popular", rank.RankerPopular, 0, false) }},
	{"served-affinity", func() Ranker { return Served("served-affinity", rank.RankerAffinity, 0, false) }},
	{"served-cf", func() Ranker { return Served("served-cf", rank.RankerCF, 0, false) }},
	{"served-blend", servedBlend},
	{"tipoff", func() Ranker { return Served("tipoff", rank.RankerTipoff, 0, false) }},
	{"tipoff-whole", func() Ranker { return Served("tipoff-whole", rank.RankerTipoff, 0, true) }},
	{"tipoff-slate", func() Ranker { return Served("tipoff-slate", rank.RankerTipoff, tipoff.DefaultVariety, false) }},
}

// servedBlend returns the plain formula that serves a company while little is learnt:
// the learnt ranker with a model that never learns.
func servedBlend() Ranker {
	return &served{name: "served-blend", ranker: rank.RankerTipoff, model: rank.NewModel(), untaught: true, numbers: map[string]int32{}}
}

// RankerNames lists what can be measured.
func RankerNames() []string {
	var names []string
	for _, r := range rankers {
		names = append(names, r.name)
	}
	return names
}

// Instead of names these stand for the learnt ranker, and it without each part
// of its score or without each term.
const (
	Ablation      = "ablation"
	AblationTerms = "ablation-terms"
)

// Rankers returns the named rankers, all where none is named.
func Rankers(names []string) ([]Ranker, error) {
	if len(names) == 0 {
		names = RankerNames()
	}
	var made []Ranker
	if len(names) == 1 && (names[0] == Ablation || names[0] == AblationTerms) {
		without := rank.PartNames[:]
		if names[0] == AblationTerms {
			without = rank.TermNames[:]
		}
		made = append(made, Served("tipoff", rank.RankerTipoff, 0, false))
		for _, name := range without {
			made = append(made, Without(name))
		}
		return made, nil
	}
next:
	for _, name := range names {
		for _, r := range rankers {
			if r.name == name {
				made = append(made, r.make())
				continue next
			}
		}
		return nil, fmt.Errorf("ranker %q: must be one of %v", name, RankerNames())
	}
	return made, nil
}
