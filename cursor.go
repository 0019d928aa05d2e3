package tipoff

import (
	"encoding/base64"
	"strings"
	"time"
)

// EventCursor is where a page of events ended: pages go by beginning, then id.
type EventCursor struct {
	Begin time.Time
	ID    string // "": the first page
}

// Precedes says whether e comes after the cursor.
func (c EventCursor) Precedes(e *Event) bool {
	return c.ID == "" || e.Begin.After(c.Begin) || (e.Begin.Equal(c.Begin) && e.ID > c.ID)
}

// EventCursorAfter is the cursor of a page whose last event is e.
func EventCursorAfter(e *Event) string { return encodeCursor(e.Begin, e.ID) }

// ParseEventCursor reads a cursor; "" is the first page.
func ParseEventCursor(s string) (EventCursor, error) {
	at, id, err := decodeCursor(s)
	return EventCursor{at, id}, err
}

// CouponCursor is where a page of a user's coupons ended: the newest come first.
type CouponCursor struct {
	Timestamp time.Time
	ID        string // "": the first page
}

// CouponCursorAfter is the cursor of a page whose last coupon is c.
func CouponCursorAfter(c *Coupon) string { return encodeCursor(c.Timestamp, c.ID) }

// ParseCouponCursor reads a cursor; "" is the first page.
func ParseCouponCursor(s string) (CouponCursor, error) {
	at, id, err := decodeCursor(s)
	return CouponCursor{at, id}, err
}

func encodeCursor(at time.Time, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(at.UTC().Format(time.RFC3339Nano) + " " + id))
}

func decodeCursor(s string) (time.Time, string, error) {
	if s == "" {
		return time.Time{}, "", nil
	}
	bad := Faults{{Field: "cursor", Message: "must be a cursor of an earlier page, as it came"}}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return time.Time{}, "", bad
	}
	when, id, _ := strings.Cut(string(b), " ")
	at, err := time.Parse(time.RFC3339Nano, when)
	if err != nil || id == "" {
		return time.Time{}, "", bad
	}
	return at, id, nil
}
