package evaluate

import (
	"time"

	"tipoff"
)

// Log is a recorded stream of one company.
type Log struct {
	Name    string
	Facts   []Fact // by time
	Coupons int    // how many of the facts are coupons
}

// Fact is one entry of a log: a user, an event or a coupon.
type Fact struct {
	At     time.Time
	User   *tipoff.User
	Event  *tipoff.Event
	Coupon *tipoff.Coupon
}

// Add appends a fact.
func (l *Log) Add(f Fact) {
	l.Facts = append(l.Facts, f)
	if f.Coupon != nil {
		l.Coupons++
	}
}
