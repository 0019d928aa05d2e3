package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"

	"tipoff/node"
)

// manMode writes the manual page.
type manMode struct{}

func (manMode) Help() string {
	return `Writes the manual page, made of the same description as --help, in roff:

  tipoff man | man -l -
  tipoff man > /usr/local/share/man/man1/tipoff.1`
}

func (m *manMode) Run(c *kong.Context, t *terminal) error {
	var p page
	p.write(c.Model.Node)
	_, err := io.WriteString(t.out, p.text.String())
	return err
}

// page is a manual page as it is written: macros of man(7), one a line.
type page struct{ text strings.Builder }

// macro writes a line of the page's own.
func (p *page) macro(name string, words ...string) {
	p.text.WriteString("." + name)
	for _, word := range words {
		p.text.WriteString(` "` + strings.ReplaceAll(roff(word), `"`, `\(dq`) + `"`)
	}
	p.text.WriteByte('\n')
}

// roff protects what means something to roff.
func roff(text string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
}

// line writes one line of text. A list without spaces may be broken after its commas.
func (p *page) line(text string) {
	text = strings.ReplaceAll(strings.ReplaceAll(roff(text), ",", `,\:`), `,\: `, ", ")
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	p.text.WriteString(text + "\n")
}

// prose writes text as --help has it: what is indented stays in its lines.
func (p *page) prose(text string) {
	example := false
	between := false // a paragraph ended
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		indented := strings.HasPrefix(line, "  ")
		switch {
		case strings.TrimSpace(line) == "":
			between = true
			continue
		case indented && !example:
			p.macro("PP")
			p.macro("EX")
		case !indented && example:
			p.macro("EE")
			p.macro("PP")
		case between:
			p.macro("PP")
		}
		example, between = indented, false
		p.line(strings.TrimRight(line, " "))
	}
	if example {
		p.macro("EE")
	}
}

func (p *page) write(program *kong.Node) {
	what, rest, _ := strings.Cut(program.Help, "\n")
	p.macro("TH", strings.ToUpper(program.Name), "1", "", program.Name+" "+node.ThisVersion().Version, "User Commands")
	p.macro("SH", "NAME")
	p.line(program.Name + " - " + strings.ToLower(what[:1]) + strings.TrimSuffix(what[1:], "."))
	p.macro("SH", "SYNOPSIS")
	p.macro("B", program.Name)
	p.line("[mode] [settings]")
	p.macro("SH", "DESCRIPTION")
	p.prose(rest)
	p.macro("SH", "MODES")
	for _, mode := range program.Leaves(true) {
		p.mode(mode)
	}
	p.settings(program)
	p.macro("SH", "FILES")
	p.setting(".env", "Settings of the folder in which the program is started, NAME=value; what the environment says comes before it.")
	p.setting("./data", "The log of the broker inside the process, and SQLite; see TIPOFF_DATA.")
	p.macro("SH", "EXIT STATUS")
	p.line("0 when all went well or a signal asked for the end, 1 when it did not, 2 and 3 of")
	p.macro("B", "tipoff doctor")
	p.line("as it says above.")
}

// mode writes what a mode does, and the settings that are its own.
func (p *page) mode(mode *kong.Node) {
	words := mode.Path()
	for _, argument := range mode.Positional {
		words += " " + argument.Summary()
	}
	p.macro("SS", words)
	p.line(mode.Help)
	if mode.Detail != "" {
		p.macro("PP")
		p.prose(mode.Detail)
	}
	for _, argument := range mode.Positional {
		if argument.Help != "" {
			p.setting(argument.Summary(), argument.Help)
		}
	}
	var groups []string
	for _, f := range mode.Flags {
		switch {
		case f.Hidden || f.Name == "help":
		case f.Group == nil:
			p.setting(flagAsWritten(f), f.Help)
		case len(groups) == 0 || groups[len(groups)-1] != f.Group.Title:
			groups = append(groups, f.Group.Title)
		}
	}
	if len(groups) > 0 {
		p.macro("PP")
		p.line("Settings of: " + strings.Join(groups, ", ") + ".")
	}
}

// setting writes a setting, argument or file, and what it is for.
func (p *page) setting(name, help string) {
	p.macro("TP")
	p.macro("B", name)
	p.line(help)
}

// flagAsWritten is a flag as one types it.
func flagAsWritten(f *kong.Flag) string {
	if f.IsBool() || f.IsCounter() {
		return "--" + f.Name
	}
	return "--" + f.Name + "=" + f.FormatPlaceHolder()
}

// settings writes the settings that modes share, each once, by group.
func (p *page) settings(program *kong.Node) {
	var titles []string
	byTitle := map[string][]*kong.Flag{}
	written := map[string]bool{}
	for _, mode := range program.Leaves(true) {
		for _, f := range mode.Flags {
			if f.Group == nil || f.Hidden || written[f.Name] {
				continue
			}
			written[f.Name] = true
			if byTitle[f.Group.Title] == nil {
				titles = append(titles, f.Group.Title)
			}
			byTitle[f.Group.Title] = append(byTitle[f.Group.Title], f)
		}
	}
	p.macro("SH", "SETTINGS")
	p.line("Each is an environment variable too, which stands behind it; what the command line says comes before what the environment says.")
	for _, title := range titles {
		p.macro("SS", title)
		for _, f := range byTitle[title] {
			p.setting(flagAsWritten(f), fmt.Sprint(f.Help))
		}
	}
}
