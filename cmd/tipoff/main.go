// Tipoff recommends sports events to bettors while they bet.
//
// With no arguments it runs everything in this process, on an embedded broker and
// SQLite. `tipoff --help` lists the other modes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/joho/godotenv"

	"tipoff/bench"
	"tipoff/evaluate"
)

// terminal is where a mode speaks to people.
type terminal struct{ out, errors io.Writer }

// cli is the command line: a mode. Each has the settings that it uses; all of them
// may also be in the environment or in .env.
type cli struct {
	Run        runMode        `cmd:"" default:"withargs" help:"Run everything in this process (the default)."`
	API        apiMode        `cmd:"" name:"api" help:"Run a gateway: takes posts, answers recommendations. Any one answers for any user."`
	Processors processorsMode `cmd:"" help:"Run the processors that learn. Several share the partitions."`
	Learner    learnerMode    `cmd:"" help:"Run the learner, which finds out how to rank. A second one stands by."`
	Sink       sinkMode       `cmd:"" help:"Run the mirror into the database. Several share the partitions."`
	Generate   generateMode   `cmd:"" help:"Post simulated data to a running Tipoff."`
	Replay     replayMode     `cmd:"" help:"Post a recorded log to a running Tipoff."`
	Evaluate   evaluateMode   `cmd:"" help:"Measure rankers on recorded logs."`
	Health     healthMode     `cmd:"" help:"Ask a running Tipoff whether it is ready."`
	Doctor     doctorMode     `cmd:"" help:"Say what is wrong, and the command that mends it."`
	Bench      benchMode      `cmd:"" help:"Measure ratios against limits and peers."`
	Rejected   rejectedMode   `cmd:"" help:"List the records that could not be used, or publish them again."`
	Topics     topicsMode     `cmd:"" help:"Create the topics, or say how they differ from the settings."`
	Rebuild    rebuildMode    `cmd:"" help:"Fill the tables again, beside those that serve, and change over."`
	Migrate    migrateMode    `cmd:"" help:"Make the database's schema the newest one."`
	Completion completionMode `cmd:"" help:"Write what a shell needs to complete commands."`
	Man        manMode        `cmd:"" help:"Write the manual page."`
	Complete   completeMode   `cmd:"" hidden:"" help:"Say what a command line may go on with."`
	Version    versionMode    `cmd:"" help:"Say which program this is."`
}

const description = `Recommends sports events to bettors while they bet.

Users, events and coupons come in over HTTP; Kafka carries them; what a bettor bets
on changes what the same bettor is shown milliseconds later; a database mirrors
everything for analysts.

With no arguments everything runs in this process, on an embedded broker and SQLite
under ./data: for a laptop, a demo, tests and one small node. With
KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL set the same program runs on Apache Kafka
and MySQL, whole or one role a process, on as many machines as there are partitions.

"tipoff MODE --help" lists the settings of a mode. Each is also an environment variable,
in .env too: see template.env.`

func main() {
	os.Exit(mainWith(os.Args[1:], os.Stdout, os.Stderr))
}

// mainWith is main with its surroundings; it returns the exit status.
func mainWith(args []string, out, errors io.Writer) int {
	if err := godotenv.Load(); err != nil && !os.IsNotExist(err) {
		fmt.Fprintf(errors, "tipoff: .env: %v\n", err)
		return 1
	}
	forgetEmpty()
	ctx, stop := untilSignal()
	defer stop()
	return statusOf(run(ctx, args, out, errors), errors)
}

// statusOf is the exit status of an error, which is said unless all was said already.
func statusOf(err error, out io.Writer) int {
	var status exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	fmt.Fprintf(out, "tipoff: %v\n", err)
	return 1
}

// forgetEmpty makes an environment variable that is set to nothing count as not
// set, as people expect of "NAME=" in .env and in docker compose.
func forgetEmpty() {
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); value == "" {
			_ = os.Unsetenv(name)
		}
	}
}

// run reads the command line and does what it says.
func run(ctx context.Context, args []string, out, errs io.Writer) error {
	var c cli
	exited := false
	parser, err := kong.New(&c,
		kong.Name("tipoff"),
		kong.Description(description),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Writers(out, errs),
		kong.Exit(func(int) { exited = true }),
		kong.Vars{"rankers": strings.Join(evaluate.RankerNames(), ", "), "rows": strings.Join(bench.RowNames(), ", ")},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&terminal{out: out, errors: errs}),
	)
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(modeFirst(parser.Model.Node, args))
	if exited { // --help
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w (see tipoff --help)", err)
	}
	err = parsed.Run()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // stopped by a signal, as asked
	}
	return err
}

// modeFirst puts the mode before the settings that are written before it: these are
// the mode's own, but may be given first, as those that all programs share often are.
func modeFirst(modes *kong.Node, args []string) []string {
	named := func(of *kong.Node, name string) *kong.Node {
		for _, child := range of.Children {
			if child.Name == name {
				return child
			}
		}
		return nil
	}
	for i, arg := range args {
		mode, end := named(modes, arg), i
		for mode != nil {
			if end++; end == len(args) {
				break
			}
			mode = named(mode, args[end])
		}
		if end > i {
			return slices.Concat(args[i:end], args[:i], args[end:])
		}
	}
	return args
}
