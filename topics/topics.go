// Package topics names everything of Kafka once: topics, groups and tables, keys and
// the partitions that they decide, what a record and its headers hold, and the table
// sets whose names have numbers.
//
// It knows no client of Kafka; what connects to one is in broker. Other programs read
// and write these topics too, so a change here is a change of the public contract.
package topics

import (
	"bytes"
	"hash"
	"hash/fnv"
	"strings"
	"time"
)

// Every Kafka name of the system, once; of the names of a [TableSet], those of the
// first one. The fact topics keep the names that the
// old service gave them; what is ours alone begins with "tipoff-". goka derives
// the names of a group's table and loop from the group's.
const (
	Users    = "user_topic"   // key: company and user; compacted
	Events   = "event_topic"  // key: company and event; events and their patches
	Coupons  = "coupon_topic" // key: company and user
	Rejected = "tipoff-rejected"
	Control  = "tipoff-control" // which table sets there are; see [TableSets]

	Selections = "tipoff-selections" // legs of new coupons; key: company and event
	Resolved   = "tipoff-resolved"   // legs with their event's attributes; key: company and user
	Choices    = "tipoff-choices"    // new coupons, for the learner; key: company and [ModelID]

	GroupBettors  = "tipoff-bettors"
	GroupFixtures = "tipoff-fixtures"
	GroupLearner  = "tipoff-learner"
	GroupSink     = "tipoff-sink"

	TableBettors  = GroupBettors + "-table"
	TableFixtures = GroupFixtures + "-table"
	TableLearner  = GroupLearner + "-table"
	LoopFixtures  = GroupFixtures + "-loop"
)

// ModelID is the second part of the key of what is learnt for a company: it has one
// model.
const ModelID = "model"

// choicesRetention is how long choices are kept: what is older teaches little of what
// bettors want now, and each holds a bettor's state.
const choicesRetention = 24 * time.Hour

// Topic is how one topic is kept.
type Topic struct {
	Name      string
	Compacted bool // the newest value of each key is kept for ever; else Retention applies
	// Retention is how long records are kept where it is less than the settings say;
	// 0: as they say.
	Retention time.Duration
	// Partitions is 0 where they are as many as the settings say: topics that a group
	// joins by key have equally many.
	Partitions int
}

// Facts lists the topics of what clients post.
func Facts() []string { return []string{Users, Events, Coupons} }

// Shared lists the topics that are there whatever table sets there are.
func Shared() []Topic {
	return []Topic{
		{Name: Users, Compacted: true},
		{Name: Events},
		{Name: Coupons},
		{Name: Rejected},
		{Name: Control, Compacted: true, Partitions: 1},
	}
}

// All lists every topic of a system that was never rebuilt.
func All() []Topic { return append(Shared(), TableSet{}.Topics()...) }

// Key is the record key of a company's user or event. A company's name has no
// slash, so the first one ends it.
func Key(company, id string) string { return company + "/" + id }

// SplitKey is the reverse of [Key]; ok is false for a key that is not one.
func SplitKey(key string) (company, id string, ok bool) {
	company, id, ok = strings.Cut(key, "/")
	return company, id, ok && company != "" && id != ""
}

// partSeparator ends the part of a key that decides its partition. Ids hold no
// control characters, so it cannot stand in one.
const partSeparator = "\x1f"

// PartKey is a key that lives in the partition of key, for state that belongs to
// it but does not fit into its value.
func PartKey(key, part string) string { return key + partSeparator + part }

// SplitPartKey is the reverse of [PartKey]; ok is false for a plain key.
func SplitPartKey(key string) (whole, part string, ok bool) {
	return strings.Cut(key, partSeparator)
}

// NewKeyHash is the one partitioner's hash: FNV-1a of the key up to its part.
// Producers outside the system that hash otherwise would put a user's records
// into a partition where nobody looks for them.
func NewKeyHash() hash.Hash32 { return keyHash{fnv.New32a()} }

type keyHash struct{ hash.Hash32 }

func (h keyHash) Write(key []byte) (int, error) {
	_, err := h.Hash32.Write(deciding(key))
	return len(key), err
}

// deciding is the part of a key that decides its partition.
func deciding(key []byte) []byte {
	if at := bytes.IndexByte(key, partSeparator[0]); at >= 0 {
		return key[:at]
	}
	return key
}

// FNV-1a of 32 bits, as hash/fnv calculates it.
const fnvOffset, fnvPrime = 2166136261, 16777619

// PartitionOf is the partition of a key in a topic that has so many, as every producer
// of ours calculates it.
func PartitionOf(key []byte, partitions int) int {
	hash := uint32(fnvOffset)
	for _, b := range deciding(key) {
		hash = (hash ^ uint32(b)) * fnvPrime
	}
	p := int(int32(hash)) % partitions
	if p < 0 {
		p = -p
	}
	return p
}

// Record is a fact on its way to the broker.
type Record struct {
	Topic    string
	Key      string
	Value    []byte
	Received time.Time // by the gateway
	Origin   Origin    // of a copy
	Events   string    // see [HeaderEvents]
}
