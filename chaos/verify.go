package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"

	"tipoff/oracle"
	"tipoff/topics"
)

// verify compares the whole quiet system with the ledger and with the facts on the
// topics, which it returns.
func (h *harness) verify(ctx context.Context) (*oracle.Facts, error) {
	client, err := h.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	for _, t := range []*tape{&h.users, &h.events, &h.coupons, &h.rejections} {
		if _, err := t.read(client); err != nil {
			return nil, err
		}
	}
	facts, err := oracle.Fold(company, oracle.Topics{Users: h.users.records, Events: h.events.records, Coupons: h.coupons.records})
	if err != nil {
		return nil, err
	}
	h.verifyLedger()
	h.verifyRejections(facts)
	if err := h.verifyDatabase(ctx, facts); err != nil {
		return nil, err
	}
	return facts, h.verifyTables(ctx, client, facts)
}

// posted is what the ledger knows a record by.
type posted struct{ entity, tag, content string }

func postedUser(r oracle.Record) posted {
	var u struct{ Name string }
	_ = json.Unmarshal(r.Value, &u)
	return posted{strings.TrimPrefix(r.Key, company+"/"), u.Name, contentOf(r)}
}

func postedEvent(r oracle.Record) posted {
	var e struct {
		Patch  bool
		Result string
		Extra  struct{ V string }
	}
	_ = json.Unmarshal(r.Value, &e)
	tag := e.Extra.V
	if e.Patch {
		tag = e.Result
	}
	return posted{strings.TrimPrefix(r.Key, company+"/"), tag, contentOf(r)}
}

func postedCoupon(r oracle.Record) posted {
	var c struct {
		User string `json:"user_id"`
		ID   string `json:"coupon_id"`
	}
	_ = json.Unmarshal(r.Value, &c)
	content := contentOf(r)
	return posted{c.User + "/" + c.ID, tagOf(content), content}
}

func contentOf(r oracle.Record) string { return oracle.Canonical(json.RawMessage(r.Value)) }

// verifyLedger: what was accepted stands on its topic, what was refused does not,
// nothing stands there that nobody posted, and versions that were posted one after
// the other's response stand in that order.
func (h *harness) verifyLedger() {
	standing := map[*entry]bool{}
	h.verifyTopic(&h.users, postedUser, standing)
	h.verifyTopic(&h.events, postedEvent, standing)
	h.verifyTopic(&h.coupons, postedCoupon, standing)
	for _, e := range h.ledger.all() {
		if e.verdict == accepted && !standing[e] {
			h.lost("accepted, and not on topic %s: %s %s", e.topic, e.entity, e.tag)
		}
	}
}

// verifyTopic compares one topic with the ledger, and notes which entries stand.
func (h *harness) verifyTopic(t *tape, identify func(oracle.Record) posted, standing map[*entry]bool) {
	latest := map[string]int{} // the newest version of each entity so far
	for _, r := range t.records {
		if isPoison(r) {
			continue
		}
		is, position := identify(r), fmt.Sprintf("%s/%d/%d", t.topic, r.Partition, r.Offset)
		e := h.ledger.find(t.topic, is.entity, is.tag)
		switch {
		case e == nil:
			h.wrong("%s: nobody posted %s %s", position, is.entity, is.tag)
			continue
		case e.verdict == refused:
			h.wrong("%s: %s %s was refused, and stands on the topic", position, is.entity, is.tag)
		case e.content != is.content:
			h.wrong("%s: %s\n  posted   %s\n  on topic %s", position, is.entity, e.content, is.content)
		}
		if before := latest[is.entity]; !standing[e] && !e.doubt && t.topic != topics.Coupons && e.number < before {
			h.wrong("%s: version %d of %s comes after version %d", position, e.number, is.entity, before)
		}
		standing[e] = true
		latest[is.entity] = max(latest[is.entity], e.number)
	}
}

// verifyRejections: the dead letters are those that must be, no less and no more.
func (h *harness) verifyRejections(facts *oracle.Facts) {
	var values [][]byte
	for _, r := range h.rejections.records {
		values = append(values, r.Value)
	}
	for _, d := range facts.CompareRejections(values) {
		h.found(d)
	}
}

// verifyTables: the newest value of every key holds what the facts come to. A value
// that a former owner wrote is written again shortly, so the tables get some time.
func (h *harness) verifyTables(ctx context.Context, client sarama.Client, facts *oracle.Facts) error {
	within, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var differences []oracle.Difference
	var failed error
	_ = eventually(within, "tables", func() error {
		if failed = h.readTables(client); failed != nil {
			return failed
		}
		if differences = facts.CompareTables(h.tables); len(differences) > 0 {
			return fmt.Errorf("%d differences", len(differences))
		}
		return nil
	})
	for _, d := range differences {
		h.found(d)
	}
	return failed
}

// readTables keeps the newest value of each key of the tables.
func (h *harness) readTables(client sarama.Client) error {
	for t, newest := range map[*tape]map[string][]byte{&h.bettors: h.tables.Bettors, &h.fixtures: h.tables.Fixtures} {
		fresh, err := t.read(client)
		if err != nil {
			return err
		}
		t.records = nil
		for _, r := range fresh {
			newest[r.Key] = r.Value
		}
	}
	return nil
}
