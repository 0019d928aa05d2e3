package blackbox

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"tipoff/broker"
	"tipoff/oracle"
	"tipoff/state"
	"tipoff/topics"
)

// Tables are both tables at one moment.
type Tables struct {
	Bettors  map[string]*state.Bettor
	Fixtures map[string]*state.Fixture
}

// Differ says in what the tables differ; nil: in nothing.
func (a Tables) Differ(b Tables) error {
	keys := func(x, y any) string { return fmt.Sprintf("keys %v and %v", x, y) }
	if x, y := slices.Sorted(maps.Keys(a.Bettors)), slices.Sorted(maps.Keys(b.Bettors)); !slices.Equal(x, y) {
		return errors.New(keys(x, y))
	}
	if x, y := slices.Sorted(maps.Keys(a.Fixtures)), slices.Sorted(maps.Keys(b.Fixtures)); !slices.Equal(x, y) {
		return errors.New(keys(x, y))
	}
	for key := range a.Bettors {
		if d := oracle.DifferentBettors(a.Bettors[key], b.Bettors[key]); d != "" {
			return fmt.Errorf("bettor %s: %s", key, d)
		}
	}
	for key := range a.Fixtures {
		if d := oracle.DifferentFixtures(a.Fixtures[key], b.Fixtures[key]); d != "" {
			return fmt.Errorf("fixture %s: %s", key, d)
		}
	}
	return nil
}

// ReadTables reads both tables of a table set to their present end.
func ReadTables(t *testing.T, c *broker.Cluster, set topics.TableSet) Tables {
	t.Helper()
	now := Tables{map[string]*state.Bettor{}, map[string]*state.Fixture{}}
	err := c.Read(t.Context(), set.TableBettors(), func(r broker.Stored) (err error) {
		now.Bettors[r.Key], err = state.UnmarshalBettor(r.Value)
		return err
	})
	if err == nil {
		err = c.Read(t.Context(), set.TableFixtures(), func(r broker.Stored) (err error) {
			if _, _, chunk := topics.SplitPartKey(r.Key); !chunk {
				now.Fixtures[r.Key], err = state.UnmarshalFixture(r.Value)
			}
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return now
}
