package tipoff

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tipoff/fields"
)

// Bounds that several entities share.
const (
	MaxExtra = fields.MaxExtra // bytes of the free object
	MaxID    = fields.MaxID    // characters of a public id, a league, a sport, a market
	MaxName  = 100             // characters of a country, a participant, a person's name
)

// User is one bettor of a company, as posted. A later post replaces it whole, but for
// a version that it does not name; see [User.Replace].
type User struct {
	ID               string         `json:"user_id"`
	BirthYear        int            `json:"birth_year"`
	Country          string         `json:"country"`
	Currency         string         `json:"currency"`
	Gender           string         `json:"gender"`
	RegistrationDate time.Time      `json:"registration_date"`
	Name             string         `json:"name,omitempty"`
	FavouriteSport   string         `json:"favourite_sport,omitempty"`
	FavouriteLeague  string         `json:"favourite_league,omitempty"`
	Extra            jsontext.Value `json:"extra,omitzero"`
	Version          Version        `json:"version,omitzero"`
}

// Replace sets u to a later post of the same user. One of an older version changes
// nothing.
func (u *User) Replace(later User) {
	if later.Version.OlderThan(u.Version) {
		return
	}
	later.Version = later.Version.Or(u.Version)
	*u = later
}

// DecodeUser reads a user; the error is [Faults].
func DecodeUser(data []byte, how Reading) (User, error) {
	var u User
	r := fields.NewReader(data, how.Strict)
	r.Object(func(name string) bool {
		switch name {
		case "user_id":
			u.ID = r.ID()
		case "birth_year":
			u.BirthYear = int(r.Integer(1900, int64(how.Now.Year())))
		case "country":
			u.Country = r.Text(MaxName)
		case "currency":
			u.Currency = readCurrency(r)
		case "gender":
			u.Gender = r.Text(20)
		case "registration_date":
			u.RegistrationDate = r.Time()
		case "name":
			u.Name = r.Text(MaxName)
		case "favourite_sport":
			u.FavouriteSport = r.Text(MaxID)
		case "favourite_league":
			u.FavouriteLeague = r.Text(MaxID)
		case "extra":
			u.Extra = r.Extra()
		case "version":
			u.Version = readVersion(r)
		default:
			return false
		}
		return true
	}, "user_id", "birth_year", "country", "currency", "gender", "registration_date")
	return u, r.End()
}

// readCurrency reads a code of three letters.
func readCurrency(r *fields.Reader) string {
	before := r.Faults()
	s := r.Text(MaxID)
	if r.Faults() > before {
		return s
	}
	letters := len(s) == 3
	for _, c := range []byte(s) {
		letters = letters && (c|0x20 >= 'a' && c|0x20 <= 'z')
	}
	if !letters {
		r.Fault("must be 3 letters, as USD")
	}
	return s
}

// DefaultCompany owns everything where no companies are configured.
const DefaultCompany = "default"
