package sink

import (
	"reflect"
	"testing"
	"time"

	"tipoff"
	"tipoff/topics"
)

// bare is a post of an event that names neither status nor result nor markets.
func bare(id, league string, version tipoff.Version) topics.Record {
	return topics.EventRecord("default", tipoff.Event{
		ID: id, Begin: noon, End: noon, Country: "USA", League: league, Sport: "Tennis", Participants: []string{league}, Version: version,
	}, noon)
}

func TestWrite_APostOfAnEventSetsWhatItNames(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		const standing = "SELECT league, status, result, markets, source_offset FROM events"
		events := newLog(topics.Events, "e")
		events.add(bare("e1", "A", tipoff.Version{}))
		events.add(topics.PatchRecord("default", tipoff.EventPatch{ID: "e1", Status: tipoff.StatusCancelled, Result: "1:0", Markets: []tipoff.Market{{Market: "m", Outcomes: []tipoff.Outcome{}}}}, noon))
		events.add(bare("e1", "B", tipoff.Version{}))
		events.add(event("e1", "ATP"))
		for _, batch := range []int{1, 2} { // one record each, or all at once
			w := &writer{db: db}
			exec(t, db, "DELETE FROM events")
			for i, stands := range []string{`A open NULL NULL 0`, `A cancelled 1:0 [{"market":"m","outcomes":[]}] 1`, `B cancelled 1:0 [{"market":"m","outcomes":[]}] 2`} {
				if batch == 1 {
					events.mirror(t, w, i, i+1)
					want(t, db, standing, stands)
				}
			}
			events.mirror(t, w, 0, 4)
			want(t, db, standing, `ATP open 1:0 [{"market":"winner","outcomes":[{"outcome":"1","odds":1.85}]}] 3`)
		}
	})
}

func TestWrite_AnOlderVersionUndoesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		w := &writer{db: db}
		users, events := newLog(topics.Users, "u"), newLog(topics.Events, "e")
		for _, c := range []struct {
			version tipoff.Version
			country string
		}{{tipoff.VersionOf(2), "A"}, {tipoff.VersionOf(1), "B"}, {tipoff.Version{}, "C"}, {tipoff.VersionOf(1), "D"}, {tipoff.VersionOf(2), "E"}} {
			users.add(topics.UserRecord("default", tipoff.User{ID: "u", BirthYear: 1990, Country: c.country, Currency: "USD", Gender: "f", RegistrationDate: noon, Version: c.version}, noon))
		}
		const user = "SELECT country, version, source_offset FROM users"
		users.mirror(t, w, 0, 2)
		want(t, db, user, "A 2 0")
		users.mirror(t, w, 1, 3)
		want(t, db, user, "C 2 2")
		users.mirror(t, w, 3, 4)
		want(t, db, user, "C 2 2")
		users.mirror(t, w, 0, 5)
		want(t, db, user, "E 2 4")

		early := tipoff.EventPatch{ID: "e", Result: "seven", Version: tipoff.VersionOf(7)}
		events.add(topics.PatchRecord("default", early, noon))
		events.add(bare("e", "six", tipoff.VersionOf(6)))
		events.add(bare("e", "five", tipoff.VersionOf(5)))
		events.add(bare("e", "eight", tipoff.VersionOf(tipoff.MaxVersion)))
		events.add(topics.PatchRecord("default", early, noon))
		const standing = "SELECT announced, league, result, version FROM events"
		events.mirror(t, w, 0, 1)
		want(t, db, standing, "0 NULL seven 7")
		events.mirror(t, w, 1, 3)
		want(t, db, standing, "1 six seven 7")
		events.mirror(t, w, 2, 5)
		want(t, db, standing, "1 eight seven 9007199254740991")
		e, err := NewArchive(db, time.Second).Event(t.Context(), "default", "e")
		if err != nil || e.Version != tipoff.VersionOf(tipoff.MaxVersion) {
			t.Errorf("archive: %+v, %v", e, err)
		}
		facts := map[string]tipoff.Version{}
		err = db.Facts(t.Context(), func(records []topics.Record) error {
			for _, r := range records {
				f, err := topics.DecodeFact(r.Topic, map[string]string{topics.Users: "u", topics.Events: "e"}[r.Topic], r.Value, tipoff.Reading{Now: noon})
				if err != nil {
					return err
				}
				if f.User != nil {
					facts["user"] = f.User.Version
				} else {
					facts["event"] = f.Event.Version
				}
			}
			return nil
		})
		if all := map[string]tipoff.Version{"user": tipoff.VersionOf(2), "event": tipoff.VersionOf(tipoff.MaxVersion)}; err != nil || !reflect.DeepEqual(facts, all) {
			t.Errorf("facts of versions %v, %v", facts, err)
		}
	})
}

// TestWrite_ARepeatOfAFirstPostLeavesTheChangesBeforeIt, however the records come in
// batches.
func TestWrite_ARepeatOfAFirstPostLeavesTheChangesBeforeIt(t *testing.T) {
	onEach(t, func(t *testing.T, db *Database) {
		events := newLog(topics.Events, "e")
		events.add(patch("e1", tipoff.StatusSuspended))
		events.add(event("e1", "ATP"))
		events.add(event("e1", "ATP"))
		events.add(event("e1", "WTA"))
		events.add(event("e1", "ATP"))
		for _, r := range []topics.Record{patch("e2", tipoff.StatusSuspended), event("e2", "ATP"), patch("e2", tipoff.StatusFinished), event("e2", "ATP")} {
			events.add(r)
		}
		for batch := range 3 {
			w := &writer{db: db}
			exec(t, db, "DELETE FROM events")
			for i := 0; i < 3; i += batch + 1 {
				events.mirror(t, w, i, min(i+batch+1, 3))
			}
			want(t, db, "SELECT league, status, source_offset FROM events", "ATP suspended 2")
			events.mirror(t, w, 3, 4)
			want(t, db, "SELECT league, status FROM events", "WTA open")
			events.mirror(t, w, 4, 5) // is no repeat of what came last
			want(t, db, "SELECT league, status FROM events", "ATP open")
			events.mirror(t, w, 5, 8)
			want(t, db, "SELECT status FROM events WHERE event_id = 'e2'", "finished")
			events.mirror(t, w, 8, 9) // neither is this
			want(t, db, "SELECT status FROM events WHERE event_id = 'e2'", "open")
		}
	})
}
