package state

import (
	"fmt"

	"tipoff/wire"
)

// TableVersion is that of every table value which this program writes. Older ones are
// read, newer ones are refused, never misread. Since 4 the learner's grades have those of
// popularity beside them; bettors, fixtures and chunks are as in 3.
const TableVersion = 4

// Epoch is the ownership under which a table value was written; see
// [Bettor.Epoch]. It stands first in all of them.
func Epoch(value []byte) uint64 {
	r := wire.NewReader(value)
	r.Byte()
	return r.Uint()
}

// CheckVersion refuses a table value of a version that this program does not know,
// as a newer one may have written it.
func CheckVersion(value []byte) error {
	switch {
	case len(value) == 0:
		return wire.ErrUnreadable
	case value[0] > TableVersion:
		return fmt.Errorf("it is of version %d, which this program does not know: deploy the newer program that wrote it, or fill the tables again with tipoff rebuild", value[0])
	case value[0] == 0:
		return wire.ErrUnreadable
	}
	return nil
}
