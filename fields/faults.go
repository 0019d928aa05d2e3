package fields

import (
	"fmt"
	"strings"
)

// MaxFaults is how many faults of one item are listed; of the others it is told how
// many they are.
const MaxFaults = 10

// Fault is one thing wrong with one posted item.
type Fault struct {
	Index   int    `json:"index"`         // position of the item in the body, from 0
	ID      string `json:"id,omitempty"`  // the item's public id, where it could be read
	Field   string `json:"field"`         // path of the field, as "selections[2].odds"; "" for the item as a whole
	Message string `json:"message"`       // what is wrong and what the bound is
	More    int    `json:"more,omitzero"` // further faults of the item that are not listed; on the last one of an item
}

func (f Fault) String() string {
	if f.Field == "" {
		return f.Message
	}
	return f.Field + ": " + f.Message
}

// Faults is an error that lists what is wrong with one item: the first [MaxFaults],
// the last of which says how many more there are.
type Faults []Fault

func (f Faults) Error() string {
	said := make([]string, len(f), len(f)+1)
	for i, fault := range f {
		said[i] = fault.String()
	}
	if more := f.Count() - len(f); more > 0 {
		said = append(said, fmt.Sprintf("and %d more faults", more))
	}
	return strings.Join(said, "; ")
}

// Count returns how many faults there are, those that are not listed too.
func (f Faults) Count() int {
	n := len(f)
	for i := range f {
		n += f[i].More
	}
	return n
}

// Add adds a fault, or counts it as one more if [MaxFaults] are listed already. Its
// field and message are asked for only when it is listed.
func (f *Faults) Add(describe func() (field, message string)) {
	if n := len(*f); n >= MaxFaults {
		(*f)[n-1].More++
		return
	}
	field, message := describe()
	*f = append(*f, Fault{Field: field, Message: message})
}
