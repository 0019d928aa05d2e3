package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completed is what the program offers for a command line, whose last word is being typed.
func completed(t *testing.T, shell string, words ...string) []string {
	t.Helper()
	out, err := said(t, append([]string{"complete", shell, "--"}, words...)...)
	if err != nil {
		t.Fatalf("%v: %v", words, err)
	}
	return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
}

func TestComplete_OffersWhatMayStandThere(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"rej":                        "rejected",
		"rejected ":                  "list retry",
		"rejected ret":               "retry",
		"rejected retry --dry":       "--dry-run",
		"run --ranker=p":             "--ranker=popular",
		"run --ranker p":             "popular",
		"--ranker=p":                 "--ranker=popular", // settings may stand before the mode
		"--data rebuild rebuild --f": "--from=",          // a value that is called as a mode
		"run --kafka-ss":             "--kafka-ssl-ca-location= --kafka-ssl-certificate-location= --kafka-ssl-key-location=",
		"completion ":                "bash zsh fish",
		"completion zsh ":            "",
		"run --data=":                "", // may be any folder
		"nonsense --x=":              "",
		"compl":                      "completion", // what --help hides is not offered
		"doctor --js":                "--json",
	} {
		got := completed(t, "bash", strings.Split(line, " ")...)
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", line, got, want)
		}
	}
	if got := completed(t, "fish", "doct"); !slices.Equal(got, []string{"doctor\tSay what is wrong, and the command that mends it"}) {
		t.Errorf("%q", got)
	}
}

func TestCompletion_WorksInARealBash(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	script := filepath.Join(t.TempDir(), "completion")
	out, err := said(t, "completion", "bash")
	if err != nil || os.WriteFile(script, []byte(out), 0o600) != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{ // words as bash takes them apart
		"tipoff rejected r":        "retry",
		"tipoff run --ranker = po": "popular",
		"tipoff run --ranker =":    "similar popular affinity cf tipoff",
		"tipoff doctor --stri":     "--strict",
		"tipoff run --data = /":    "",
	} {
		words := strings.Fields(line)
		command := exec.Command(bash, "--norc", "-c", `compopt() { :; }; source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _tipoff; echo "${COMPREPLY[*]}"`, "bash", script)
		command.Args = append(command.Args, words...)
		command.Env, command.Dir = []string{"PATH=" + filepath.Dir(binary) + ":" + os.Getenv("PATH")}, t.TempDir()
		out, err := command.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", line, got, err, want)
		}
	}
	command := exec.Command(bash, "--norc", "-c", `source "$1" && complete -p tipoff`, "bash", script)
	if out, err := command.CombinedOutput(); err != nil || !strings.Contains(string(out), "_tipoff") {
		t.Errorf("%v, %s", err, out)
	}
}

func TestCompletion_IsReadByTheOtherShellsThatAreHere(t *testing.T) {
	t.Parallel()
	for shell, check := range map[string][]string{"zsh": {"zsh", "-n"}, "fish": {"fish", "--no-execute"}} {
		out, err := said(t, "completion", shell)
		if err != nil || !strings.Contains(out, "complete "+shell+" --") {
			t.Errorf("%s: %v, %s", shell, err, out)
		}
		if _, err := exec.LookPath(shell); err != nil {
			continue
		}
		script := filepath.Join(t.TempDir(), shell)
		if err := os.WriteFile(script, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(check[0], check[1], script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v, %s", shell, err, out)
		}
	}
	if _, err := said(t, "completion", "tcsh"); err == nil {
		t.Error("there is a completion for tcsh")
	}
}

func TestMan_HasEveryModeAndSettingAndIsGoodRoff(t *testing.T) {
	t.Parallel()
	page, err := said(t, "man")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`.SS "rejected retry"`, `\-\-kafka\-sasl\-password=PASSWORD`, "TIPOFF_EVENT_WAIT", ".SH \"EXIT STATUS\"", "tipoff doctor \\-\\-json"} {
		if !strings.Contains(page, want) {
			t.Errorf("lacks %s", want)
		}
	}
	for _, hidden := range []string{`.SS "complete `, "${"} {
		if strings.Contains(page, hidden) {
			t.Errorf("has %s", hidden)
		}
	}
	file := filepath.Join(t.TempDir(), "tipoff.1")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, check := range [][]string{{"groff", "-man", "-ww", "-Tutf8", "-z"}, {"mandoc", "-T", "lint", "-W", "error"}, {"man", "--warnings", "-l"}} {
		if _, err := exec.LookPath(check[0]); err != nil {
			continue
		}
		command := exec.Command(check[0], append(check[1:], file)...)
		var complaints strings.Builder
		command.Stderr = &complaints
		out, err := command.Output()
		if err != nil || complaints.Len() > 0 || check[0] == "mandoc" && len(out) > 0 {
			t.Errorf("%v: %v, %s", check, err, complaints.String())
		}
	}
}
