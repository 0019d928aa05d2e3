package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tipoff/blackbox"
	"tipoff/broker"
	"tipoff/rebuild"
	"tipoff/topics"
)

// rebuild runs tipoff rebuild beside a process, and ends it as Ctrl-C does.
func (p *process) rebuild(ctx context.Context, r *rebuild.Rebuild) error {
	cmd := exec.CommandContext(ctx, binary, "rebuild", "--grace", r.Grace.String())
	if r.From != "" {
		cmd.Args = append(cmd.Args, "--from", r.From)
	}
	if r.Partitions != 0 {
		cmd.Args = append(cmd.Args, "--table-partitions", fmt.Sprint(r.Partitions))
	}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.cmd.Dir, p.cmd.Env, r.Out, r.Out
	return cmd.Run()
}

// reach connects to the broker inside the process that runs on a folder.
func reach(t *testing.T, folder string) *broker.Cluster {
	t.Helper()
	config, running := broker.FindEmbedded(filepath.Join(folder, "broker"))
	if !running {
		t.Fatal("the broker is not found")
	}
	c, err := broker.Connect(t.Context(), config, broker.Layout{New: 8, Retention: 720 * time.Hour}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestRebuild_GoesOnWhereEverythingWasKilled(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	env := []string{"TIPOFF_DATA=" + folder}
	p := launch(t, env).ready()
	r := blackbox.NewCompany(t, p.url, reach(t, folder))
	before := r.Settled(topics.TableSet{})
	for _, options := range []rebuild.Rebuild{{Partitions: 16}, {From: rebuild.FromDatabase}} {
		options.Grace, options.Out = time.Hour, io.Discard
		ctx, kill := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- p.rebuild(ctx, &options) }()
		blackbox.Eventually(t, 30*time.Second, func() error {
			now, err := r.Cluster.TableSets()
			if err == nil && now.Filling == nil {
				err = errors.New("nothing is being filled")
			}
			return err
		})
		kill()
		<-ended
		p.kill()
		p = launch(t, env).ready()
		r.MovedTo(p.url, reach(t, folder))
		if now, err := r.Cluster.TableSets(); err != nil || now.Filling == nil && now.Retiring == nil {
			t.Fatalf("table sets %+v, %v: the rebuild was over before it was killed", now, err)
		}
		if out := p.tool("rebuild", "--grace", "0s"); !strings.Contains(out, "serves alone") {
			t.Errorf("said %s", out)
		}
		if err := before.Differ(r.Settled(r.Serving())); err != nil {
			t.Errorf("%+v: the tables differ: %v", options, err)
		}
	}
	p.stop()
}

func TestRebuild_SaysHowItStandsAndWhatCannotBe(t *testing.T) {
	t.Parallel()
	p := launch(t, []string{"TIPOFF_DATA=" + t.TempDir()}).ready()
	if out := p.tool("rebuild", "--status"); !strings.Contains(out, "table set 0 serves") {
		t.Errorf("status: %s", out)
	}
	for want, args := range map[string][]string{
		"power of two":            {"--table-partitions", "3"},
		"no rebuild is under way": {"--cancel"},
	} {
		cmd := exec.Command(binary, append([]string{"rebuild"}, args...)...)
		cmd.Dir, cmd.Env = p.cmd.Dir, p.cmd.Env
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("tipoff rebuild %v: %v, %s; want %q", args, err, out, want)
		}
	}
	p.stop()
}
