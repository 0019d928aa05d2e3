// Package tipoff is the language of the whole system: users, events, coupons
// and recommendations as the public API speaks of them, their validation, and the
// kinds of error.
//
// What arrives here is bytes that somebody posted or that a topic carries; what
// leaves is a value that holds every bound of the contract, or faults that name
// each field and the bound it broke. The package imports nothing of ours and
// knows no clock, no Kafka, no HTTP and no SQL.
package tipoff
