package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tipoff/node"
	"tipoff/progress"
	"tipoff/topics"
)

// startCoupons is how many coupons the start of a whole process has behind it.
func (b *bench) startCoupons() int {
	if b.Small {
		return 4 * postSize
	}
	return 600 * postSize
}

// logBytes are the bytes of the embedded broker's logs under a home, by topic. Files
// that go meanwhile are none.
func logBytes(folder string) (map[string]int64, error) {
	logs, all := filepath.Join(folder, "broker", "log", "partitions"), map[string]int64{}
	err := filepath.WalkDir(logs, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && d.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		partition := filepath.Base(filepath.Dir(path))
		if at := strings.LastIndexByte(partition, '-'); at > 0 && err == nil {
			all[partition[:at]] += info.Size()
		}
		return err
	})
	return all, err
}

// bytes measures what a coupon comes to on the broker, in all topics, against its fact.
// The embedded broker compacts its tables once they have grown by 128 MiB, which these do
// not, so what is there is what was written.
func (b *bench) bytes(ctx context.Context) error {
	if err := b.stopShared(); err != nil {
		return err
	}
	h, err := b.newHome(ctx, b.usual())
	if err != nil {
		return err
	}
	n, err := b.start(ctx, h, node.AllRoles...)
	if err != nil {
		return err
	}
	bets, coupons := h.slips(), float64(b.wholeCoupons())
	var fact, all map[string]int64
	grown := func(ctx context.Context) (figures, error) {
		before, err := logBytes(h.folder)
		if err == nil {
			_, err = b.through(ctx, n, bets, b.wholeCoupons())
		}
		if err != nil {
			return nil, err
		}
		if all, err = logBytes(h.folder); err != nil {
			return nil, err
		}
		sum := int64(0)
		for topic := range all {
			all[topic] -= before[topic]
			sum += all[topic]
		}
		fact = map[string]int64{topics.Coupons: all[topics.Coupons]}
		return figures{"bytes": float64(sum) / coupons}, nil
	}
	err = b.turns(ctx, comparison{
		row: "bytes", against: "its fact on the coupons' topic", tipoff: grown,
		other: func(context.Context) (figures, error) {
			return figures{"bytes": float64(fact[topics.Coupons]) / coupons}, nil
		},
		figures: []figure{{name: "bytes", what: "written to the broker a coupon", unit: "bytes", reach: []Reach{atMost(12)}}},
	})
	if l := b.last("bytes", "bytes"); err == nil {
		l.Note = fmt.Sprintf("%.1f legs a coupon; bytes by topic:", bets.legs())
		for topic, grown := range all {
			if grown > 0 {
				l.Note += fmt.Sprintf(" %s %.0f", topic, float64(grown)/coupons)
			}
		}
	}
	return errors.Join(err, n.Stop(nil))
}

// startRow measures how long a whole process takes until it is ready, after it has ended
// in order and after kill -9.
func (b *bench) startRow(ctx context.Context) error {
	if err := b.stopShared(); err != nil {
		return err
	}
	h, err := b.newHome(ctx, b.usual())
	if err != nil {
		return err
	}
	bets := h.slips()
	if err := b.prepareStart(ctx, h, bets); err != nil {
		return err
	}
	turn := func(ctx context.Context) (_ figures, err error) {
		got := figures{}
		for i, name := range []string{"start", "after kill -9"} {
			c, err := startChild(ctx, b.environment(h.folder, nil), h.folder, nil, "run")
			if err != nil {
				return nil, err
			}
			took, err := c.ready(ctx)
			if err != nil {
				return nil, errors.Join(err, c.kill())
			}
			got[name] = took.Seconds()
			if i == 1 {
				return got, c.end()
			}
			err = bets.postAll(ctx, c.url, 2*postSize, func(int) {}) // it is killed at work
			if err := errors.Join(err, c.kill()); err != nil {
				return nil, err
			}
		}
		return got, nil
	}
	what := fmt.Sprintf("start of the whole process after %d coupons of %d bettors, %d events", b.startCoupons(), h.bettors, h.size.events)
	return b.turns(ctx, comparison{
		row: "start", tipoff: turn,
		figures: []figure{
			{name: "start", what: what, unit: "s", reach: []Reach{itselfAtMost(5)}},
			{name: "after kill -9", what: "the same after kill -9 at work", unit: "s", reach: []Reach{itselfAtMost(10)}},
		},
	})
}

// prepareStart posts the coupons, and leaves the folder as a process that has ended.
func (b *bench) prepareStart(ctx context.Context, h *home, bets *slips) error {
	n, err := b.start(ctx, h, node.AllRoles...)
	if err != nil {
		return err
	}
	bar := progress.New(b.bar, "posting coupons", b.startCoupons())
	err = bets.postAll(ctx, n.URL(), b.startCoupons(), bar.Add)
	bar.End()
	if err == nil {
		err = settled(ctx, n.Cluster())
	}
	return errors.Join(err, n.Stop(nil))
}

// remove frees the disk of a home that one row alone has used.
func (h *home) remove() error { return os.RemoveAll(h.folder) }
