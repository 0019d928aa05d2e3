package blackbox

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"tipoff/node"
	"tipoff/rebuild"
)

// Settings are those of a Tipoff that has the folder to itself and listens on a port
// that is free.
func Settings(folder string) *node.Settings {
	s := new(node.Settings)
	s.Addr, s.Data = "127.0.0.1:0", folder
	s.Partitions, s.Retention, s.Ranker = 8, 720*time.Hour, "tipoff"
	return s
}

// Node is a process's roles in the process of the test.
type Node struct {
	*node.Node
	t     *testing.T
	ended bool
}

// Start starts a node, of every role unless some are named, and waits until it is
// ready. It ends with the test at the latest.
func Start(t *testing.T, s *node.Settings, roles ...node.Role) *Node {
	t.Helper()
	n := Begin(t, s, roles...)
	if err := n.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return n
}

// Begin is [Start] without waiting.
func Begin(t *testing.T, s *node.Settings, roles ...node.Role) *Node {
	t.Helper()
	if len(roles) == 0 {
		roles = node.AllRoles
	}
	inner, err := node.Start(t.Context(), s, roles...)
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{Node: inner, t: t}
	t.Cleanup(n.End)
	return n
}

// End ends the node, and wants everything to end well, within the time that a process
// may take.
func (n *Node) End() {
	n.t.Helper()
	if n.ended {
		return
	}
	n.ended = true
	if err := n.Stop(nil); err != nil {
		n.t.Errorf("the node's end: %v", err)
	}
}

// Rebuilding runs rebuilds as the command does, beside the Tipoff that runs on the
// settings' folder, or else as one for the time.
func Rebuilding(s *node.Settings) func(context.Context, *rebuild.Rebuild) error {
	return func(ctx context.Context, r *rebuild.Rebuild) error {
		c, end, err := node.Reach(ctx, s, node.RunAlone)
		if err != nil {
			return err
		}
		r.Cluster, r.Database, r.Progress = c, s.OpenDatabase, io.Discard
		return errors.Join(r.Run(ctx), end())
	}
}
