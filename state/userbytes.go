package state

import (
	"tipoff"
	"tipoff/wire"
)

// MarshalUser encodes a user as posted, as table values hold him.
func MarshalUser(u *tipoff.User) []byte {
	w := make(wire.Writer, 0, 128)
	writeUser(&w, u)
	return w
}

// UnmarshalUser is the reverse of [MarshalUser].
func UnmarshalUser(b []byte) (tipoff.User, error) {
	r := wire.NewReader(b)
	u := readUser(r, TableVersion)
	return u, r.End()
}
