package fields

import "strings"

// Fault is one thing wrong with one posted item.
type Fault struct {
	Index   int    `json:"index"`        // position of the item in the body, from 0
	ID      string `json:"id,omitempty"` // the item's public id, where it could be read
	Field   string `json:"field"`        // path of the field, as "selections[2].odds"; "" for the item as a whole
	Message string `json:"message"`      // what is wrong and what the bound is
}

func (f Fault) String() string {
	if f.Field == "" {
		return f.Message
	}
	return f.Field + ": " + f.Message
}

// Faults is an error that lists everything wrong with one item.
type Faults []Fault

func (f Faults) Error() string {
	said := make([]string, len(f))
	for i, fault := range f {
		said[i] = fault.String()
	}
	return strings.Join(said, "; ")
}
