package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// mutexShare is the share of contended locks, one in so many, that a mutex profile
// holds.
const mutexShare = 100

// profiled runs a row and, where profiles are asked for, leaves them as ROW-cpu.prof,
// ROW-heap.prof and ROW-mutex.prof. They are of this process: load, peer and what a row
// starts in it.
func (b *bench) profiled(row string, run func() error) (err error) {
	if b.Profile == "" {
		return run()
	}
	if err := os.MkdirAll(b.Profile, 0o755); err != nil {
		return fmt.Errorf("--profile: %w", err)
	}
	cpu, err := os.Create(filepath.Join(b.Profile, row+"-cpu.prof"))
	if err != nil {
		return fmt.Errorf("--profile: %w", err)
	}
	defer func() { err = errors.Join(err, cpu.Close()) }()
	before := runtime.SetMutexProfileFraction(mutexShare)
	defer runtime.SetMutexProfileFraction(before)
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return fmt.Errorf("--profile: %w", err)
	}
	err = run()
	pprof.StopCPUProfile()
	return errors.Join(err, b.keepProfile(row, "heap"), b.keepProfile(row, "mutex"))
}

func (b *bench) keepProfile(row, kind string) error {
	file, err := os.Create(filepath.Join(b.Profile, row+"-"+kind+".prof"))
	if err != nil {
		return fmt.Errorf("--profile: %w", err)
	}
	return errors.Join(pprof.Lookup(kind).WriteTo(file, 0), file.Close())
}
