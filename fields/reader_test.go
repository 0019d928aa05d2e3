package fields

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// order is an object with a list of objects in it, as a caller reads one.
func order(body string, strict bool) (id string, amounts []int64, err error) {
	r := NewReader([]byte(body), strict)
	r.Object(func(name string) bool {
		switch name {
		case "id":
			id = r.ID()
		case "lines":
			r.List(1, 3, func() {
				r.Object(func(name string) bool {
					if name != "amount" {
						return false
					}
					amounts = append(amounts, r.Integer(1, 9))
					return true
				}, "amount")
			})
		default:
			return false
		}
		return true
	}, "id", "lines")
	return id, amounts, r.End()
}

func TestReader_GathersEveryFaultWithItsPath(t *testing.T) {
	for body, want := range map[string]string{
		`{"id":"a","lines":[{"amount":1}]}`:                  "<nil>",
		`{"id":"a","lines":[{"amount":1}],"more":{"a":[1]}}`: "more: is not a field of this entity",
		`{}`:                     "id: is required; lines: is required",
		`{"id":null,"lines":[]}`: "lines: must have 1 to 3 elements, has 0; id: is required",
		`{"id":7,"lines":[{"amount":1},{"amount":10},{}]}`:         "id: must be a string, is a number; lines[1].amount: must be an integer from 1 to 9; lines[2].amount: is required",
		`{"id":"a","lines":[{"amount":1,"x":2},true]}`:             "lines[0].x: is not a field of this entity; lines[1]: must be an object, is a boolean",
		`{"id":"a","lines":[{"amount":1},{"amount":2}],"lines":0}`: "is not valid JSON: duplicate object member name at byte 46",
		`{"id":"","lines":[{"amount":1`:                            "id: must have 1 to 50 characters, has 0; is not valid JSON: it ends too early",
		`{"id":"a","lines":[{"amount":1}]} {}`:                     "must be one JSON object with nothing after it",
		`[]`:                                                       "must be an object, is an array",
	} {
		if _, _, err := order(body, true); fmt.Sprint(err) != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func TestReader_LeavesOutWhatItIsNotAskedForUnlessStrict(t *testing.T) {
	id, amounts, err := order(`{"x":[{}],"id":"a","lines":[{"y":null,"amount":2.0},{"amount":3,"z":1}]}`, false)
	if err != nil || id != "a" || fmt.Sprint(amounts) != "[2 3]" {
		t.Errorf("%q, %v, %v", id, amounts, err)
	}
}

func TestCheckID_NamesTheBound(t *testing.T) {
	for id, want := range map[string]string{
		"a/b ü": "<nil>", "": "must have 1 to 50 characters, has 0", "\xff": "must be text in UTF-8",
		"a\n": "must not contain control characters", "\u200b": "<nil>",
		" a": "must not begin or end with white space",
	} {
		if err := CheckID(id); fmt.Sprint(err) != want {
			t.Errorf("%q: %v, want %s", id, err, want)
		}
	}
}

func TestCheckVisible_RefusesIDsThatNobodyCanSee(t *testing.T) {
	for id, visible := range map[string]bool{"\u200b": false, "\u200b\ufeff\u00ad": false, "\u200ba": true, "ü": true} {
		if err := CheckVisible(id); (err == nil) != visible {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestReader_ListsTenFaultsAndCountsTheOthers(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"` + strings.Repeat("n", 1000) + `":0`)
	for i := range 2299 {
		fmt.Fprintf(&body, `,"f%d":0`, i)
	}
	body.WriteString(`}`)
	_, _, err := order(body.String(), true)
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != MaxFaults {
		t.Fatalf("%d faults are listed, want %d", len(faults), MaxFaults)
	}
	for i, fault := range faults {
		want := 0
		if i == len(faults)-1 {
			want = 2300 + 2 - MaxFaults // the two required fields are not there either
		}
		if fault.More != want {
			t.Errorf("fault %d stands for %d more, want %d", i, fault.More, want)
		}
	}
	if want := strings.Repeat("n", 50) + "..."; faults[0].Field != want {
		t.Errorf("the field is called %q, want %q", faults[0].Field, want)
	}
	if want := "; f8: is not a field of this entity; and 2292 more faults"; !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want at its end %s", err, want)
	}
}

func TestReader_KeepsNothingOfFieldsItDoesNotKnow(t *testing.T) {
	r := NewReader([]byte(`{"id":1,"a":2,"b":3,"c":4}`), true)
	r.Object(func(name string) bool {
		if name == "c" && len(r.seen) != 1 {
			t.Errorf("%d names are kept, want that of the known field alone", len(r.seen))
		}
		if name != "id" {
			return false
		}
		r.Skip()
		return true
	})
	_ = r.End()
}

// Of a fault that is not listed no message is made: the reading of as many unknown
// fields costs the same, whether they are faults or not.
func TestReader_SpendsNothingOnFaultsThatAreNotListed(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"id":"a"`)
	for i := range 5000 {
		fmt.Fprintf(&body, `,"field%d":0`, i)
	}
	body.WriteString(`}`)
	spent := func(strict bool) float64 {
		return testing.AllocsPerRun(5, func() { _, _, _ = order(body.String(), strict) })
	}
	const some = 1000 // the race detector has pools forget at random; a fault a field would be 5000
	if lenient, strict := spent(false), spent(true); strict > lenient+some {
		t.Errorf("%.0f allocations where unknown fields are faults, %.0f where they are left out", strict, lenient)
	}
}

func TestReader_QuotesNothingOfWhatIsNotJSON(t *testing.T) {
	for body, want := range map[string]string{
		`{"id":secret}`:    "is not valid JSON: invalid character at start of value at byte 6",
		`{"id":"\uD8xyz"}`: "is not valid JSON: invalid escape sequence in string at byte 7",
		`{"id" 'a'}`:       "is not valid JSON: invalid character after object name (expecting ':') at byte 6",
	} {
		if _, _, err := order(body, true); fmt.Sprint(err) != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}
