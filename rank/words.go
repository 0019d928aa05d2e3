package rank

import "strings"

// termWords say what each term is; {sport}, {league} and {country} stand for the event's
// sport and league and the bettor's country.
var termWords = [Terms]string{
	termPop5m:       "bets on it in the last minutes",
	termPop20m:      "bets on it in the last half hour",
	termPop2h:       "bets on it in the last hours",
	termPop6h:       "bets on it in the last half day",
	termPop2d:       "bets on it in the last days",
	termPop30d:      "bets on it in the last month",
	termPopEver:     "bets on it in all",
	termSoon1:       "time to its beginning, in hours",
	termSoon6:       "time to its beginning, in quarter days",
	termSoon48:      "time to its beginning, in days",
	termAge:         "time since the first bet on it",
	termUnseen:      "nobody has bet on it yet",
	termHome:        "bets on it from {country}",
	termSport:       "bets on {sport} {compared} others do",
	termLeague:      "bets on {league} {compared} others do",
	termTeam:        "bets on its best liked team {compared} others do",
	termTeams:       "bets on its other teams {compared} others do",
	termCrowdLeague: "share of {league} in all bets",
	termCrowdTeam:   "share of its teams in all bets",
	termPairs:       "bettors of the user's last events bet on it too",
	termPairsGiven:  "share of the last events' bettors who bet on it too",
	termPairsLast:   "bettors of the user's last event bet on it too",
	termPairsNext:   "share of the last event's bettors who bet on it afterwards",
	termNear:        "bettors with the same last events bet on it",
	termNext:        "the last event's latest bettors went on to it",
	termHasPair:     "what the user bet on leads to it",
	termLastLeague:  "is of the same league as the user's last event, {league}",
	termLastTeam:    "has a team of the user's last event",
	termLastDay:     "begins near the user's last event",
	termPairsRate:   "bettors of the last events bet on it, against all who bet on it",
	termNearRate:    "bettors with the same last events bet on it, against all who bet on it",
	termBetsLeague:  "the user's bets on {league}",
	termBetsTeam:    "the user's bets on its teams",
	termBetsSport:   "the user's bets on {sport}",
	termKeenLeague:  "bets on {league} {compared} others do, by the first bets on",
	termKeenTeam:    "bets on its best liked team {compared} others do, by the first bets on",
	termBias:        "how its sport, league and teams do with users of this kind, as learnt",
	termTaste:       "how it fits what the user bet on over time, as learnt",
	termLateTaste:   "how it fits what the user bet on of late, as learnt",
	termAlike:       "how alike it is to the user's events, as learnt",
	termAlikeLast:   "how alike it is to the user's last event, as learnt",
}

// termInWords says what a term's value means for the event.
func (r *ranking) termInWords(term int, value float32, e *entry) string {
	compared, country := "more than", ""
	if value < 0 {
		compared = "less than"
	}
	if r.bettor != nil {
		country = r.bettor.home
	}
	return strings.NewReplacer(
		"{sport}", e.event.Sport, "{league}", e.event.League, "{country}", country, "{compared}", compared,
	).Replace(termWords[term])
}
