package rank

import (
	"cmp"
	"slices"
	"time"

	"tipoff"
)

// Showings are how often the open events of a company were shown of late.
type Showings struct {
	times   []uint64 // by open event
	leagues map[int32]*leagueShowings
}

type leagueShowings struct {
	sport, league string
	events, shown int
	times         uint64
}

// Showings are those of the last minutes; see [tipoff.Offered.Shown].
func (x *Index) Showings(now time.Time) Showings {
	s := Showings{times: make([]uint64, 0, len(x.open)), leagues: map[int32]*leagueShowings{}}
	minute := uint32(now.Unix() / 60)
	for _, slot := range x.open {
		e := &x.entries[slot]
		if !e.event.Open(now) {
			continue
		}
		l := s.leagues[e.league]
		if l == nil {
			l = &leagueShowings{sport: e.event.Sport, league: e.event.League}
			s.leagues[e.league] = l
		}
		times := e.event.Shown(minute)
		s.times = append(s.times, times)
		l.events++
		if l.times += times; times > 0 {
			l.shown++
		}
	}
	return s
}

// Coverage sums them up; nil where nothing was shown.
func (s *Showings) Coverage() *tipoff.Coverage {
	slices.Sort(s.times)
	sum, weighted, shown := 0.0, 0.0, 0
	for i, times := range s.times {
		sum += float64(times)
		weighted += float64(i+1) * float64(times)
		if times > 0 {
			shown++
		}
	}
	if shown == 0 {
		return nil
	}
	n := float64(len(s.times))
	c := &tipoff.Coverage{
		Events: round(float64(shown) / n), Gini: round(2*weighted/(n*sum) - (n+1)/n), Leagues: make([]tipoff.LeagueShowing, 0, len(s.leagues)),
	}
	for _, l := range s.leagues {
		c.Leagues = append(c.Leagues, tipoff.LeagueShowing{League: l.league, Sport: l.sport, Events: l.events, Shown: l.shown, Share: round(float64(l.times) / sum)})
	}
	slices.SortFunc(c.Leagues, func(a, b tipoff.LeagueShowing) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(b.Events, a.Events), cmp.Compare(a.League, b.League), cmp.Compare(a.Sport, b.Sport))
	})
	c.Leagues = c.Leagues[:min(len(c.Leagues), tipoff.MaxLeaguesShown)]
	return c
}
