package oracle

import (
	"slices"
	"testing"
	"time"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
)

// small are the facts of a few bets, and tables that hold what they come to.
func small(t *testing.T) (*Facts, Tables) {
	t.Helper()
	user := tipoff.User{ID: "u", Country: "FR"}
	posts := Topics{Users: topic(topics.UserRecord(company, user, noon))}
	fixtures := map[string]*state.Fixture{"early": {}, "changed": {}}
	for i, id := range []string{"A", "B"} {
		e := event(id)
		e.League = id
		posts.Events = append(posts.Events, topic(posted(e))...)
		fixtures[id] = &state.Fixture{}
		fixtures[id].Post(e, state.Position{Source: 1, Offset: int64(i)})
	}
	patch := tipoff.EventPatch{ID: "changed", Result: "1:0"}
	posts.Events = append(posts.Events, topic(topics.PatchRecord(company, patch, noon))...)
	fixtures["changed"].Change(patch, state.Position{Source: 1, Offset: 2})

	var b state.Bettor
	var chunk state.Chunk
	b.Post(user, state.Position{Source: 3})
	for i, legs := range [][]string{{"A"}, {"B", "A"}, {"early", "B"}} {
		c := tipoff.Coupon{ID: string(rune('1' + i)), UserID: "u", Stake: 1, Timestamp: noon.Add(-time.Duration(i) * 24 * time.Hour)}
		for _, event := range legs {
			c.Selections = append(c.Selections, tipoff.Selection{EventID: event, Odds: 2, Market: "m", Outcome: "1"})
		}
		posts.Coupons = append(posts.Coupons, topic(topics.CouponRecord(company, c, noon))...)
		position := state.Position{Source: 2, Offset: int64(i)}
		b.AddCoupon(&c, position, state.CauseAt(position), noon.Unix())
		for _, leg := range b.LegsOf(&c, state.Cause{Position: position}, noon.Unix()) {
			f := fixtures[leg.EventID]
			if f.Count(&leg); f.Known {
				b.Apply(state.Resolve(&leg, f.Traits()), noon.Unix())
			} else {
				chunk.Wait(&leg)
			}
		}
	}
	tables := Tables{Bettors: map[string][]byte{"c/u": b.Marshal(), "other/x": nil}, Fixtures: map[string][]byte{}}
	for id, f := range fixtures {
		tables.Fixtures[topics.Key(company, id)] = f.Marshal()
	}
	tables.Fixtures[topics.PartKey("c/early", "0")] = chunk.Marshal()
	return fold(t, posts), tables
}

func TestCompare_FindsNoDifferenceWhereThereIsNone(t *testing.T) {
	f, tables := small(t)
	if found := f.CompareTables(tables); len(found) > 0 {
		t.Errorf("differences: %v", found)
	}
}

// change returns what changes a value of a table.
func change[V interface{ Marshal() []byte }](t *testing.T, key string, table func(Tables) map[string][]byte, decode func([]byte) (V, error), do func(V)) func(Tables) {
	return func(tables Tables) {
		value, err := decode(table(tables)[key])
		if err != nil {
			t.Fatal(err)
		}
		do(value)
		table(tables)[key] = value.Marshal()
	}
}

func bettors(t Tables) map[string][]byte  { return t.Bettors }
func fixtures(t Tables) map[string][]byte { return t.Fixtures }

func TestCompare_SeesEachDifference(t *testing.T) {
	bettor := func(do func(*state.Bettor)) func(Tables) {
		return change(t, "c/u", bettors, state.UnmarshalBettor, do)
	}
	fixture := func(id string, do func(*state.Fixture)) func(Tables) {
		return change(t, "c/"+id, fixtures, state.UnmarshalFixture, do)
	}
	chunk := func(do func(*state.Chunk)) func(Tables) {
		return change(t, topics.PartKey("c/early", "0"), fixtures, state.UnmarshalChunk, do)
	}
	for _, planted := range []struct {
		name  string
		kind  Kind
		plant func(Tables)
	}{
		{"no bettor", Lost, func(t Tables) { clear(t.Bettors) }},
		{"a bettor of whom there is nothing", Wrong, func(t Tables) { t.Bettors["c/x"] = t.Bettors["c/u"] }},
		{"an older version of the user", Wrong, bettor(func(b *state.Bettor) { b.User.Country = "IT" })},
		{"a user not posted", Wrong, bettor(func(b *state.Bettor) { b.Known = false })},
		{"a leg learnt twice", Twice, bettor(func(b *state.Bettor) { b.LegCount++ })},
		{"a leg not learnt", Lost, bettor(func(b *state.Bettor) { b.LegCount-- })},
		{"the weight a billionth off", Wrong, bettor(func(b *state.Bettor) { b.Weight *= 1 + 1e-8 })},
		{"a sport a billionth off", Wrong, bettor(func(b *state.Bettor) { b.Sports[0].Weight *= 1 + 1e-8 })},
		{"a league a billionth off", Wrong, bettor(func(b *state.Bettor) { b.Leagues[0].Weight *= 1 + 1e-8 })},
		{"a team missing", Wrong, bettor(func(b *state.Bettor) { b.Teams = b.Teams[1:] })},
		{"another market", Wrong, bettor(func(b *state.Bettor) { b.Markets[0].Key++ })},
		{"another range of odds", Wrong, bettor(func(b *state.Bettor) { b.Odds[0].Key++ })},
		{"a coupon forgotten", Lost, bettor(func(b *state.Bettor) { b.Bets = b.Bets[1:] })},
		{"a coupon twice", Twice, bettor(func(b *state.Bettor) { b.Bets = append(b.Bets, b.Bets[0]) })},
		{"another time of a bet", Wrong, bettor(func(b *state.Bettor) { b.Bets[0].At++ })},
		{"another content of a bet", Wrong, bettor(func(b *state.Bettor) { b.Bets[0].Coupon ^= 1 })},
		{"a leg that waits no longer", Wrong, bettor(func(b *state.Bettor) { b.Bets[0].Waiting = 0 })},
		{"a leg of a bet forgotten", Wrong, bettor(func(b *state.Bettor) { b.Bets[0].Legs = b.Bets[0].Legs[1:] })},

		{"no fixture", Lost, func(t Tables) { clear(t.Fixtures) }},
		{"a fixture of which there is nothing", Wrong, func(t Tables) { t.Fixtures["c/X"] = t.Fixtures["c/A"] }},
		{"an older version of the event", Wrong, fixture("A", func(f *state.Fixture) { f.Event.Status = tipoff.StatusSuspended })},
		{"an event not announced", Wrong, fixture("A", func(f *state.Fixture) { f.Known = false })},
		{"a change forgotten", Wrong, fixture("changed", func(f *state.Fixture) { f.Patch = tipoff.EventPatch{} })},
		{"a leg counted twice", Twice, fixture("A", func(f *state.Fixture) { f.LegCount++ })},
		{"a leg not counted", Lost, fixture("A", func(f *state.Fixture) { f.LegCount-- })},
		{"no first bet", Wrong, fixture("A", func(f *state.Fixture) { f.FirstBet = 0 })},
		{"popularity a billionth off", Wrong, fixture("A", func(f *state.Fixture) { f.Popularity.Sum *= 1 + 1e-8 })},
		{"the last pace a billionth off", Wrong, fixture("A", func(f *state.Fixture) { f.Paces[len(f.Paces)-1].Sum *= 1 + 1e-8 })},
		{"an outcome missing", Lost, fixture("A", func(f *state.Fixture) { f.Outcomes = nil })},
		{"a bet on an outcome too many", Wrong, fixture("A", func(f *state.Fixture) { f.Outcomes[0].Bets++ })},
		{"a neighbour missing", Lost, fixture("A", func(f *state.Fixture) { f.Neighbours = nil })},
		{"a pair too heavy", Wrong, fixture("A", func(f *state.Fixture) { f.Neighbours[0].Weight++ })},
		{"a leg that waits, not counted", Lost, fixture("early", func(f *state.Fixture) { f.Waiters = 0 })},
		{"more that waited than bet", Wrong, fixture("A", func(f *state.Fixture) { f.Waiters = 9 })},
		{"legs that wait, lost", Lost, chunk(func(c *state.Chunk) { c.Legs = nil })},
		{"a leg that waits and nobody bet", Wrong, chunk(func(c *state.Chunk) { c.Legs[0].UserID = "x" })},
		{"legs released too early", Wrong, chunk(func(c *state.Chunk) { c.Released = true })},
		{"a chunk that cannot be read", Wrong, func(t Tables) { t.Fixtures[topics.PartKey("c/A", "0")] = nil }},
	} {
		f, tables := small(t)
		planted.plant(tables)
		if found := f.CompareTables(tables); !slices.Equal(kinds(found), []Kind{planted.kind}) {
			t.Errorf("%s: found %v, want %s", planted.name, found, planted.kind)
		}
	}
}
