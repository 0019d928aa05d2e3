package main

import (
	"context"

	"tipoff/bench"
	"tipoff/node"
)

// benchMode measures ratios in one run.
type benchMode struct {
	Out string `placeholder:"FILE" help:"Where to write the results (default: bench/results.json of all rows, nowhere of some or small ones)."`
	bench.Options
	node.Database
	node.Kafka
	node.Topics
	node.Ranking
}

func (benchMode) Help() string {
	return `Each row compares Tipoff with what does the least that the same job needs, in turns
on the same machine in the same run, or with a limit. Only the ratios travel from one
machine to another; each has a number to reach, and a list at the end says which are
not. Kafka is KAFKA_BOOTSTRAP_SERVERS, else a broker in this process; what needs MySQL
is left out unless DATABASE_URL names one. Both are used as they would be by a service:
topics and tables are created and filled. Use empty ones.

  tipoff bench lookup --rounds 3             one row
  tipoff bench lookup kept --profile prof    two, with profiles
  tipoff bench --small                       everything, smaller, for a quick look`
}

func (m *benchMode) Run(ctx context.Context, t *terminal) error {
	// Nothing is logged: that would cost both sides, but not alike.
	s := &node.Settings{Database: m.Database, Kafka: m.Kafka, Topics: m.Topics, Ranking: m.Ranking}
	results, err := bench.Run(ctx, s, m.Options, t.errors)
	if results == nil {
		return err
	}
	results.Print(t.out) // what was measured before a row failed, too
	if err != nil {
		return err
	}
	if m.Out == "" && len(m.Names) == 0 && m.Only == "" && !m.Small {
		m.Out = "bench/results.json"
	}
	if m.Out == "" {
		return nil
	}
	return results.Write(m.Out)
}
