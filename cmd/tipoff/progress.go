package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far long work has come: a bar for people who watch, a plain
// line every few seconds elsewhere.
type progress struct {
	what  string
	all   int
	out   io.Writer
	bar   *progressbar.ProgressBar // nil: plain lines
	began time.Time

	mu   sync.Mutex
	done int
	said time.Time
}

// sayEvery is the time between plain lines.
const sayEvery = 5 * time.Second

func newProgress(t *terminal, what string, all int) *progress {
	p := &progress{what: what, all: all, out: t.errors, began: time.Now(), said: time.Now()}
	if t.interactive() {
		p.bar = progressbar.NewOptions(all,
			progressbar.OptionSetWriter(t.errors),
			progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionFullWidth(),
		)
	}
	return p
}

// add notes that n more are done.
func (p *progress) add(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	switch {
	case p.bar != nil:
		_ = p.bar.Add(n)
	case time.Since(p.said) >= sayEvery:
		p.say()
	}
}

func (p *progress) say() {
	p.said = time.Now()
	took, left := time.Since(p.began), ""
	if p.done > 0 && p.done < p.all {
		left = fmt.Sprintf(", about %s left", (took * time.Duration(p.all-p.done) / time.Duration(p.done)).Round(time.Second))
	}
	fmt.Fprintf(p.out, "%s: %d of %d, %s%s\n", p.what, p.done, p.all, took.Round(100*time.Millisecond), left)
}

// end leaves the last state on the screen.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish()
		fmt.Fprintln(p.out)
		return
	}
	p.say()
}
