package rank

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tipoff"
)

// firstHour is a company whose first bets come in.
type firstHour struct {
	*world
	r      *rand.Rand
	sports int
	events [][]string // by sport
	all    []string
	model  *Model // nil: none learns
}

// The ways in which crowds bet.
const (
	crowdOfFans   = iota // each bettor on one sport
	crowdByChance        // on anything
	crowdOnFew           // nearly all on the same few events
	crowdAlike           // nearly all on the first sport
	crowds
)

func drawFirstHour(t *rapid.T) (h *firstHour) {
	h = newFirstHour(rapid.IntRange(2, 10).Draw(t, "sports"), rapid.Uint64().Draw(t, "seed"))
	if rapid.Bool().Draw(t, "learns") {
		h.model = NewModel()
	}
	coupons := rapid.IntRange(1, 500).Draw(t, "coupons")
	h.crowd(rapid.IntRange(0, crowds-1).Draw(t, "crowd"), rapid.IntRange(1, 50).Draw(t, "users"), coupons)
	return h
}

func newFirstHour(sports int, seed uint64) *firstHour {
	h := &firstHour{world: newWorld(), r: rand.New(rand.NewPCG(seed, 1)), sports: sports, events: make([][]string, sports)}
	for s := range sports {
		leagues := 1 + h.r.IntN(4)
		for i := range 16 + h.r.IntN(10) {
			e := event(fmt.Sprintf("s%d-%d", s, i), fmt.Sprint("L", h.r.IntN(leagues)), noon.Add(time.Duration(1+h.r.IntN(72))*time.Hour))
			e.Sport = fmt.Sprint("S", s)
			e.Participants = []string{fmt.Sprint("t", h.r.IntN(12)), fmt.Sprint("t", 12+h.r.IntN(12))}
			h.post(e)
			h.events[s], h.all = append(h.events[s], e.ID), append(h.all, e.ID)
		}
	}
	h.r.Shuffle(len(h.all), func(i, j int) { h.all[i], h.all[j] = h.all[j], h.all[i] })
	return h
}

// crowd lets users bet, as what kind says.
func (h *firstHour) crowd(kind, users, coupons int) {
	for range coupons {
		n := h.r.IntN(users)
		of := h.all
		switch kind {
		case crowdOfFans:
			of = h.events[n%h.sports]
		case crowdOnFew:
			if h.r.IntN(10) > 0 {
				of = h.all[:3]
			}
		case crowdAlike:
			if h.r.IntN(20) > 0 {
				of = h.events[0]
			}
		}
		h.placeBet(fmt.Sprint("u", n), of[h.r.IntN(len(of))])
	}
}

// placeBet lets a user bet, and the model learn from it as the learner does.
func (h *firstHour) placeBet(user, event string) {
	if h.model != nil {
		h.model.Learn(h.index, &Question{Query: tipoff.Query{UserID: user}, Now: h.now}, []uint64{tipoff.EventRef(event)}, new(Scratch))
	}
	h.bet(user, h.now, event)
}

func (h *firstHour) list(user string, n int, diversity float64, ranker string) []tipoff.Item {
	return h.index.Rank(&Question{
		Query: tipoff.Query{UserID: user, N: n, Diversity: diversity},
		Now:   h.now, Ranker: ranker, Model: h.model,
	}, new(Scratch))
}

// ofSport counts the events of a sport.
func ofSport(list []tipoff.Item, sport int) (n int) {
	for _, r := range list {
		if r.Event.Sport == fmt.Sprint("S", sport) {
			n++
		}
	}
	return n
}

func TestFirstHour_WhoHasOneTasteSeesIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawFirstHour(t)
		taste := rapid.IntRange(0, h.sports-1).Draw(t, "taste")
		bets := rapid.IntRange(1, 10).Draw(t, "bets")
		for _, event := range h.events[taste][:bets] {
			h.placeBet("fan", event)
		}
		for _, diversity := range []float64{0, 0.1} {
			for _, n := range []int{5, 10} {
				list := h.list("fan", n, diversity, "")
				if ofSport(list[:5], taste) < 4 {
					t.Fatalf("after %d bets on S%d: %v", bets, taste, ids(list))
				}
			}
		}
	})
}

func TestFirstHour_FansOfEachSportSeeIt(t *testing.T) {
	for _, coupons := range []int{7, 60, 240, 500} {
		for seed := range uint64(3) {
			h := newFirstHour(4, seed)
			h.model = NewModel()
			h.crowd(crowdOfFans, 30, coupons)
			for user := range 30 {
				id := fmt.Sprint("u", user)
				if h.bettors[id] == nil {
					continue
				}
				left := ofSport(h.list(id, 1000, 0, ""), user%4) // that he has not bet on yet
				if list := h.list(id, 5, 0.1, ""); ofSport(list, user%4) < min(4, left) {
					t.Errorf("%d bets, %s: %v, %d are left", coupons, id, ids(list), left)
				}
			}
		}
	}
}

func TestFirstHour_OneMoreBetNeverLowersItsLeague(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawFirstHour(t)
		user := "me" // with so few bets that none of his leagues and teams is forgotten
		for range rapid.IntRange(1, 10).Draw(t, "earlier") {
			h.placeBet(user, h.all[h.r.IntN(len(h.all))])
		}
		bet := h.all[rapid.IntRange(0, len(h.all)-1).Draw(t, "bet")]
		before := h.list(user, 1000, 0, RankerAffinity)
		h.placeBet(user, bet)
		after := h.list(user, 1000, 0, RankerAffinity)
		league := h.fixture(bet).Event
		above := aboveOf(before, league)
		for id, now := range aboveOf(after, league) {
			for other := range now {
				if id != bet && other != bet && !above[id][other] && !shareTeam(h.fixture(other).Event, league) {
					t.Fatalf("after a bet on %s, %s stands above %s", bet, other, id)
				}
			}
		}
	})
}

// aboveOf lists, for each event of a league, the events of other leagues above it.
func aboveOf(list []tipoff.Item, e tipoff.Event) map[string]map[string]bool {
	above := map[string]map[string]bool{}
	for i, r := range list {
		if r.Event.Sport != e.Sport || r.Event.League != e.League {
			continue
		}
		above[r.Event.ID] = map[string]bool{}
		for _, other := range list[:i] {
			if other.Event.Sport != e.Sport || other.Event.League != e.League {
				above[r.Event.ID][other.Event.ID] = true
			}
		}
	}
	return above
}

func shareTeam(a, b tipoff.Event) bool {
	return a.Sport == b.Sport && slices.ContainsFunc(a.Participants, func(team string) bool { return slices.Contains(b.Participants, team) })
}

func TestFirstHour_ANewcomerSeesWhatIsPopularAndVaried(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawFirstHour(t)
		popular := h.index.Popular("", "", 1000, h.now)
		list := h.list("newcomer", 10, 0.1, "")
		wasBetOn := func(r tipoff.Item) bool {
			return slices.ContainsFunc(popular, func(p tipoff.PopularEvent) bool { return p.Event.ID == r.Event.ID })
		}
		seen := 0
		for _, r := range list {
			if wasBetOn(r) {
				seen++
			}
		}
		least := min(len(popular), 10)/2 - 1 // every other place, but for what passes for alike
		if h.model != nil {
			least = min(len(popular), 10) / 5
		}
		if h.model == nil && !wasBetOn(list[0]) || seen < least {
			t.Fatalf("%d of %v were bet on, of %d", seen, ids(list), len(popular))
		}
		leagues := map[string]bool{}
		for _, r := range list {
			leagues[r.Event.Sport+r.Event.League] = true
		}
		if len(leagues) < 2 {
			t.Fatalf("all of one league: %v", ids(list))
		}
	})
}

func TestFirstHour_EqualWorldsGiveEqualLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, kind := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, crowds-1).Draw(t, "crowd")
		coupons := rapid.IntRange(1, 200).Draw(t, "coupons")
		var lists [2][]tipoff.Item
		used := new(Scratch)
		for i := range lists {
			h := newFirstHour(4, seed)
			h.model = NewModel()
			h.crowd(kind, 10, coupons)
			q := &Question{Query: tipoff.Query{UserID: "u0", N: 20, Diversity: 0.1}, Now: h.now, Model: h.model}
			lists[i] = h.index.Rank(q, used)
			other := newFirstHour(10, seed+1) // another company asks with the same memory
			other.crowd(crowdByChance, 50, 50)
			other.index.Rank(&Question{Query: tipoff.Query{UserID: "u0", N: 20}, Now: h.now}, used)
		}
		if diff := cmp.Diff(lists[0], lists[1]); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestFirstHour_AFirstBetLeavesTheListsOfOthersAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawFirstHour(t)
		taste := rapid.IntRange(0, h.sports-1).Draw(t, "taste")
		for _, event := range h.events[taste][:rapid.IntRange(1, 5).Draw(t, "bets")] {
			h.placeBet("fan", event)
		}
		bet := h.all[rapid.IntRange(0, len(h.all)-1).Draw(t, "bet")]
		before := h.list("fan", 50, 0, "")
		h.placeBet("stranger", bet)
		after := h.list("fan", 50, 0, "")
		if ofSport(after[:5], taste) < 4 {
			t.Fatalf("a bet on %v by somebody else leaves %v", bet, ids(after))
		}
		if h.model != nil { // which learns from it too
			return
		}
		for i, a := range before { // what changed places was nearly equal before
			for _, b := range before[i+1:] {
				at, behind := rankOf(after, a), rankOf(after, b)
				if at > behind && behind >= 0 && a.Score-b.Score > 0.4 {
					t.Fatalf("a bet on %v by somebody else puts %s (%v) before %s (%v)", bet, b.Event.ID, b.Score, a.Event.ID, a.Score)
				}
			}
		}
	})
}

// rankOf is the index of an event in a list, -1 where it is not there.
func rankOf(list []tipoff.Item, r tipoff.Item) int {
	return slices.IndexFunc(list, func(o tipoff.Item) bool { return o.Event.ID == r.Event.ID })
}

func TestFirstHour_TheOnlyBettorIsToldWhatHeFollows(t *testing.T) {
	for seed := range uint64(40) {
		h := newFirstHour(4, seed)
		for i := range 1 + int(seed%5) {
			h.bet("fan", h.now.Add(-time.Duration(i*int(seed))*time.Minute), h.events[1][i])
		}
		switch code := h.list("fan", 5, 0.1, "")[0].Reason.Code; code {
		case tipoff.ReasonSport, tipoff.ReasonLeague, tipoff.ReasonTeam:
		default:
			t.Errorf("seed %d: the reason is %s", seed, code)
		}
	}
}

func TestFirstHour_ANewcomerWhoAsksForMoreVarietySeesMore(t *testing.T) {
	h := newFirstHour(6, 1)
	h.crowd(crowdAlike, 20, 200)
	leagues := func(diversity float64) int {
		seen := map[string]bool{}
		for _, r := range h.list("newcomer", 10, diversity, "") {
			seen[r.Event.Sport+r.Event.League] = true
		}
		return len(seen)
	}
	if none, all := leagues(0), leagues(1); all < 8 || none >= all {
		t.Errorf("leagues of ten events: %d without variety, %d with all", none, all)
	}
}
