package topics

import (
	"slices"
	"testing"
)

func TestTableSet_TheFirstOneHasTheNamesWithoutANumber(t *testing.T) {
	first, third := TableSet{}, TableSet{Number: 3, Copied: true, Partitions: 16}
	for _, c := range []struct{ first, constant, third, want string }{
		{first.Bettors(), GroupBettors, third.Bettors(), "tipoff-bettors-3"},
		{first.TableBettors(), TableBettors, third.TableBettors(), "tipoff-bettors-3-table"},
		{first.TableFixtures(), TableFixtures, third.TableFixtures(), "tipoff-fixtures-3-table"},
		{first.LoopFixtures(), LoopFixtures, third.LoopFixtures(), "tipoff-fixtures-3-loop"},
		{first.Selections(), Selections, third.Selections(), "tipoff-selections-3"},
		{first.Coupons(), Coupons, third.Coupons(), "tipoff-coupons-3"},
		{first.Public(Events), Events, third.Public("tipoff-events-3"), Events},
		{first.First(GroupFixtures), GroupFixtures, third.First("tipoff-fixtures-3"), GroupFixtures},
		{first.Public("x"), "x", third.Public("tipoff-resolved-3"), "tipoff-resolved-3"},
	} {
		if c.first != c.constant || c.third != c.want {
			t.Errorf("%s and %s, want %s and %s", c.first, c.third, c.constant, c.want)
		}
	}
	names := map[string]bool{}
	for _, topic := range append(All(), append(third.Topics(), TableSet{Number: 31}.Topics()...)...) {
		if names[topic.Name] {
			t.Errorf("two topics are called %s", topic.Name)
		}
		names[topic.Name] = true
	}
}

func TestTableSets_NobodyWorksOnOneThatIsBeingSeeded(t *testing.T) {
	next, before := TableSet{Number: 2}, TableSet{Number: 0}
	sets := TableSets{Serving: TableSet{Number: 1}, Filling: &next, Retiring: &before}
	if got := sets.Running(); !slices.Equal(got, []TableSet{sets.Serving, next, before}) {
		t.Errorf("running %v", got)
	}
	sets.Seeding = true
	if got := sets.Running(); !slices.Equal(got, []TableSet{sets.Serving, before}) || len(sets.All()) != 3 {
		t.Errorf("running %v, all %v", got, sets.All())
	}
}
