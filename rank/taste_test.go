package rank

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tipoff"
)

// twoTastes is a company of which half of the bettors follow leagues A0 and A1, the other
// half B0 and B1. Its events live for an hour, so that no two of them are ever bet on
// by enough of the same bettors to be pairs.
func twoTastes(hours int) (*world, *Model) {
	w, m, r, s := newWorld(), NewModel(), rand.New(rand.NewPCG(3, 3)), new(Scratch)
	for hour := range hours {
		w.now = noon.Add(time.Duration(hour) * time.Hour)
		w.index.Begin(w.now)
		for _, league := range []string{"A0", "A1", "B0", "B1"} {
			for k := range 4 {
				e := event(fmt.Sprint(league, " ", hour, " ", k), league, w.now.Add(time.Hour))
				e.Participants = []string{}
				w.post(e)
			}
		}
		for range 20 {
			u := r.IntN(200)
			league := []string{"A", "B"}[u%2] + fmt.Sprint(r.IntN(2))
			user, id := fmt.Sprint("u", u), fmt.Sprint(league, " ", hour, " ", r.IntN(4))
			m.Learn(w.index, &Question{Query: tipoff.Query{UserID: user}, Now: w.now}, []uint64{tipoff.EventRef(id)}, s)
			w.bet(user, w.now, id)
		}
	}
	return w, m
}

func TestTastes_WhoFollowsOneLeagueIsShownWhatItsFollowersBetOn(t *testing.T) {
	w, m := twoTastes(80)
	for i := range 2 { // bettors that the model never met, of one league each
		league := []string{"A0", "B0"}[i]
		user := "new " + league
		for k := range 3 {
			w.bet(user, w.now, fmt.Sprint(league, " ", 79, " ", k))
		}
		m.Quality = [rankerCount]Quality{rankerLinear: {Sum: 50, Weight: 100}}
		got := w.index.Rank(&Question{Query: tipoff.Query{UserID: user, N: 5}, Now: w.now, Model: m}, new(Scratch))
		for _, ranked := range got { // one event of the league is left, and four of its sister
			if ranked.Event.League[0] != league[0] {
				t.Errorf("to a follower of %s: %v", league, ids(got))
				break
			}
		}
	}
}

func TestVectorTable_GrowsWithoutForgetting(t *testing.T) {
	table, hash := newVectorTable(1, 0.1), uint64(0x1234567)
	direction := vector{1, 2, 3}
	for range 5 {
		table.step(hash, 0.1, 1, &direction)
	}
	learnt := *table.row(hash)
	table.resize(4 * leastRows)
	if *table.row(hash) != learnt {
		t.Errorf("%v became %v", learnt, *table.row(hash))
	}
	table.resize(leastRows)
	if len(table.rows) != 4*leastRows {
		t.Error("a table shrank")
	}
}

func TestModel_TakesLessThanAMegabyteHoweverMuchItHasLearnt(t *testing.T) {
	m := NewModel()
	m.tastes.fit(1<<20, 1<<20)
	for _, table := range m.tastes.tables() {
		for i := range table.squares {
			table.squares[i] = 1
		}
	}
	value := m.Marshal()
	if len(value) > 900_000 { // with the rest of the value below what Kafka takes
		t.Errorf("a model takes %d bytes", len(value))
	}
	if again, err := UnmarshalModel(value); err != nil || len(again.tastes.out.rows) != outRows {
		t.Errorf("it cannot be read: %v", err)
	}
}

func TestModel_ReadFromTheTableRanksAsBefore(t *testing.T) {
	w, m := twoTastes(40)
	again, err := UnmarshalModel(m.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	for u := range 20 {
		user := fmt.Sprint("u", u)
		q := &Question{Query: tipoff.Query{UserID: user, N: 16}, Now: w.now, Model: m}
		before := w.index.Rank(q, new(Scratch))
		q.Model = again
		for i, after := range w.index.Rank(q, new(Scratch)) {
			if d := after.Score - before[i].Score; d > 0.1 || d < -0.1 { // numbers have eight bits
				t.Errorf("%s, place %d: score %v became %v", user, i, before[i].Score, after.Score)
			}
		}
	}
}
