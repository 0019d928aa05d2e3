package state

import (
	"tipoff"
	"tipoff/wire"
)

// MarshalUser encodes a user as posted, as table values hold him.
func MarshalUser(u *tipoff.User) []byte { return AppendUser(make([]byte, 0, 128), u) }

// AppendUser appends what [MarshalUser] returns.
func AppendUser(to []byte, u *tipoff.User) []byte {
	w := wire.Writer(to)
	writeUser(&w, u)
	return w
}

// UnmarshalUser is the reverse of [MarshalUser].
func UnmarshalUser(b []byte) (tipoff.User, error) {
	r := wire.NewReader(b)
	var u tipoff.User
	readUser(r, TableVersion, &u)
	return u, r.End()
}
