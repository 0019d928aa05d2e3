package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tipoff"
	"tipoff/oracle"
	"tipoff/topics"
)

// postUsers posts new users and newer versions of own ones.
func (w *worker) postUsers(ctx context.Context) {
	var items []any
	var entries []*entry
	for range 1 + w.random.IntN(6) {
		id := w.id("user")
		if len(w.users) > 0 && w.random.IntN(3) == 0 {
			if id = w.pick(w.users); w.doubtful[id] {
				continue
			}
		} else {
			w.users = append(w.users, id)
			w.mu.Lock()
			w.sure[id] = true
			w.mu.Unlock()
		}
		w.versions[id]++
		u := tipoff.User{
			ID: id, BirthYear: 1950 + w.random.IntN(50), Country: w.pick(countries), Currency: "EUR", Gender: "female",
			RegistrationDate: time.Date(2020, 1, 1+w.random.IntN(28), 0, 0, 0, 0, time.UTC), Name: fmt.Sprintf("v%d", w.versions[id]), Version: w.version(id),
		}
		items = append(items, u)
		entries = append(entries, w.ledger.post(entry{topic: topics.Users, entity: id, tag: u.Name, content: oracle.Canonical(u)}))
	}
	w.send(ctx, "/v1/users", items, entries)
}

// version is none, or the number of what is posted of an entity, or one before it, so that
// some come too late.
func (w *worker) version(id string) (v tipoff.Version) {
	if n := w.versions[id] - w.random.IntN(4); n >= 0 && w.random.IntN(2) == 0 {
		v = tipoff.VersionOf(int64(n))
	}
	return v
}

// postEvents posts new events, some of which begin within seconds, and newer
// versions of own ones.
func (w *worker) postEvents(ctx context.Context) {
	var items []any
	var entries []*entry
	for range 1 + w.random.IntN(4) {
		again := len(w.own) > 0 && w.random.IntN(3) == 0
		var e tipoff.Event
		at := len(w.own)
		if again {
			at = w.random.IntN(len(w.own))
			if e = w.own[at]; w.doubtful[e.ID] {
				continue
			}
		} else {
			in := leagues[w.random.IntN(len(leagues))]
			e = tipoff.Event{
				ID: w.id("event"), Sport: in.sport, League: in.league, Country: w.pick(countries),
				Participants: []string{in.league + " " + strconv.Itoa(w.random.IntN(3)), in.league + " " + strconv.Itoa(3+w.random.IntN(3))},
			}
			if w.random.IntN(4) == 0 {
				w.offer(e.ID) // bets come before the event
			}
		}
		ahead := time.Duration(1+w.random.IntN(72*60)) * time.Minute
		if w.random.IntN(6) == 0 {
			ahead = time.Duration(1+w.random.IntN(20)) * time.Second
		}
		w.versions[e.ID]++
		e.Begin = time.Now().Add(ahead).UTC().Truncate(time.Second)
		e.End = e.Begin.Add(2 * time.Hour)
		if e.Status, e.Version = "", w.version(e.ID); w.random.IntN(2) == 0 {
			e.Status = tipoff.StatusOpen
		}
		e.Extra = []byte(fmt.Sprintf(`{"v":"v%d"}`, w.versions[e.ID]))
		if again {
			w.own[at] = e
			w.move(e.ID, "v"+strconv.Itoa(w.versions[e.ID]))
		} else {
			w.own = append(w.own, e)
		}
		items = append(items, e)
		entries = append(entries, w.ledger.post(entry{topic: topics.Events, entity: e.ID, tag: "v" + strconv.Itoa(w.versions[e.ID]), content: oracle.Canonical(e)}))
		if !again {
			defer w.offer(e.ID)
		}
	}
	w.send(ctx, "/v1/events", items, entries)
}

func (w *worker) offer(event string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.load.events = append(w.load.events, event)
}

// move notes that a newer version of an event is on its way.
func (w *worker) move(event, tag string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moved[event] = tag
}

// patchEvent closes an own event, or opens it again.
func (w *worker) patchEvent(ctx context.Context) {
	if len(w.own) == 0 {
		return
	}
	e := w.own[w.random.IntN(len(w.own))]
	if w.doubtful[e.ID] {
		return
	}
	w.versions[e.ID]++
	status := w.pick([]string{tipoff.StatusOpen, tipoff.StatusSuspended, tipoff.StatusCancelled, tipoff.StatusFinished})
	patch := map[string]any{"status": status, "result": fmt.Sprintf("r%d", w.versions[e.ID])}
	w.move(e.ID, patch["result"].(string))
	content := map[string]any{"event_id": e.ID, "status": patch["status"], "result": patch["result"]}
	if v := w.version(e.ID); v.Given {
		patch["version"], content["version"] = v, v
	}
	written := w.ledger.post(entry{topic: topics.Events, entity: e.ID, tag: patch["result"].(string), content: oracle.Canonical(content)})
	w.sendBody(ctx, http.MethodPatch, "/v1/events/"+e.ID, patch, []*entry{written})
}
