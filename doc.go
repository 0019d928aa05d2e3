// Package tipoff is the language of the whole system: users, events, coupons
// and recommendations as the public API speaks of them, their validation, and the
// kinds of error.
//
// What arrives here is bytes that somebody posted or that a topic carries; what
// leaves is a value within every bound of the contract, or faults that name each
// field and the bound it broke. How a body is walked is in package fields, the
// only one of ours that this imports. It knows no clock, no Kafka, no HTTP and no
// SQL.
package tipoff
