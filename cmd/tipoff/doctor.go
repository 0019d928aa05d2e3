package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"

	"tipoff/doctor"
	"tipoff/node"
)

// doctorMode says what is wrong.
type doctorMode struct {
	JSON   bool          `name:"json" help:"Write JSON, for programs."`
	Strict bool          `help:"Let a warning count as wrong."`
	Watch  time.Duration `default:"3s" placeholder:"DURATION" help:"How long groups that have records to read are watched, to see whether they move; 0: not at all (default ${default})."`
	node.Settings
}

func (doctorMode) Help() string {
	return `Looks at the settings, the broker, its topics and groups, the database, the clocks,
the disk and the limits of this machine, and says of each finding what mends it, with
the command. It reads alone: nothing is created or changed. Give it the settings of the
process that you ask about. It works beside processes that run, which are asked what
/readyz says, and on the folder of one that is stopped (TIPOFF_DATA).

The exit status is 0 where nothing is wrong, 2 where something is (with --strict a
warning too), and 3 where something could not be looked at and nothing else is wrong.

  tipoff doctor
  tipoff doctor --json | jq '.checks[] | select(.state != "ok")'`
}

func (m *doctorMode) Run(ctx context.Context, t *terminal) error {
	if m.Watch < 0 || m.Watch > time.Minute {
		return fmt.Errorf("--watch: must be from 0s to 1m, is %s", m.Watch)
	}
	report := doctor.Examine(ctx, &doctor.Options{Settings: m.Settings, Watch: m.Watch})
	if err := ctx.Err(); err != nil {
		return err // what was not reached any more is not wrong
	}
	exit := report.Conclude(m.Strict)
	write := func() error { return report.WriteText(t.out, coloured(t.out)) }
	if m.JSON {
		write = func() error { return report.WriteJSON(t.out) }
	}
	if err := write(); err != nil {
		return err
	}
	if exit != 0 {
		return exitStatus(exit)
	}
	return nil
}

// exitStatus ends the program with a status, after all was said.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// coloured says whether people look on who want colours; see no-color.org.
func coloured(out io.Writer) bool {
	f, is := out.(*os.File)
	return is && isatty.IsTerminal(f.Fd()) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
