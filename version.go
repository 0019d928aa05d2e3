package tipoff

import (
	"strconv"

	"github.com/go-json-experiment/json"

	"tipoff/fields"
)

// MaxVersion is the highest version of a user or an event: integers up to it are
// kept exactly by every reader of JSON.
const MaxVersion = 1<<53 - 1

// Version orders what is posted of one user or of one event, for companies whose
// posts may overtake each other. The zero value is none.
type Version struct {
	Given  bool
	Number int64 // 0 to [MaxVersion]
}

// VersionOf returns the version n.
func VersionOf(n int64) Version { return Version{Given: true, Number: n} }

// OlderThan says that v must not undo what stands under the version standing: both are
// given, and v is the lower one.
func (v Version) OlderThan(standing Version) bool {
	return v.Given && standing.Given && v.Number < standing.Number
}

// Or returns v, or standing where v is none.
func (v Version) Or(standing Version) Version {
	if v.Given {
		return v
	}
	return standing
}

// MarshalJSON writes the number; none is null, where it is not left out.
func (v Version) MarshalJSON() ([]byte, error) {
	if !v.Given {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, v.Number, 10), nil
}

// UnmarshalJSON is the reverse of MarshalJSON.
func (v *Version) UnmarshalJSON(text []byte) error {
	var n *int64
	if err := json.Unmarshal(text, &n); err != nil {
		return err
	}
	if *v = (Version{}); n != nil {
		*v = VersionOf(*n)
	}
	return nil
}

func readVersion(r *fields.Reader) Version { return VersionOf(r.Integer(0, MaxVersion)) }
