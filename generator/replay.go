package generator

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzip"

	"tipoff"
)

// Entry is one line of a log: a user, an event or a coupon, and when it was.
type Entry struct {
	Kind string         `json:"kind"` // "user", "event" or "coupon"
	At   time.Time      `json:"at"`
	Body jsontext.Value `json:"body"` // as the API takes it
}

// maxLine bounds a line of a log.
const maxLine = 4 << 20

// ReadLog calls each for every line of a log, plain or packed with gzip. read, if
// not nil, is told the bytes of the file as they are read.
func ReadLog(path string, read func(int), each func(Entry) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var from io.Reader = &counted{file, read}
	if strings.HasSuffix(path, ".gz") {
		unpacked, err := gzip.NewReader(from)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		defer unpacked.Close()
		from = unpacked
	}
	return readLines(from, path, each)
}

// readLines calls each for every line of a log; name is for errors.
func readLines(from io.Reader, name string, each func(Entry) error) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var e Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		if err := each(e); err != nil {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
	}
	return lines.Err()
}

type counted struct {
	io.Reader
	read func(int)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.read != nil {
		c.read(n)
	}
	return n, err
}

// LastCoupon is the time of a log's last coupon.
func LastCoupon(path string, read func(int)) (time.Time, error) {
	var last time.Time
	err := ReadLog(path, read, func(e Entry) error {
		if e.Kind == "coupon" && e.At.After(last) {
			last = e.At
		}
		return nil
	})
	if err == nil && last.IsZero() {
		err = errors.New("the log has no coupon")
	}
	return last, err
}

// Replay posts a log in its order, batch facts at a time (0: as many as a post may
// hold), every time in it moved by shift. done is told the number of items after
// each post.
func Replay(ctx context.Context, c *Client, path string, shift time.Duration, batch int, done func(items int)) error {
	r := replay{ctx: ctx, client: c, shift: shift, batch: cmp.Or(batch, maxPost), done: done}
	if err := ReadLog(path, nil, r.add); err != nil {
		return err
	}
	return r.flush()
}

// replay gathers entries and posts them a batch at a time: in each batch the
// users, then the events, then the coupons, so that nothing is sent before what it
// speaks of.
type replay struct {
	ctx     context.Context
	client  *Client
	shift   time.Duration
	batch   int
	done    func(int)
	users   []tipoff.User
	events  []tipoff.Event
	coupons []tipoff.Coupon
}

func (r *replay) add(e Entry) error {
	// Times are moved after reading: as logged they may be any.
	how := tipoff.Reading{Now: time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC)}
	switch e.Kind {
	case "user":
		u, err := tipoff.DecodeUser(e.Body, how)
		if err != nil {
			return err
		}
		r.users = append(r.users, u)
	case "event":
		v, err := tipoff.DecodeEvent(e.Body, how)
		if err != nil {
			return err
		}
		v.Begin, v.End = moved(v.Begin, r.shift), moved(v.End, r.shift)
		r.events = append(r.events, v)
	case "coupon":
		k, err := tipoff.DecodeCoupon(e.Body, how)
		if err != nil {
			return err
		}
		k.Timestamp = moved(k.Timestamp, r.shift)
		r.coupons = append(r.coupons, k)
	default:
		return fmt.Errorf("kind must be user, event or coupon, is %q", e.Kind)
	}
	if len(r.users)+len(r.events)+len(r.coupons) >= r.batch {
		return r.flush()
	}
	return nil
}

func moved(t time.Time, by time.Duration) time.Time { return t.Add(by).Truncate(time.Microsecond) }

func (r *replay) flush() error {
	if err := r.client.Users(r.ctx, r.users); err != nil {
		return err
	}
	if err := r.client.Events(r.ctx, r.events); err != nil {
		return err
	}
	if err := r.client.Coupons(r.ctx, r.coupons); err != nil {
		return err
	}
	r.done(len(r.users) + len(r.events) + len(r.coupons))
	r.users, r.events, r.coupons = nil, nil, nil
	return nil
}
