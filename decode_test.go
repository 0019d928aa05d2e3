package tipoff

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

var (
	now    = time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	loose  = Reading{Now: now}
	strict = Reading{Now: now, Strict: true}
)

const (
	goodUser   = `{"user_id":"u1","birth_year":1990,"country":"USA","currency":"USD","gender":"male","registration_date":"2023-05-17"}`
	goodEvent  = `{"event_id":"e1","begin_timestamp":"2026-05-18","end_timestamp":"2026-05-18","country":"USA","league":"L","sport":"S","participants":["A","B"]}`
	goodCoupon = `{"coupon_id":"c1","user_id":"u1","stake":50.5,"timestamp":"2020-01-01T01:05:01","selections":[{"event_id":"e1","odds":10.0}]}`
)

// with replaces a field of a good body, or adds it.
func with(body, field, value string) string {
	var m map[string]any
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		panic(err)
	}
	m[field] = jsonRaw(value)
	out, err := json.Marshal(m, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return string(out)
}

type jsonRaw string

func (r jsonRaw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func without(body, field string) string {
	var m map[string]any
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		panic(err)
	}
	delete(m, field)
	out, _ := json.Marshal(m)
	return string(out)
}

func TestDecode_KeepsWhatWasPosted(t *testing.T) {
	u, err := DecodeUser([]byte(with(goodUser, "extra", `{"vip":true}`)), strict)
	if err != nil {
		t.Fatal(err)
	}
	if u.ID != "u1" || u.BirthYear != 1990 || u.Country != "USA" || u.Currency != "USD" || u.Gender != "male" ||
		!u.RegistrationDate.Equal(time.Date(2023, 5, 17, 0, 0, 0, 0, time.UTC)) || string(u.Extra) != `{"vip":true}` {
		t.Errorf("user = %+v", u)
	}
	e, err := DecodeEvent([]byte(with(goodEvent, "markets", `[{"market":"1x2","outcomes":[{"outcome":"1","odds":1.85}]}]`)), strict)
	if err != nil {
		t.Fatal(err)
	}
	if e.Status != "" || len(e.Participants) != 2 || e.Markets[0].Outcomes[0].Odds != 1.85 {
		t.Errorf("event = %+v", e)
	}
	c, err := DecodeCoupon([]byte(goodCoupon), strict)
	if err != nil {
		t.Fatal(err)
	}
	if c.Stake != 50.5 || len(c.Selections) != 1 || c.Selections[0] != (Selection{EventID: "e1", Odds: 10}) {
		t.Errorf("coupon = %+v", c)
	}
}

// bound is a field of a good body with another value, and the fault that it makes; "":
// none.
type bound struct{ body, field, value, fault string }

func long(n int) string { return `"` + strings.Repeat("ü", n) + `"` }

func many(n int, item string) string {
	return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
}

func legs(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"event_id":"e%d","odds":2}`, i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

var userBounds = []bound{
	{goodUser, "user_id", `""`, "user_id: must have 1 to 50 characters, has 0"},
	{goodUser, "user_id", long(51), "user_id: must have 1 to 50 characters, has 51"},
	{goodUser, "user_id", long(50), ""},
	{goodUser, "user_id", `" a"`, "user_id: must not begin or end with white space"},
	{goodUser, "user_id", `"a\u0000"`, "user_id: must not contain control characters"},
	{goodUser, "user_id", `7`, "user_id: must be a string, is a number"},
	{goodUser, "birth_year", `1899`, "birth_year: must be an integer from 1900 to 2026"},
	{goodUser, "birth_year", `2027`, "birth_year: must be an integer from 1900 to 2026"},
	{goodUser, "birth_year", `1990.5`, "birth_year: must be an integer from 1900 to 2026"},
	{goodUser, "birth_year", `1990.0`, ""},
	{goodUser, "birth_year", `"1990"`, "birth_year: must be an integer, is a string"},
	{goodUser, "birth_year", `1e400`, "birth_year: must be an integer from 1900 to 2026"},
	{goodUser, "country", long(101), "country: must have 1 to 100 characters, has 101"},
	{goodUser, "currency", `"US"`, "currency: must be 3 letters, as USD"},
	{goodUser, "currency", `"U$D"`, "currency: must be 3 letters, as USD"},
	{goodUser, "gender", long(21), "gender: must have 1 to 20 characters, has 21"},
	{goodUser, "registration_date", `"yesterday"`, "registration_date: must be a date (2023-05-17) or a date-time (2023-05-17T20:00:00Z)"},
	{goodUser, "extra", `[1]`, "extra: must be an object, is an array"},
	{goodUser, "extra", `{"a":"` + strings.Repeat("x", MaxExtra) + `"}`, fmt.Sprintf("extra: must be at most 4096 bytes of JSON, is %d", MaxExtra+8)},
	{goodUser, "version", `0`, ""},
	{goodUser, "version", `9007199254740991`, ""},
	{goodUser, "version", `9007199254740992`, "version: must be an integer from 0 to 9007199254740991"},
	{goodUser, "version", `-1`, "version: must be an integer from 0 to 9007199254740991"},
	{goodUser, "version", `1.5`, "version: must be an integer from 0 to 9007199254740991"},
	{goodUser, "version", `"1"`, "version: must be an integer, is a string"},
	{goodUser, "nickname", `"x"`, "nickname: is not a field of this entity"},
}

var eventBounds = []bound{
	{goodEvent, "end_timestamp", `"2026-05-17"`, "end_timestamp: must not be before begin_timestamp"},
	{goodEvent, "league", long(51), "league: must have 1 to 50 characters, has 51"},
	{goodEvent, "participants", many(51, `"A"`), "participants: must have 0 to 50 elements, has 51"},
	{goodEvent, "participants", `[]`, ""},
	{goodEvent, "participants", `["A",7]`, "participants[1]: must be a string, is a number"},
	{goodEvent, "participants", `["` + strings.Repeat("x", 101) + `"]`, "participants[0]: must have 1 to 100 characters, has 101"},
	{goodEvent, "version", `1`, ""},
	{goodEvent, "version", `-1`, "version: must be an integer from 0 to 9007199254740991"},
	{goodEvent, "status", `"closed"`, "status: must be one of open, suspended, cancelled, finished"},
	{goodEvent, "markets", `[{"market":"1x2"}]`, "markets[0].outcomes: is required"},
	{goodEvent, "markets", `[{"market":"a","outcomes":[{"outcome":"1","odds":0.99}]}]`, "markets[0].outcomes[0].odds: must be a number from 1 to 1000000"},
	{goodEvent, "markets", `[{"market":"a","outcomes":[]},{"market":"a","outcomes":[]}]`, `markets[1].market: must name each market once, "a" stands twice`},
	{goodEvent, "markets", `[{"market":"a","outcomes":[{"outcome":"1","odds":2},{"outcome":"1","odds":2}]}]`, `markets[0].outcomes[1].outcome: must name each outcome once, "1" stands twice`},
}

var couponBounds = []bound{
	{goodCoupon, "stake", `0`, "stake: must be a number above 0 to 1000000000000"},
	{goodCoupon, "stake", `-1`, "stake: must be a number above 0 to 1000000000000"},
	{goodCoupon, "stake", `1e999`, "stake: must be a number above 0 to 1000000000000"},
	{goodCoupon, "stake", `"50"`, "stake: must be a number, is a string"},
	{goodCoupon, "timestamp", `"2026-05-18T12:00:00Z"`, ""},
	{goodCoupon, "timestamp", `"2026-05-18T12:00:01Z"`, "timestamp: must be at most one day ahead of now, 2026-05-17T12:00:00Z"},
	{goodCoupon, "timestamp", `"0001-01-01"`, ""},
	{goodCoupon, "selections", `[]`, "selections: must have 1 to 50 elements, has 0"},
	{goodCoupon, "selections", `{}`, "selections: must be an array, is an object"},
	{goodCoupon, "selections", legs(50), ""},
	{goodCoupon, "selections", legs(51), "selections: must have 1 to 50 elements, has 51"},
	{goodCoupon, "selections", `[{"event_id":"e","odds":2},{"event_id":"e","odds":3}]`, `selections[1]: must name each event and market once, event "e" stands twice`},
	{goodCoupon, "selections", `[{"event_id":"e","odds":2,"market":"a"},{"event_id":"e","odds":3,"market":"b"}]`, ""},
	{goodCoupon, "selections", `[{"event_id":"e"}]`, "selections[0].odds: is required"},
	{goodCoupon, "selections", `[{"event_id":"e","odds":0.5}]`, "selections[0].odds: must be a number from 1 to 1000000"},
	{goodCoupon, "selections", `[{"event_id":"e","odds":2,"price":1}]`, "selections[0].price: is not a field of this entity"},
}

// kinds are the good bodies and what they are.
var kinds = map[string]Kind{goodUser: KindUser, goodEvent: KindEvent, goodCoupon: KindCoupon}

// TestDecode_NamesTheFieldAndTheBound goes through every bound of the contract.
func TestDecode_NamesTheFieldAndTheBound(t *testing.T) {
	for _, c := range slices.Concat(userBounds, eventBounds, couponBounds) {
		_, err := DecodeFact(kinds[c.body], []byte(with(c.body, c.field, c.value)), strict)
		switch {
		case c.fault == "" && err != nil:
			t.Errorf("%s = %.60s: %v, want no fault", c.field, c.value, err)
		case c.fault != "" && (err == nil || err.Error() != c.fault):
			t.Errorf("%s = %.60s: %v, want %q", c.field, c.value, err, c.fault)
		}
	}
}

func TestDecode_RequiresFieldsAndSkipsUnknownOnes(t *testing.T) {
	for body, kind := range kinds {
		var all map[string]any
		if err := json.Unmarshal([]byte(body), &all); err != nil {
			t.Fatal(err)
		}
		for field := range all {
			want := field + ": is required"
			if _, err := DecodeFact(kind, []byte(without(body, field)), loose); err == nil || err.Error() != want {
				t.Errorf("without %s: %v, want %q", field, err, want)
			}
			if _, err := DecodeFact(kind, []byte(with(body, field, "null")), loose); err == nil || err.Error() != want {
				t.Errorf("%s = null: %v, want %q", field, err, want)
			}
		}
		if _, err := DecodeFact(kind, []byte(with(body, "nickname", `{"a":[1]}`)), loose); err != nil {
			t.Errorf("an unknown field on an old route: %v", err)
		}
	}
}

func TestDecode_TellsAllFaultsAtOnce(t *testing.T) {
	_, err := DecodeUser([]byte(`{"user_id":"","birth_year":"x","currency":"EURO","wat":1}`), strict)
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 7 {
		t.Errorf("faults = %v", err)
	}
}

func TestDecode_RefusesWhatIsNotOneObject(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 20_000)
	for _, body := range []string{"", " ", "null", "7", `"x"`, "[]", "{", `{"user_id"`, goodUser + goodUser, goodUser + "x", "{'user_id':1}",
		`{"user_id":"` + "\xff" + `"}`, `{"user_id":"\ud800"}`, `{"user_id":NaN}`, `{"user_id":"a","user_id":"b"}`, deep, strings.Repeat("[", 100_000)} {
		for _, kind := range []Kind{KindUser, KindEvent, KindCoupon} {
			if _, err := DecodeFact(kind, []byte(body), loose); err == nil {
				t.Errorf("DecodeFact(%s, %.40q) took it", kind, body)
			}
		}
		if _, err := DecodeEventPatch([]byte(body), "e", loose); err == nil {
			t.Errorf("DecodeEventPatch(%.40q) took it", body)
		}
	}
}

func TestDecodeEventPatch_WantsTheRoutesEventAndSomeChange(t *testing.T) {
	for body, want := range map[string]string{
		`{"status":"finished"}`:                  "",
		`{"event_id":"e1","result":"1:0"}`:       "",
		`{"event_id":"e2","status":"finished"}`:  `event_id: must be the event of the route, "e1"`,
		`{"begin_timestamp":"0001-01-01"}`:       "begin_timestamp: must be after 0001-01-01T00:00:00Z",
		`{}`:                                     "must change at least one of status, result, markets, begin_timestamp",
		`{"status":"open","version":7}`:          "",
		`{"status":"open","version":-7}`:         "version: must be an integer from 0 to 9007199254740991",
		`{"version":7}`:                          "must change at least one of status, result, markets, begin_timestamp",
		`{"event_id":"e1"}`:                      "must change at least one of status, result, markets, begin_timestamp",
		`{"patch":true,"status":"finished"}`:     "patch: is not a field of this entity",
		`{"status":"finished","league":"other"}`: "league: is not a field of this entity",
	} {
		_, err := DecodeEventPatch([]byte(body), "e1", strict)
		if got := fmt.Sprint(err); (want == "" && err != nil) || (want != "" && got != want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

// written is a fact as it stands on its topic.
func written(f Fact) []byte {
	_, entity := f.Entity()
	value, err := json.Marshal(entity)
	if err != nil {
		panic(err)
	}
	return value
}

// checkWritten holds the JSON that is written by hand against that of reflection.
func checkWritten(t *testing.T, c *Coupon) {
	t.Helper()
	if got, want := c.JSON(), written(Fact{Coupon: c}); string(got) != string(want) {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestCoupon_IsWrittenAsReflectionDoes(t *testing.T) {
	for _, c := range []Coupon{
		{},
		{ID: `a"b\ü<`, UserID: "S\u2028", Stake: MaxStake, Timestamp: now.Add(123456 * time.Microsecond), Selections: []Selection{{EventID: "e"}}},
		{Stake: 1e-7, Timestamp: now.AddDate(-2000, 0, 0), Selections: []Selection{{EventID: "e", Odds: 1.1, Market: "&", Outcome: "o"}, {EventID: "f", Odds: MaxOdds}}},
		{Stake: 1e-6, Extra: []byte(` { "a" : [ 1.0, "\u0041" ] } `)},
		{Stake: 0.1 + 0.2, Extra: []byte(`{}`)},
	} {
		checkWritten(t, &c)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{goodUser, goodEvent, goodCoupon, `{"status":"finished"}`, `{"extra":{"a":[1,{"b":null}]}}`, goodEvent[:len(goodEvent)-1] + `,"markets":[],"extra":{}}`, "[", `{"":1e999}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, kind := range []Kind{KindUser, KindEvent, KindCoupon} {
			f, err := DecodeFact(kind, body, loose)
			if err != nil {
				continue
			}
			again, err := DecodeFact(kind, written(f), loose)
			if err != nil || !reflect.DeepEqual(again, f) {
				t.Errorf("%s %+v read back is %+v, %v", kind, f, again, err)
			}
			if f.Coupon != nil {
				checkWritten(t, f.Coupon)
			}
		}
		_, _ = DecodeEventPatch(body, "e", strict)
	})
}
