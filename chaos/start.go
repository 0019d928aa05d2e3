package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// startAll starts servers, then processes, and waits until all are ready.
func (h *harness) startAll(ctx context.Context) error {
	if err := h.prepare(); err != nil {
		return err
	}
	h.defineProcesses()
	if err := h.wireProcesses(); err != nil {
		return err
	}
	starting, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := h.startServers(starting); err != nil {
		return err
	}
	for _, p := range h.processes[:regulars] {
		if err := p.run(); err != nil {
			return err
		}
	}
	for _, p := range h.processes[:regulars] {
		if err := eventually(starting, "start", func() error { return h.ready(p) }); err != nil {
			return err
		}
	}
	return h.inSync(starting)
}

// prepare creates the folder, and sees that the program and the servers can be run.
func (h *harness) prepare() error {
	if h.Folder == "" {
		folder, err := os.MkdirTemp("", "tipoff-chaos-")
		if err != nil {
			return err
		}
		h.Folder = folder
	}
	if err := os.MkdirAll(h.Folder, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(h.Folder, 0o755); err != nil { // mysqld runs as another user
		return err
	}
	binary, err := filepath.Abs(filepath.Join(root, "bin", "tipoff"))
	if err != nil {
		return err
	}
	if h.binary = binary; exec.Command(binary, "--help").Run() != nil {
		return errors.New("bin/tipoff does not run: make build first, or use make chaos")
	}
	return h.service("install")
}

// startServers starts Kafka and MySQL, and waits until all brokers have met.
func (h *harness) startServers(ctx context.Context) error {
	for b := range brokers {
		p, err := h.kafka(b, "MkU3OEVBNTcwNTJENDM2Qg")
		if err != nil {
			return err
		}
		h.brokers = append(h.brokers, p)
		if err := p.run(); err != nil {
			return err
		}
	}
	err := h.startMySQL()
	if err != nil {
		return err
	}
	if h.sql, err = h.openDatabase(); err != nil {
		return err
	}
	return eventually(ctx, "Kafka", func() error {
		client, err := h.client()
		if err != nil {
			return err
		}
		defer client.Close()
		if n := len(client.Brokers()); n < brokers {
			return fmt.Errorf("%d brokers", n)
		}
		return nil
	})
}

// stopAll ends everything that was started.
func (h *harness) stopAll() error {
	for _, p := range h.processes {
		p.signal(syscall.SIGCONT)
		p.kill()
	}
	for _, b := range h.brokers {
		b.signal(syscall.SIGCONT)
		b.kill()
	}
	if h.sql == nil {
		return nil
	}
	_ = h.sql.Close()
	_ = h.signalMySQL(syscall.SIGCONT)
	return h.killMySQL()
}
