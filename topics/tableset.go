package topics

import (
	"fmt"
	"slices"
	"strings"
)

// TableSet is one filling of the tables: groups, tables and internal topics of its
// own, so that the tables can be filled again beside those that serve.
type TableSet struct {
	Number int `json:"number"` // 0: the first one, whose names have no number
	// Copied says that it reads copies of the facts, on topics of its own, instead of
	// the facts' topics: its partitions are others, or the facts' topics no longer
	// hold all.
	Copied     bool `json:"copied,omitempty"`
	Partitions int  `json:"partitions,omitempty"` // of its topics; 0: as many as the facts have
}

func (b TableSet) name(first string) string {
	if b.Number == 0 {
		return first
	}
	return fmt.Sprintf("%s-%d", first, b.Number)
}

func (b TableSet) facts(public, copied string) string {
	if !b.Copied {
		return public
	}
	return b.name(copied)
}

// Users, Events and Coupons are the topics that the table set reads facts from.
func (b TableSet) Users() string { return b.facts(Users, "tipoff-users") }

// Events is the topic of events and their patches.
func (b TableSet) Events() string { return b.facts(Events, "tipoff-events") }

// Coupons is the topic of coupons.
func (b TableSet) Coupons() string { return b.facts(Coupons, "tipoff-coupons") }

// Facts is what the table set reads in place of one of the facts' topics.
func (b TableSet) Facts(public string) string {
	return map[string]string{Users: b.Users(), Events: b.Events(), Coupons: b.Coupons()}[public]
}

// Public is the reverse of [TableSet.Facts]; other topics stay as they are.
func (b TableSet) Public(topic string) string {
	for _, public := range Facts() {
		if b.Facts(public) == topic {
			return public
		}
	}
	return topic
}

// Selections is the topic of the legs of new coupons.
func (b TableSet) Selections() string { return b.name(Selections) }

// Resolved is the topic of legs with their event's attributes.
func (b TableSet) Resolved() string { return b.name(Resolved) }

// Choices is the topic of new coupons with what was known of their bettor before.
func (b TableSet) Choices() string { return b.name(Choices) }

// Learner is the group of the processor that learns how to rank.
func (b TableSet) Learner() string { return b.name(GroupLearner) }

// Bettors is the group of the processor that keeps the bettors' table.
func (b TableSet) Bettors() string { return b.name(GroupBettors) }

// Fixtures is the group of the processor that keeps the fixtures' table.
func (b TableSet) Fixtures() string { return b.name(GroupFixtures) }

// First is the name that one of the table set's groups has in the first one.
func (b TableSet) First(group string) string {
	if b.Number == 0 {
		return group
	}
	return strings.TrimSuffix(group, fmt.Sprintf("-%d", b.Number))
}

// Copier is the group that copies the facts for a copied table set.
func (b TableSet) Copier() string { return b.name("tipoff-copier") }

// TableBettors is the topic of the bettors' table.
func (b TableSet) TableBettors() string { return b.Bettors() + "-table" }

// TableFixtures is the topic of the fixtures' table.
func (b TableSet) TableFixtures() string { return b.Fixtures() + "-table" }

// TableLearner is the topic of the learner's table.
func (b TableSet) TableLearner() string { return b.Learner() + "-table" }

// LoopFixtures is the topic by which the fixtures' processor writes to itself.
func (b TableSet) LoopFixtures() string { return b.Fixtures() + "-loop" }

// Topics lists the topics that are the table set's alone.
func (b TableSet) Topics() []Topic {
	topics := []Topic{
		{Name: b.Selections(), Partitions: b.Partitions},
		{Name: b.Resolved(), Partitions: b.Partitions},
		{Name: b.LoopFixtures(), Partitions: b.Partitions},
		{Name: b.Choices(), Retention: choicesRetention, Partitions: b.Partitions},
		{Name: b.TableBettors(), Compacted: true, Partitions: b.Partitions},
		{Name: b.TableFixtures(), Compacted: true, Partitions: b.Partitions},
		{Name: b.TableLearner(), Compacted: true, Partitions: b.Partitions},
	}
	if b.Copied {
		topics = append(topics, Topic{Name: b.Users(), Compacted: true, Partitions: b.Partitions},
			Topic{Name: b.Events(), Partitions: b.Partitions}, Topic{Name: b.Coupons(), Partitions: b.Partitions})
	}
	return topics
}

func (b TableSet) String() string {
	said := fmt.Sprintf("table set %d", b.Number)
	if b.Copied {
		said += " from copies of the facts"
	}
	if b.Partitions > 0 {
		said += fmt.Sprintf(" in %d partitions", b.Partitions)
	}
	return said
}

// TableSets says which table sets there are and which one serves: the value of the one
// key of [Control], which every process follows.
type TableSets struct {
	Serving TableSet  `json:"serving"`           // gateways answer from it
	Filling *TableSet `json:"filling,omitempty"` // is being filled beside it
	// Seeding says that the facts of Filling are still being published from the
	// database: nobody works on it before all are there.
	Seeding  bool      `json:"seeding,omitempty"`
	Retiring *TableSet `json:"ending,omitempty"` // served before, and is kept up until the gateways have changed over
	Last     int       `json:"last"`             // highest number in use so far
}

// All lists the table sets that have topics.
func (b TableSets) All() []TableSet {
	all := []TableSet{b.Serving}
	for _, other := range []*TableSet{b.Filling, b.Retiring} {
		if other != nil {
			all = append(all, *other)
		}
	}
	return all
}

// Running lists the table sets that processes work on.
func (b TableSets) Running() []TableSet {
	return slices.DeleteFunc(b.All(), func(one TableSet) bool { return b.Seeding && b.Filling != nil && one == *b.Filling })
}
