package main

import (
	"context"

	"tipoff/generator"
	"tipoff/node"
)

// runMode runs everything in one process.
type runMode struct {
	Demo bool `help:"When nothing is there yet, simulate a sportsbook; then keep a trickle of live bets going."`
	Open bool `default:"true" negatable:"" help:"With --demo: open the console in the browser, where there is a desktop and a person at the terminal."`
	node.Settings
}

func (runMode) Help() string {
	return `Gateway, processors, learner and sink in one process. Without KAFKA_BOOTSTRAP_SERVERS the
broker is in the process too and keeps its log under TIPOFF_DATA; without
DATABASE_URL the database is SQLite there. What was acknowledged survives a restart
and the death of the process.`
}

func (m *runMode) Run(ctx context.Context, t *terminal) error {
	m.Log, m.Requests = m.Logger(t.errors), m.RequestLogger(t.out)
	outlastTerminal()
	n, err := node.Start(ctx, &m.Settings, node.AllRoles...)
	if err != nil {
		return err
	}
	if err := n.Ready(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil
		}
		return n.Stop(err)
	}
	m.Log.Info("ready", "address", n.URL())
	if m.Demo {
		client, held := &generator.Client{URL: n.URL(), Key: m.APIKey}, ""
		if len(n.Views().Sizes()) > 0 {
			held = m.Data
		}
		if m.Open && !m.HideDocs {
			openPage(t.out, n.URL()+"/console")
		}
		n.Go("demo", func(ctx context.Context) error { return generator.Demo(ctx, client, held, t.out, t.errors) })
	}
	return n.Stop(n.Wait(ctx))
}
