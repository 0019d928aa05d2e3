package fields

import (
	"fmt"
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
		"a\n": "must not contain control characters", " a": "must not begin or end with white space",
	} {
		if err := CheckID(id); fmt.Sprint(err) != want {
			t.Errorf("%q: %v, want %s", id, err, want)
		}
	}
}
