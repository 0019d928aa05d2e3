package main

import (
	"io"
	"os"
	"os/exec"
	"runtime"

	"github.com/mattn/go-isatty"
)

// openCommand returns the command that shows a page in this desktop's browser; nil where
// nobody would see it: without a desktop, without a person at the terminal, or in
// continuous integration.
func openCommand(system string, terminal bool, env func(string) string, url string) []string {
	if !terminal || env("CI") != "" {
		return nil
	}
	switch system {
	case "darwin":
		return []string{"open", url}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler", url}
	}
	if env("DISPLAY") == "" && env("WAYLAND_DISPLAY") == "" {
		return nil
	}
	return []string{"xdg-open", url}
}

// openPage shows a page in a browser, where there is a desktop. Whether that works
// matters to nobody: the address stands in the terminal too.
func openPage(out io.Writer, url string) {
	file, isFile := out.(*os.File)
	command := openCommand(runtime.GOOS, isFile && isatty.IsTerminal(file.Fd()), os.Getenv, url)
	if command == nil {
		return
	}
	if cmd := exec.Command(command[0], command[1:]...); cmd.Start() == nil {
		go func() { _ = cmd.Wait() }()
	}
}
