package state

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tipoff"
)

// write writes files of testdata/values for a new version: go test
// ./state -run Versions -write. Files of older versions stay.
var write = flag.Bool("write", false, "write the table values of the present version")

// valuesOfNow are one value of each kind, in which every field is set; early is a fixture
// that is not posted yet.
func valuesOfNow() (b *Bettor, f, early *Fixture, c *Chunk) {
	b = new(Bettor)
	settle(b, bet("c1", noon, "e1", "e2"), 1, "l", noon.Add(time.Hour))
	b.AddCoupon(bet("c2", noon.Add(time.Minute), "e3"), at(2), CauseAt(at(2)), noon.Unix()+60)
	b.Epoch, b.Known = 1<<32|5, true
	b.User = tipoff.User{ID: "u", BirthYear: 1990, Country: "USA", Currency: "USD", Gender: "male", RegistrationDate: noon, Name: "N", FavouriteSport: "Tennis", FavouriteLeague: "ATP", Extra: []byte(`{"a":1}`), Version: tipoff.VersionOf(0)}
	b.Users, b.Floor, b.Refused = Position{7, 9}, noon.Unix()-5, []int64{1, 3}
	e := event("e", "Liga", noon)
	e.Markets, e.Result, e.Extra = []tipoff.Market{{Market: "1x2", Outcomes: []tipoff.Outcome{{Outcome: "1", Odds: 1.5}}}}, "2:1", []byte(`{"b":2}`)
	f, early = &Fixture{Epoch: 3}, &Fixture{Epoch: 3}
	f.Post(e, at(4))
	f.Event.Version, f.Covered = tipoff.VersionOf(tipoff.MaxVersion), 77
	for i := range 3 {
		f.Count(leg(int64(i), 0, 0, 1, 2))
	}
	early.Change(tipoff.EventPatch{ID: "e", Status: tipoff.StatusSuspended, Result: "1:0", Markets: []tipoff.Market{}, Begin: noon, Version: tipoff.VersionOf(6)}, at(4))
	f.Gone = 2
	waiting := *leg(1, 0, 0)
	waiting.Sent = 77
	return b, f, early, &Chunk{Epoch: 3, Released: true, Expired: at(8), Legs: []Leg{waiting}}
}

// as returns the value as a version of the table could say it.
func as[V any](version string, now V) V {
	switch v := any(&now).(type) {
	case **Bettor:
		older := **v
		if *v = &older; version < "3" { // had no versions of users
			older.User.Version = tipoff.Version{}
		}
	case **Fixture:
		older := **v
		if *v = &older; version < "3" { // had none of events, and repeats of a first post were new
			older.Event.Version, older.Patch.Version, older.Covered = tipoff.Version{}, tipoff.Version{}, 0
			older.Gone = 0 // nothing expired
		}
		if version < "2" { // had one half-life of bets
			older.FirstBet, older.Paces = older.Popularity.At, [PaceCount]Decayed{}
		}
	}
	return now
}

// TestVersions_ValuesOfEveryVersionAreRead: a value that any version wrote is read,
// with all that it said.
func TestVersions_ValuesOfEveryVersionAreRead(t *testing.T) {
	b, f, early, c := valuesOfNow()
	if *write {
		for name, value := range map[string][]byte{"bettor-4": b.Marshal(), "fixture-4": f.Marshal(), "early-4": early.Marshal(), "chunk-4": c.Marshal(), "unposted-4": unposted().Marshal()} {
			if err := os.WriteFile(filepath.Join("testdata", "values", name), value, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := os.ReadDir(filepath.Join("testdata", "values"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		value, err := os.ReadFile(filepath.Join("testdata", "values", file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		kind, version, _ := strings.Cut(file.Name(), "-")
		switch kind {
		case "bettor":
			got, err = UnmarshalBettor(value)
			want = as(version, b)
			sameOver(t, value)
		case "fixture":
			got, err = UnmarshalFixture(value)
			want = as(version, f)
		case "early":
			got, err = UnmarshalFixture(value)
			want = as(version, early)
		case "unposted":
			got, err = UnmarshalFixture(value)
			want = unposted()
		case "chunk":
			got, err = UnmarshalChunk(value)
			want = c
			if version < "3" { // nothing expired, and nothing said where a leg stood
				older := leg(1, 0, 0)
				older.Sent = older.Offset
				want = &Chunk{Epoch: 3, Released: true, Legs: []Leg{*older}}
			}
		}
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", file.Name(), err, d)
		}
		if err := CheckVersion(value); err != nil {
			t.Errorf("%s: %v", file.Name(), err)
		}
	}
}

func TestVersions_ANewerOneIsRefusedAndSaysWhatToDo(t *testing.T) {
	b, f, early, c := valuesOfNow()
	for _, value := range [][]byte{b.Marshal(), f.Marshal(), early.Marshal(), c.Marshal()} {
		value[0] = 200
		if err := CheckVersion(value); err == nil || !strings.Contains(err.Error(), "version 200") || !strings.Contains(err.Error(), "tipoff rebuild") {
			t.Errorf("err = %v", err)
		}
	}
	if CheckVersion(nil) == nil || CheckVersion([]byte{0}) == nil {
		t.Error("no value was taken for one")
	}
}
