// Pictures takes the pictures of the console that README and docs/tour.md show: it
// starts a demonstration, opens each page in Chromium, and writes a PNG a page.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
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
	patience      = 3 * time.Minute
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

// filled says why the demonstration is not yet what the pictures are to show.
func (d *demo) filled(ctx context.Context) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/v1/quality", nil)
	if err != nil {
		return err
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err == nil && (a.StatusCode != http.StatusOK || !strings.Contains(string(body), `"ndcg"`)) {
		err = fmt.Errorf("nothing is graded yet: %d %s", a.StatusCode, body)
	}
	return err
}

func (d *demo) end() error {
	err := d.cmd.Process.Signal(os.Interrupt)
	if err == nil {
		err = d.cmd.Wait()
	}
	return errors.Join(err, os.RemoveAll(d.folder))
}
