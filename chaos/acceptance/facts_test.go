package acceptance

import (
	"fmt"
	"slices"
	"time"

	"tipoff"
)

func user(id string) tipoff.User {
	return tipoff.User{ID: id, BirthYear: 1990, Country: "USA", Currency: "USD", Gender: "male", RegistrationDate: time.Now().AddDate(-1, 0, 0)}
}

func event(id string) tipoff.Event {
	begin := time.Now().Add(30 * time.Hour).UTC().Truncate(time.Second)
	return tipoff.Event{
		ID: id, Begin: begin, End: begin.Add(2 * time.Hour), Country: "USA", League: "A", Sport: "sport",
		Participants: []string{"home " + id, "away " + id}, Status: tipoff.StatusOpen,
	}
}

func coupon(id, user, event string) tipoff.Coupon {
	return tipoff.Coupon{ID: id, UserID: user, Stake: 50.5, Timestamp: time.Now().UTC(),
		Selections: []tipoff.Selection{{EventID: event, Odds: 2, Market: "winner", Outcome: "1"}}}
}

// wantBets waits until the process has learnt from so many legs of a user.
func (p *process) wantBets(user string, bets uint64) {
	p.Helper()
	eventually(p.T, 30*time.Second, func() error {
		var a tipoff.Affinities
		err := getJSON(p.url+"/v1/users/"+user+"/affinities", &a)
		if err == nil && a.Bets != bets {
			err = fmt.Errorf("%s has %d bets, want %d", user, a.Bets, bets)
		}
		return err
	})
}

// wantRecommended waits until the process recommends exactly these events to a user.
func (p *process) wantRecommended(user string, events ...string) {
	p.Helper()
	eventually(p.T, 30*time.Second, func() error {
		var r tipoff.Recommendation
		err := getJSON(p.url+"/v1/recommendations?user_id="+user, &r)
		var ids []string
		for _, item := range r.Items {
			ids = append(ids, item.Event.ID)
		}
		if slices.Sort(ids); err == nil && !slices.Equal(ids, events) {
			err = fmt.Errorf("%s is recommended %v, want %v", user, ids, events)
		}
		return err
	})
}
