package main

import (
	"embed"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// completionMode writes what a shell needs to complete commands.
type completionMode struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (completionMode) Help() string {
	return `Writes a script that makes Tab complete modes, settings and their values. For the shell
that you are in:

  source <(tipoff completion bash)
  source <(tipoff completion zsh)
  tipoff completion fish | source

For every one that comes: put the line into ~/.bashrc or ~/.zshrc, or write the script
to ~/.config/fish/completions/tipoff.fish. At each Tab the program that stands in the
command line is asked for the words, tipoff or ./tipoff as you have typed it, so the
script need not be renewed with it. It is run for that: press Tab behind one that you
would run.`
}

//go:embed completion
var completionScripts embed.FS

func (m *completionMode) Run(t *terminal) error {
	script, err := completionScripts.ReadFile("completion/tipoff." + m.Shell)
	if err != nil {
		return err
	}
	_, err = t.out.Write(script)
	return err
}

// completeMode is asked by the scripts at each Tab.
type completeMode struct {
	Shell string   `arg:""`
	Words []string `arg:"" optional:""`
}

// Run writes a line for each word that the last of the words may become; behind a tab
// comes what it is.
func (m *completeMode) Run(c *kong.Context, t *terminal) error {
	words, valueAlone := m.Words, false
	if m.Shell == "bash" {
		words, valueAlone = joinedAtEquals(words)
	}
	if len(words) == 0 {
		words = []string{""}
	}
	for _, found := range complete(c.Model.Node, words) {
		if valueAlone { // bash replaces what is behind the "=" alone
			_, found.word, _ = strings.Cut(found.word, "=")
		}
		line := found.word
		if m.Shell != "bash" && found.what != "" {
			line += "\t" + found.what
		}
		fmt.Fprintln(t.out, line)
	}
	return nil
}

// joinedAtEquals undoes that bash takes --name=value for three words; valueAlone says that
// the last one was joined so.
func joinedAtEquals(words []string) (joined []string, valueAlone bool) {
	for i := 0; i < len(words); i++ {
		valueAlone = false
		last := len(joined) - 1
		if words[i] != "=" || last < 0 || !strings.HasPrefix(joined[last], "--") {
			joined = append(joined, words[i])
			continue
		}
		valueAlone = true
		joined[last] += "="
		if i+1 < len(words) {
			i++
			joined[last] += words[i]
		}
	}
	return joined, valueAlone
}

// candidate is a word that may be meant, and what it is.
type candidate struct{ word, what string }

// complete returns what the last of the words may become; none where it may be anything,
// or a file.
func complete(program *kong.Node, words []string) (found []candidate) {
	node, value := program, (*kong.Flag)(nil)
	given := 0
	for _, word := range words[:len(words)-1] {
		switch child := childOf(node, word); {
		case value != nil:
			value = nil
		case strings.HasPrefix(word, "-"):
			value = awaiting(node, word)
		case child != nil && given == 0:
			node = child
		default:
			given++
		}
	}
	last := words[len(words)-1]
	name, _, hasValue := strings.Cut(last, "=")
	switch {
	case value != nil:
		return matching(last, "", value.EnumSlice())
	case hasValue && strings.HasPrefix(last, "--"):
		if f := flagOf(node, name); f != nil {
			return matching(last, name+"=", f.EnumSlice())
		}
		return nil
	case strings.HasPrefix(last, "-"):
		return flagsOf(node, last)
	case len(node.Children) > 0 && given == 0:
		for _, child := range node.Children {
			if !child.Hidden && strings.HasPrefix(child.Name, last) {
				found = append(found, candidate{child.Name, firstSentence(child.Help)})
			}
		}
		return found
	case given < len(node.Positional):
		return matching(last, "", node.Positional[given].EnumSlice())
	}
	return nil
}

func childOf(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

// settingsOf are the flags that may stand at a node: before a mode those of the mode that
// runs without one, as [modeFirst] lets settings come first.
func settingsOf(node *kong.Node) (all []*kong.Flag) {
	if node.DefaultCmd != nil {
		all = append(all, node.DefaultCmd.Flags...)
	}
	for _, group := range node.AllFlags(true) {
		all = append(all, group...)
	}
	return all
}

func flagOf(node *kong.Node, name string) *kong.Flag {
	for _, f := range settingsOf(node) {
		if "--"+f.Name == name {
			return f
		}
	}
	return nil
}

// awaiting is the flag whose value the next word is; nil: none is.
func awaiting(node *kong.Node, word string) *kong.Flag {
	if f := flagOf(node, word); f != nil && !f.IsBool() && !f.IsCounter() {
		return f
	}
	return nil
}

func flagsOf(node *kong.Node, begins string) (found []candidate) {
	for _, f := range settingsOf(node) {
		name := "--" + f.Name
		if !f.IsBool() && !f.IsCounter() {
			name += "="
		}
		if strings.HasPrefix(name, begins) {
			found = append(found, candidate{name, firstSentence(f.Help)})
		}
	}
	return found
}

func matching(last, prefix string, values []string) (found []candidate) {
	for _, value := range values {
		if word := prefix + value; value != "" && strings.HasPrefix(word, last) {
			found = append(found, candidate{word, ""})
		}
	}
	return found
}

// firstSentence is what there is room for beside a word.
func firstSentence(help string) string {
	for _, end := range []string{". ", "; ", " ("} {
		help, _, _ = strings.Cut(help, end)
	}
	return strings.TrimSuffix(help, ".")
}
