package main

import (
	"context"

	"tipoff/bench"
	"tipoff/node"
)

// benchMode measures ratios in one run.
type benchMode struct {
	Out string `default:"bench/results.json" placeholder:"FILE" help:"Where to write the results (default ${default})."`
	bench.Options
	node.Database
	node.Kafka
	node.Topics
	node.Ranking
}

func (benchMode) Help() string {
	return `Each row compares Tipoff with a peer that does the least that the same job needs, in
turns on the same machine in the same run, or with a limit. Only the ratios travel
from one machine to another. Kafka is KAFKA_BOOTSTRAP_SERVERS, else a broker in this
process; rows that need MySQL are left out unless DATABASE_URL names one. Both are
used as they would be by a service: topics and tables are created and filled. Use
empty ones.`
}

func (m *benchMode) Run(ctx context.Context, t *terminal) error {
	// Nothing is logged: that would cost both sides, but not alike.
	s := &node.Settings{Database: m.Database, Kafka: m.Kafka, Topics: m.Topics, Ranking: m.Ranking}
	results, err := bench.Run(ctx, s, m.Options, t.errors)
	if err != nil {
		return err
	}
	results.Print(t.out)
	return results.Write(m.Out)
}
