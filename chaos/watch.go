package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"time"

	"tipoff"
	"tipoff/oracle"
)

// held is what an api's view is known to hold, since a moment at which it was asked
// or everything was quiet: events closed, and chosen by each user.
type held struct {
	life   int64 // of the process; a new one begins with nothing
	chosen map[string]events
	closed map[string]bool
	shown  map[string]bool // events that this process has recommended: its view has them
}

// slate is the part of a recommendation that matters here.
type slate struct {
	Items []struct {
		Event struct {
			ID     string    `json:"event_id"`
			Begin  time.Time `json:"begin_timestamp"`
			Status string
		}
	}
}

// watch asks one api for recommendations until ctx ends, and checks each by what that
// api's view held when it was asked.
func (h *harness) watch(ctx context.Context, api *process, l *load, quiet *oracle.Facts) {
	random := newRandom(h.Seed, uint64(1000*l.round+api.number))
	var known held
	for ctx.Err() == nil {
		if known.life != api.life.Load() || known.chosen == nil {
			life := api.life.Load()
			if h.ready(api) != nil || life != api.life.Load() {
				select {
				case <-time.After(100 * time.Millisecond):
				case <-ctx.Done():
				}
				continue
			}
			known = h.heldWhenQuiet(quiet, l)
			known.life = life
		}
		user := h.someUser(random, l, quiet)
		if user == "" {
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		if random.IntN(4) == 0 {
			h.learnHeld(ctx, api, l, user, random, &known)
		}
		closed, tag := h.learnClosed(ctx, api, l, known)
		begun := time.Now()
		var got slate
		if err := get(ctx, h.url(api)+"/v1/recommendations?n=50&user_id="+url.QueryEscape(user), &got); err != nil {
			continue // the api may be down
		}
		h.asked.Add(1)
		if known.life != api.life.Load() {
			continue
		}
		h.judge(api, user, got, begun, known, l)
		for _, item := range got.Items {
			known.shown[item.Event.ID] = true
		}
		if closed != "" && l.newest(closed) == tag && got.shows(closed) {
			h.wrong("%s showed %s event %s, which it had just said to be closed", api.name, user, closed)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// judge finds what must not have been shown.
func (h *harness) judge(api *process, user string, got slate, asked time.Time, known held, l *load) {
	for _, item := range got.Items {
		e := item.Event
		switch {
		case !asked.Before(e.Begin):
			h.wrong("%s showed %s event %s, which began at %s, asked at %s", api.name, user, e.ID, e.Begin, asked)
		case e.Status != tipoff.StatusOpen:
			h.wrong("%s showed %s event %s, which is %s", api.name, user, e.ID, e.Status)
		case known.closed[e.ID] && l.newest(e.ID) == "":
			h.wrong("%s showed %s event %s, which its view held as closed", api.name, user, e.ID)
		case known.chosen[user][e.ID]:
			h.wrong("%s showed %s event %s, which its view held as chosen", api.name, user, e.ID)
		}
	}
}

// newest is the tag of the newest version of an event in this round; "": there is
// none.
func (l *load) newest(event string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.moved[event]
}

func (s slate) shows(event string) bool {
	for _, item := range s.Items {
		if item.Event.ID == event {
			return true
		}
	}
	return false
}

// learnClosed asks the api for an event that it has shown and that was changed in this
// round, and names it and its version if the api's view holds the newest one and that
// is closed.
func (h *harness) learnClosed(ctx context.Context, api *process, l *load, known held) (closed, tag string) {
	l.mu.Lock()
	for event := range l.moved {
		if known.shown[event] && !l.vague[event] {
			closed, tag = event, l.moved[event]
			break
		}
	}
	l.mu.Unlock()
	var event struct{ Status, Result string }
	if closed == "" || get(ctx, h.url(api)+"/v1/events/"+url.PathEscape(closed), &event) != nil || event.Status == tipoff.StatusOpen || event.Result != tag {
		return "", ""
	}
	return closed, tag
}

// heldWhenQuiet is what every view held before the round.
func (h *harness) heldWhenQuiet(f *oracle.Facts, l *load) held {
	k := held{chosen: map[string]events{}, closed: map[string]bool{}, shown: map[string]bool{}}
	if f == nil {
		return k
	}
	for user := range f.Coupons {
		k.chosen[user] = chosenBy(f, user)
	}
	for id, e := range f.Events {
		if e.Announced && e.Status() != tipoff.StatusOpen {
			k.closed[id] = true
		}
	}
	return k
}

// chosenBy are the events of a user's coupons.
func chosenBy(f *oracle.Facts, user string) events {
	chosen := events{}
	for _, c := range f.Coupons[user] {
		for _, leg := range c.Selections {
			chosen[leg.EventID] = true
		}
	}
	return chosen
}

// learnHeld asks the api what it holds of a user of this round: all of the bets, or
// not yet.
func (h *harness) learnHeld(ctx context.Context, api *process, l *load, user string, random *rand.Rand, known *held) {
	l.mu.Lock()
	bets, sure := l.bets[user], l.sure[user]
	chosen := events{}
	for event := range l.chosen[user] {
		chosen[event] = true
	}
	l.mu.Unlock()
	var has struct{ Bets int }
	if !sure || bets == 0 || get(ctx, h.url(api)+"/v1/users/"+url.PathEscape(user)+"/affinities", &has) != nil || has.Bets != bets {
		return
	}
	l.mu.Lock()
	same := l.bets[user] == bets && l.sure[user]
	l.mu.Unlock()
	if same {
		known.chosen[user] = chosen
	}
}

// someUser picks a user of this round, or of an earlier one.
func (h *harness) someUser(random *rand.Rand, l *load, quiet *oracle.Facts) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if quiet != nil && len(quiet.Coupons) > 0 && random.IntN(2) == 0 {
		for user := range quiet.Coupons {
			return user
		}
	}
	for user := range l.bets {
		return user
	}
	return ""
}

func get(ctx context.Context, address string, into any) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := asking.Do(q)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// sameRecommendations: when all is quiet every api recommends the same, and shows
// nothing that has begun, is closed or was chosen.
func (h *harness) sameRecommendations(ctx context.Context, f *oracle.Facts) {
	users := slices.Collect(maps.Keys(f.Coupons))
	for _, user := range users[:min(len(users), 40)] {
		chosen := chosenBy(f, user)
		err := eventually(ctx, "the same recommendations", func() error { // time goes on between two questions
			var lists []string
			for _, api := range h.apis() {
				asked := time.Now()
				var got slate
				if err := get(ctx, h.url(api)+"/v1/recommendations?n=50&user_id="+url.QueryEscape(user), &got); err != nil {
					return err
				}
				list := ""
				for _, item := range got.Items {
					list += item.Event.ID + " "
					if !f.Open(item.Event.ID, asked) {
						h.wrong("%s showed %s event %s, which is not open", api.name, user, item.Event.ID)
					}
					if chosen[item.Event.ID] {
						h.wrong("%s showed %s event %s, which is chosen", api.name, user, item.Event.ID)
					}
				}
				lists = append(lists, list)
			}
			if lists[0] != lists[1] {
				return fmt.Errorf("two recommendations for %s:\n  %s\n  %s", user, lists[0], lists[1])
			}
			return nil
		})
		if err != nil {
			h.wrong("%v", err)
			return
		}
	}
}
