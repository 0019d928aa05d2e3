// Package progress shows how far long work has come: a bar for people who watch a
// terminal, a plain line every few seconds where the output goes to a file.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"
)

// Progress is one piece of work under way. Goroutines may share it.
type Progress struct {
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

// New begins with nothing done of all.
func New(out io.Writer, what string, all int) *Progress {
	p := &Progress{what: what, all: all, out: out, began: time.Now(), said: time.Now()}
	if watched(out) {
		p.bar = progressbar.NewOptions(all,
			progressbar.OptionSetWriter(out),
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

// watched says whether people look on, rather than a file.
func watched(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// Add notes that n more are done.
func (p *Progress) Add(n int) {
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

func (p *Progress) say() {
	p.said = time.Now()
	took, left := time.Since(p.began), ""
	if p.done > 0 && p.done < p.all {
		left = fmt.Sprintf(", about %s left", (took * time.Duration(p.all-p.done) / time.Duration(p.done)).Round(time.Second))
	}
	fmt.Fprintf(p.out, "%s: %d of %d, %s%s\n", p.what, p.done, p.all, took.Round(100*time.Millisecond), left)
}

// End leaves the last state on the screen.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish()
		fmt.Fprintln(p.out)
		return
	}
	p.say()
}
