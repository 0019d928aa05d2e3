package rank

// glance is what every candidate is asked for. It stands apart from the event's entry, whose
// other fields come after questions of single events, and is as large as a line of a
// processor's cache: what is looked at in an event that does not make it is one line, and
// those of all open events stay near.
type glance struct {
	begin  int64 // the first three are those of the entry
	league int32
	item   uint32              // lowest bits of ref: the tables of what was learnt have fewer rows
	timed  [timedTerms]float32 // of open events, as of [Index.timed]
}

// twoTeams are an event's teams where they are two at most, as nearly all have; the rest of it is
// noTeam.
type twoTeams [2]int32

const (
	noTeam    = -1
	manyTeams = -2 // in second place: there are more, which the entry has
)

func twoTeamsOf(teams []int32) twoTeams {
	two := twoTeams{noTeam, noTeam}
	if copy(two[:], teams); len(teams) > len(two) {
		two[1] = manyTeams
	}
	return two
}

// refresh takes from an event's entry what is seen of it at a glance.
func (x *Index) refresh(slot int32) {
	e, g := &x.entries[slot], &x.glances[slot]
	*g = glance{begin: e.begin, league: e.league, item: uint32(e.ref)}
	x.timed.fill(e, &g.timed)
	x.teams[slot] = twoTeamsOf(e.teams)
}
