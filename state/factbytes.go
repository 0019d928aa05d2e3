package state

import (
	"slices"

	"tipoff"
	"tipoff/wire"
)

func writeUser(w *wire.Writer, user *tipoff.User) {
	w.Text(user.ID)
	w.Uint(uint64(user.BirthYear))
	for _, s := range []string{user.Country, user.Currency, user.Gender, user.Name, user.FavouriteSport, user.FavouriteLeague} {
		w.Text(s)
	}
	w.Time(user.RegistrationDate)
	w.Raw(user.Extra)
	writeVersion(w, user.Version)
}

// readUser reads a user out of a value of a version of [TableVersion], over what u was.
func readUser(r *wire.Reader, of byte, u *tipoff.User) {
	readText(r, &u.ID)
	u.BirthYear = int(r.Uint())
	for _, s := range []*string{&u.Country, &u.Currency, &u.Gender, &u.Name, &u.FavouriteSport, &u.FavouriteLeague} {
		readText(r, s)
	}
	u.RegistrationDate = r.Time()
	u.Extra = readExtra(r)
	u.Version = readVersion(r, of)
}

// readText reads a text, and copies it only where it is not what s was.
func readText(r *wire.Reader, s *string) {
	if text := r.Raw(); string(text) != *s {
		*s = string(text)
	}
}

// writeVersion writes 0 for none, else one more than the number.
func writeVersion(w *wire.Writer, v tipoff.Version) {
	if v.Given {
		w.Uint(uint64(v.Number) + 1)
	} else {
		w.Uint(0)
	}
}

func readVersion(r *wire.Reader, of byte) (v tipoff.Version) {
	if of < 3 { // which had none
		return v
	}
	n := r.Uint()
	r.Require(n <= tipoff.MaxVersion+1)
	if n > 0 {
		v = tipoff.VersionOf(int64(n - 1))
	}
	return v
}

func readExtra(r *wire.Reader) []byte {
	if b := r.Raw(); len(b) > 0 {
		return slices.Clone(b)
	}
	return nil
}

func writeEvent(w *wire.Writer, e *tipoff.Event) {
	for _, s := range []string{e.ID, e.Country, e.League, e.Sport, e.Home, e.Away, e.Status, e.Result} {
		w.Text(s)
	}
	w.Time(e.Begin)
	w.Time(e.End)
	w.Uint(uint64(len(e.Participants)))
	for _, p := range e.Participants {
		w.Text(p)
	}
	writeMarkets(w, e.Markets)
	w.Raw(e.Extra)
	writeVersion(w, e.Version)
}

// readEvent reads an event out of a value of a version of [TableVersion].
func readEvent(r *wire.Reader, of byte) tipoff.Event {
	e := tipoff.Event{
		ID: r.Text(), Country: r.Text(), League: r.Text(), Sport: r.Text(), Home: r.Text(), Away: r.Text(),
		Status: r.Text(), Result: r.Text(), Begin: r.Time(), End: r.Time(), Participants: []string{},
	}
	for range r.Count(1) {
		e.Participants = append(e.Participants, r.Text())
	}
	e.Markets = readMarkets(r)
	e.Extra = readExtra(r)
	e.Version = readVersion(r, of)
	return e
}

func writeMarkets(w *wire.Writer, markets []tipoff.Market) {
	w.Uint(uint64(len(markets)))
	for _, m := range markets {
		w.Text(m.Market)
		w.Uint(uint64(len(m.Outcomes)))
		for _, o := range m.Outcomes {
			w.Text(o.Outcome)
			w.Float(o.Odds)
		}
	}
}

func readMarkets(r *wire.Reader) []tipoff.Market {
	var markets []tipoff.Market
	for range r.Count(2) {
		m := tipoff.Market{Market: r.Text(), Outcomes: []tipoff.Outcome{}}
		for range r.Count(9) {
			m.Outcomes = append(m.Outcomes, tipoff.Outcome{Outcome: r.Text(), Odds: r.Float()})
		}
		markets = append(markets, m)
	}
	return markets
}

func writePatch(w *wire.Writer, p *tipoff.EventPatch) {
	w.Text(p.ID)
	w.Text(p.Status)
	w.Text(p.Result)
	w.Flag(p.Markets != nil)
	if p.Markets != nil {
		writeMarkets(w, p.Markets)
	}
	w.Time(p.Begin)
	writeVersion(w, p.Version)
}

// readPatch reads a patch out of a value of a version of [TableVersion].
func readPatch(r *wire.Reader, of byte) tipoff.EventPatch {
	p := tipoff.EventPatch{ID: r.Text(), Status: r.Text(), Result: r.Text()}
	if r.Flag() {
		if p.Markets = readMarkets(r); p.Markets == nil {
			p.Markets = []tipoff.Market{}
		}
	}
	p.Begin = r.Time()
	p.Version = readVersion(r, of)
	return p
}
