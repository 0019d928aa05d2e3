package tipoff

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds that several entities share.
const (
	MaxID   = 50  // characters of a public id, a league, a sport, a market
	MaxName = 100 // characters of a country, a participant, a person's name
)

// User is one bettor of a company, as posted. A newer post replaces it whole.
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
}

// DecodeUser reads a user; the error is [Faults].
func DecodeUser(data []byte, how Reading) (User, error) {
	var u User
	r := newReader(data, how)
	r.object(func(name string) bool {
		switch name {
		case "user_id":
			u.ID = r.id()
		case "birth_year":
			u.BirthYear = int(r.integer(1900, int64(how.Now.Year())))
		case "country":
			u.Country = r.text(MaxName)
		case "currency":
			u.Currency = r.currency()
		case "gender":
			u.Gender = r.text(20)
		case "registration_date":
			u.RegistrationDate = r.time()
		case "name":
			u.Name = r.text(MaxName)
		case "favourite_sport":
			u.FavouriteSport = r.text(MaxID)
		case "favourite_league":
			u.FavouriteLeague = r.text(MaxID)
		case "extra":
			u.Extra = r.extra()
		default:
			return false
		}
		return true
	}, "user_id", "birth_year", "country", "currency", "gender", "registration_date")
	return u, r.finish()
}

// currency reads a code of three letters.
func (r *reader) currency() string {
	before := len(r.faults)
	s := r.text(MaxID)
	if r.broken || len(r.faults) > before {
		return s
	}
	letters := len(s) == 3
	for _, c := range []byte(s) {
		letters = letters && (c|0x20 >= 'a' && c|0x20 <= 'z')
	}
	if !letters {
		r.fault("must be 3 letters, as USD")
	}
	return s
}

// DefaultCompany owns everything where no companies are configured.
const DefaultCompany = "default"
