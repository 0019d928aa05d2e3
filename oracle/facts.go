package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tipoff"
	"tipoff/topics"
)

// Record is one record of a topic.
type Record struct {
	Partition int32
	Offset    int64
	Key       string
	Value     []byte
	Appended  time.Time // by the broker's clock
	Received  time.Time // by the gateway's; zero: not said
}

// Topics are the facts' topics: the records of each partition in their order.
type Topics struct{ Users, Events, Coupons []Record }

// Facts are what a company's facts come to.
type Facts struct {
	Company string
	Users   map[string]*User     // by id
	Events  map[string]*Event    // by id
	Coupons map[string][]*Coupon // that stand, by user, in the order of the topic
	Refused map[string]string    // records that must be rejected: [topics.Rejection.ID] and why
}

// User is a user as the posts leave it.
type User struct {
	Content string // [Canonical]
	Record         // that it was set by
	fields  map[string]any
}

// Event is an event as the posts and changes leave it; the changes alone where it was
// never announced.
type Event struct {
	Announced bool
	Fields    map[string]any // as posted and changed since
	Changes   map[string]any // before it was announced
	Record                   // that came last
}

// Coupon is a coupon that stands.
type Coupon struct {
	tipoff.Coupon
	Content string // [Canonical]
	Counted int64  // Unix seconds: as placed, but not after it was received
}

// Fold reads what the topics hold of a company.
func Fold(company string, from Topics) (*Facts, error) {
	f := &Facts{Company: company, Users: map[string]*User{}, Events: map[string]*Event{}, Coupons: map[string][]*Coupon{}, Refused: map[string]string{}}
	for _, topic := range []struct {
		name, group string
		records     []Record
		add         func(id string, r Record) error
	}{
		{topics.Users, topics.GroupBettors, from.Users, f.addUser},
		{topics.Events, topics.GroupFixtures, from.Events, f.addEvent},
		{topics.Coupons, topics.GroupBettors, from.Coupons, f.addCoupon},
	} {
		for _, r := range topic.records {
			id, ours := strings.CutPrefix(r.Key, company+"/")
			if !ours {
				continue
			}
			if !json.Valid(r.Value) {
				f.refuse(topic.group, topic.name, r, "is not JSON")
			} else if err := topic.add(id, r); err != nil {
				return nil, fmt.Errorf("%s/%d/%d: %w", topic.name, r.Partition, r.Offset, err)
			}
		}
	}
	return f, nil
}

func (f *Facts) refuse(group, topic string, r Record, why string) {
	f.Refused[topics.Rejection{By: group, Topic: topic, Partition: r.Partition, Offset: r.Offset}.ID()] = why
}

func (f *Facts) addUser(id string, r Record) error {
	var fields map[string]any
	if err := json.Unmarshal(r.Value, &fields); err != nil {
		return err
	}
	if stands := f.Users[id]; stands != nil {
		if isOlder(fields, stands.fields) {
			return nil
		}
		keep(fields, stands.fields, "version")
	}
	f.Users[id] = &User{Canonical(fields), r, fields}
	return nil
}

// isOlder says that fields came late: their version is below that of those that stand.
func isOlder(fields, standing map[string]any) bool {
	version, given := fields["version"].(float64)
	stands, known := standing["version"].(float64)
	return given && known && version < stands
}

// keep adds to fields what stands under names that they do not have.
func keep(fields, standing map[string]any, names ...string) {
	for _, name := range names {
		_, named := fields[name]
		if value, stands := standing[name]; stands && !named {
			fields[name] = value
		}
	}
}

func (f *Facts) addEvent(id string, r Record) error {
	var fields map[string]any
	if err := json.Unmarshal(r.Value, &fields); err != nil {
		return err
	}
	e := f.Events[id]
	if e == nil {
		e = &Event{Changes: map[string]any{}}
		f.Events[id] = e
	}
	isRepeat := bytes.Equal(r.Value, e.Value)
	e.Record = r
	isPatch := fields["patch"] == true
	delete(fields, "patch")
	switch {
	case isRepeat: // of what came last
	case !isPatch && e.Announced:
		e.post(fields)
	case !isPatch:
		e.announce(fields)
	case e.Announced:
		e.change(fields)
	case !isOlder(fields, e.Changes):
		maps.Copy(e.Changes, fields)
	}
	return nil
}

// announce sets the event by its first post. The changes before it come after, unless
// the post has a higher version than they.
func (e *Event) announce(fields map[string]any) {
	e.Announced = true
	if isOlder(e.Changes, fields) {
		e.Fields = maps.Clone(e.Changes)
		e.post(fields)
		return
	}
	e.post(fields)
	e.change(e.Changes)
}

// post replaces the event, but for what a post may leave unnamed.
func (e *Event) post(fields map[string]any) {
	if isOlder(fields, e.Fields) {
		return
	}
	keep(fields, e.Fields, "status", "result", "markets", "version")
	keep(fields, map[string]any{"status": tipoff.StatusOpen}, "status")
	e.Fields = fields
}

// change replaces fields. An event that is moved past its end ends when it begins.
func (e *Event) change(fields map[string]any) {
	if isOlder(fields, e.Fields) {
		return
	}
	maps.Copy(e.Fields, fields)
	if _, moved := fields["begin_timestamp"]; moved && e.time("end_timestamp").Before(e.Begin()) {
		e.Fields["end_timestamp"] = e.Fields["begin_timestamp"]
	}
}

func (f *Facts) addCoupon(user string, r Record) error {
	c := &Coupon{Content: Canonical(json.RawMessage(r.Value))}
	if err := json.Unmarshal(r.Value, &c.Coupon); err != nil {
		return err
	}
	stands := slices.IndexFunc(f.Coupons[user], func(other *Coupon) bool { return other.ID == c.ID })
	if stands >= 0 {
		if f.Coupons[user][stands].Content != c.Content {
			f.refuse(topics.GroupBettors, topics.Coupons, r, "differs from the coupon that stands")
		}
		return nil
	}
	received := r.Appended
	if !r.Received.IsZero() && r.Received.Before(received) {
		received = r.Received
	}
	c.Counted = min(c.Timestamp.Unix(), received.Unix())
	f.Coupons[user] = append(f.Coupons[user], c)
	return nil
}

// known is the event, nil while it is not announced.
func (f *Facts) known(event string) *Event {
	if e := f.Events[event]; e != nil && e.Announced {
		return e
	}
	return nil
}

// Open says whether an event may be recommended at a moment.
func (f *Facts) Open(event string, at time.Time) bool {
	e := f.known(event)
	return e != nil && e.Status() == tipoff.StatusOpen && at.Before(e.Begin())
}

// Status is the event's status.
func (e *Event) Status() string { return e.text("status") }

// Begin is when the event begins.
func (e *Event) Begin() time.Time { return e.time("begin_timestamp") }

func (e *Event) text(field string) string {
	text, _ := e.Fields[field].(string)
	return text
}

func (e *Event) time(field string) time.Time {
	at, _ := time.Parse(time.RFC3339, e.text(field))
	return at
}

func (e *Event) participants() (names []string) {
	list, _ := e.Fields["participants"].([]any)
	for _, one := range list {
		names = append(names, one.(string))
	}
	return names
}

// Canonical is a fact as JSON with its names in order, times as numbers and without
// what is empty, so that two forms of the same fact are equal.
func Canonical(fact any) string {
	raw, err := json.Marshal(fact)
	if err != nil {
		panic(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		panic(err)
	}
	delete(fields, "patch")
	for name, value := range fields {
		text, isText := value.(string)
		if list, isList := value.([]any); value == nil || isText && text == "" || isList && len(list) == 0 {
			delete(fields, name)
		} else if at, err := time.Parse(time.RFC3339, text); isText && err == nil {
			fields[name] = at.UnixMicro()
		}
	}
	legs, _ := fields["selections"].([]any)
	for _, leg := range legs {
		maps.DeleteFunc(leg.(map[string]any), func(_ string, value any) bool { return value == "" })
	}
	out, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(out)
}
