// Pictures takes the pictures of the console that README and docs/tour.md show: it
// starts a demonstration, opens each page in Chromium, and writes a PNG a page.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	"github.com/alecthomas/kong"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/sethvargo/go-retry"
)

const (
	width, height = 1280, 800
	largest       = 300 << 10 // bytes of a picture in the documents
	patience      = 6 * time.Minute
)

type options struct {
	Binary string `arg:"" help:"The program to start." type:"path"`
	Out    string `arg:"" help:"Folder of the pictures." type:"path"`
	URL    string `help:"A Tipoff that runs already, instead of one that is started."`
	Only   string `help:"The one picture to take."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Description("Takes the pictures of the console."))
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func (o *options) run() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if o.URL == "" {
		demo, err := startDemo(ctx, o.Binary)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, demo.end()) }()
		o.URL = demo.url
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return err
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		return fmt.Errorf("no browser: install chromium: %w", err)
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true))
	browser, endBrowser := chromedp.NewExecAllocator(ctx, flags...)
	defer endBrowser()
	for _, p := range pictures {
		if o.Only != "" && p.name != o.Only {
			continue
		}
		if err := o.take(browser, p); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// take opens a page, does what the picture is to show, and writes it.
func (o *options) take(browser context.Context, p picture) error {
	ctx, end := chromedp.NewContext(browser)
	defer end()
	err := chromedp.Listen(ctx, func(event any) {
		if e, thrown := event.(*runtime.EventExceptionThrown); thrown {
			fmt.Fprintln(os.Stderr, p.name, "throws:", e.ExceptionDetails.Text, e.ExceptionDetails.Exception.Description)
		}
	})
	if err != nil {
		return err
	}
	w, h := p.size()
	theme := "light"
	if p.dark {
		theme = "dark"
	}
	colours := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, colours); err != nil {
		return err
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(w, h), chromedp.Navigate(o.URL+"/console#/"+p.page)); err != nil {
		return err
	}
	if err := chromedp.Do(ctx, p.steps...); err != nil {
		return err
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	if len(png) > largest {
		return fmt.Errorf("has %d bytes, %d at the most are wanted", len(png), largest)
	}
	return os.WriteFile(filepath.Join(o.Out, p.name+".png"), png, 0o644)
}

// demo is a demonstration that was started for the pictures.
type demo struct {
	url    string
	cmd    *exec.Cmd
	folder string
}

var listens = regexp.MustCompile(`msg=listening address=(\S+)`)

// startDemo returns once its sportsbook is there.
func startDemo(ctx context.Context, binary string) (d *demo, err error) {
	d = &demo{cmd: exec.Command(binary, "run", "--demo", "--no-open")}
	if d.folder, err = os.MkdirTemp("", "tipoff-pictures-"); err != nil {
		return nil, err
	}
	d.cmd.Dir = d.folder
	d.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TIPOFF_ADDR=127.0.0.1:0"}
	errs, err := d.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(errs)
	for d.url == "" && lines.Scan() {
		if found := listens.FindStringSubmatch(lines.Text()); found != nil {
			d.url = found[1]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, errs) }()
	err = retry.Do(ctx, retry.NewConstant(time.Second), func(ctx context.Context) error {
		return retry.RetryableError(d.filled(ctx))
	})
	if err != nil {
		return nil, errors.Join(err, d.end())
	}
	return d, nil
}

// calm is the most that a part may lag, and the freshness that the last minute may have had,
// once nothing is left of the sportsbook's past.
const (
	calmRecords = 1000
	calmMillis  = 100
)

// filled says why the demonstration is not yet what the pictures are to show.
func (d *demo) filled(ctx context.Context) error {
	var quality struct {
		LastHour *struct{} `json:"last_hour"`
	}
	if err := d.get(ctx, "/v1/quality", &quality); err != nil {
		return err
	}
	if quality.LastHour == nil {
		return errors.New("nothing is graded yet")
	}
	var status struct {
		Parts []struct {
			Name, State string
			Lag         *int64 `json:"lag_records"`
		}
		Freshness *struct {
			P99 float64 `json:"p99_ms"`
		}
	}
	if err := d.get(ctx, "/v1/status", &status); err != nil {
		return err
	}
	for _, part := range status.Parts {
		if part.State != "ready" || part.Lag != nil && *part.Lag > calmRecords {
			return fmt.Errorf("%s is %s and has a lag", part.Name, part.State)
		}
	}
	if status.Freshness == nil || status.Freshness.P99 > calmMillis {
		return errors.New("the past is not applied for a minute yet")
	}
	return nil
}

// get reads an answer of the demonstration.
func (d *demo) get(ctx context.Context, path string, into any) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+path, nil)
	if err != nil {
		return err
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, a.Status)
	}
	return json.NewDecoder(a.Body).Decode(into)
}

func (d *demo) end() error {
	err := d.cmd.Process.Signal(os.Interrupt)
	if err == nil {
		err = d.cmd.Wait()
	}
	return errors.Join(err, os.RemoveAll(d.folder))
}
