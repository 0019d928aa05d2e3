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

func (s TableSet) name(first string) string {
	if s.Number == 0 {
		return first
	}
	return fmt.Sprintf("%s-%d", first, s.Number)
}

func (s TableSet) facts(public, copied string) string {
	if !s.Copied {
		return public
	}
	return s.name(copied)
}

// Users, Events and Coupons are the topics that the table set reads facts from.
func (s TableSet) Users() string { return s.facts(Users, "tipoff-users") }

// Events is the topic of events and their patches.
func (s TableSet) Events() string { return s.facts(Events, "tipoff-events") }

// Coupons is the topic of coupons.
func (s TableSet) Coupons() string { return s.facts(Coupons, "tipoff-coupons") }

// Facts is what the table set reads instead of one of the facts' topics.
func (s TableSet) Facts(public string) string {
	return map[string]string{Users: s.Users(), Events: s.Events(), Coupons: s.Coupons()}[public]
}

// Public is the reverse of [TableSet.Facts]; other topics stay as they are.
func (s TableSet) Public(topic string) string {
	for _, public := range Facts() {
		if s.Facts(public) == topic {
			return public
		}
	}
	return topic
}

// Selections is the topic of the legs of new coupons.
func (s TableSet) Selections() string { return s.name(Selections) }

// Resolved is the topic of legs with their event's attributes.
func (s TableSet) Resolved() string { return s.name(Resolved) }

// Choices is the topic of new coupons for the learner.
func (s TableSet) Choices() string { return s.name(Choices) }

// Learner is the group of the processor that learns how to rank.
func (s TableSet) Learner() string { return s.name(GroupLearner) }

// Bettors is the group of the processor that keeps the bettors' table.
func (s TableSet) Bettors() string { return s.name(GroupBettors) }

// Fixtures is the group of the processor that keeps the fixtures' table.
func (s TableSet) Fixtures() string { return s.name(GroupFixtures) }

// First is the name that one of the table set's groups has in the first one.
func (s TableSet) First(group string) string {
	if s.Number == 0 {
		return group
	}
	return strings.TrimSuffix(group, fmt.Sprintf("-%d", s.Number))
}

// Copier is the group that copies the facts for a copied table set.
func (s TableSet) Copier() string { return s.name("tipoff-copier") }

// Groups lists the groups that work on the table set.
func (s TableSet) Groups() []string {
	groups := []string{s.Bettors(), s.Fixtures(), s.Learner()}
	if s.Copied {
		groups = append(groups, s.Copier())
	}
	return groups
}

// Inputs lists the topics that one of the table set's groups reads, or the sink's.
func (s TableSet) Inputs(group string) []string {
	return map[string][]string{
		s.Bettors():  {s.Users(), s.Coupons(), s.Resolved()},
		s.Fixtures(): {s.Events(), s.Selections(), s.LoopFixtures()},
		s.Learner():  {s.Choices()},
		s.Copier():   Facts(),
		GroupSink:    Facts(),
	}[group]
}

// TableBettors is the topic of the bettors' table.
func (s TableSet) TableBettors() string { return s.Bettors() + "-table" }

// TableFixtures is the topic of the fixtures' table.
func (s TableSet) TableFixtures() string { return s.Fixtures() + "-table" }

// TableLearner is the topic of the learner's table.
func (s TableSet) TableLearner() string { return s.Learner() + "-table" }

// LoopFixtures is the topic by which the fixtures' processor writes to itself.
func (s TableSet) LoopFixtures() string { return s.Fixtures() + "-loop" }

// Topics lists the topics that are the table set's alone.
func (s TableSet) Topics() []Topic {
	topics := []Topic{
		{Name: s.Selections(), Partitions: s.Partitions},
		{Name: s.Resolved(), Partitions: s.Partitions},
		{Name: s.LoopFixtures(), Partitions: s.Partitions},
		{Name: s.Choices(), Retention: choicesRetention, Partitions: s.Partitions},
		{Name: s.TableBettors(), Compacted: true, Partitions: s.Partitions},
		{Name: s.TableFixtures(), Compacted: true, Partitions: s.Partitions},
		{Name: s.TableLearner(), Compacted: true, Partitions: s.Partitions},
	}
	if s.Copied {
		topics = append(topics, Topic{Name: s.Users(), Compacted: true, Partitions: s.Partitions},
			Topic{Name: s.Events(), Partitions: s.Partitions}, Topic{Name: s.Coupons(), Partitions: s.Partitions})
	}
	return topics
}

func (s TableSet) String() string {
	said := fmt.Sprintf("table set %d", s.Number)
	if s.Copied {
		said += " from copies of the facts"
	}
	if s.Partitions > 0 {
		said += fmt.Sprintf(" in %d partitions", s.Partitions)
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
func (s TableSets) All() []TableSet {
	all := []TableSet{s.Serving}
	for _, other := range []*TableSet{s.Filling, s.Retiring} {
		if other != nil {
			all = append(all, *other)
		}
	}
	return all
}

// Running lists the table sets that processes work on.
func (s TableSets) Running() []TableSet {
	return slices.DeleteFunc(s.All(), func(one TableSet) bool { return s.Seeding && s.Filling != nil && one == *s.Filling })
}
