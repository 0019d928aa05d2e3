package tipoff_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// imports is the table of who may import whom: what docs/design.md draws. The root
// is "tipoff".
var imports = map[string][]string{
	"tipoff/fields":        {},
	"tipoff":               {"tipoff/fields"},
	"tipoff/topics":        {"tipoff"},
	"tipoff/trace":         {},
	"tipoff/broker":        {"tipoff", "tipoff/topics", "tipoff/trace"},
	"tipoff/wire":          {},
	"tipoff/wire/wiretest": {},
	"tipoff/state":         {"tipoff", "tipoff/wire"},
	"tipoff/rank":          {"tipoff", "tipoff/wire", "tipoff/state"},
	"tipoff/processors":    {"tipoff", "tipoff/topics", "tipoff/state", "tipoff/rank", "tipoff/trace"},
	"tipoff/views":         {"tipoff", "tipoff/topics", "tipoff/state", "tipoff/rank"},
	"tipoff/http":          {"tipoff", "tipoff/topics", "tipoff/trace"},
	"tipoff/sink":          {"tipoff", "tipoff/topics", "tipoff/trace"},
	"tipoff/node":          {"tipoff", "tipoff/broker", "tipoff/http", "tipoff/processors", "tipoff/rank", "tipoff/rebuild", "tipoff/rejected", "tipoff/sink", "tipoff/state", "tipoff/topics", "tipoff/trace", "tipoff/views"},
	"tipoff/rebuild":       {"tipoff", "tipoff/broker", "tipoff/processors", "tipoff/progress", "tipoff/sink", "tipoff/topics"},
	"tipoff/doctor":        {"tipoff/broker", "tipoff/http", "tipoff/node", "tipoff/sink", "tipoff/state", "tipoff/topics"},
	"tipoff/rejected":      {"tipoff", "tipoff/broker", "tipoff/progress", "tipoff/topics"},
	"tipoff/progress":      {},
	"tipoff/recording":     {"tipoff"},
	"tipoff/generator":     {"tipoff", "tipoff/progress", "tipoff/recording"},
	"tipoff/evaluate":      {"tipoff", "tipoff/progress", "tipoff/recording", "tipoff/state", "tipoff/rank"},
	"tipoff/oracle":        {"tipoff", "tipoff/topics", "tipoff/state"},
	"tipoff/blackbox":      {"tipoff", "tipoff/broker", "tipoff/generator", "tipoff/node", "tipoff/oracle", "tipoff/processors", "tipoff/rebuild", "tipoff/sink", "tipoff/state", "tipoff/topics"},
	"tipoff/bench":         {"tipoff", "tipoff/broker", "tipoff/generator", "tipoff/node", "tipoff/processors", "tipoff/progress", "tipoff/rebuild", "tipoff/sink", "tipoff/state", "tipoff/topics"},
	"tipoff/cmd/tipoff":    {"tipoff/bench", "tipoff/broker", "tipoff/doctor", "tipoff/evaluate", "tipoff/generator", "tipoff/node", "tipoff/progress", "tipoff/rebuild", "tipoff/recording", "tipoff/rejected"},
}

// keptApart names libraries that a package must not reach for, not even by way of
// another.
var keptApart = map[string][]string{
	"tipoff/trace":     {"go.opentelemetry.io/otel/sdk/trace"},
	"tipoff":           {"github.com/lovoo/goka", "github.com/IBM/sarama", "github.com/valyala/fasthttp", "database/sql"},
	"tipoff/topics":    {"github.com/lovoo/goka", "github.com/IBM/sarama", "github.com/valyala/fasthttp", "database/sql"},
	"tipoff/state":     {"github.com/lovoo/goka", "github.com/IBM/sarama", "github.com/valyala/fasthttp", "database/sql", "net"},
	"tipoff/rank":      {"github.com/lovoo/goka", "github.com/IBM/sarama", "github.com/valyala/fasthttp", "database/sql", "net"},
	"tipoff/http":      {"github.com/lovoo/goka", "github.com/IBM/sarama", "database/sql"},
	"tipoff/views":     {"github.com/lovoo/goka", "github.com/IBM/sarama", "github.com/valyala/fasthttp", "database/sql"},
	"tipoff/sink":      {"github.com/lovoo/goka", "github.com/valyala/fasthttp"},
	"tipoff/generator": {"github.com/lovoo/goka", "github.com/IBM/sarama", "database/sql"},
	"tipoff/oracle":    {"github.com/lovoo/goka", "github.com/IBM/sarama", "github.com/valyala/fasthttp", "database/sql"},
}

type listed struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestLayout_HoldsTheTableOfImports(t *testing.T) {
	seen := 0
	for _, p := range packages(t) {
		allowed, known := imports[p.ImportPath]
		if !known {
			t.Errorf("package %s is not in the table: is there no room for it in one that is?", p.ImportPath)
			continue
		}
		seen++
		for _, i := range p.Imports {
			if (i == "tipoff" || strings.HasPrefix(i, "tipoff/")) && !slices.Contains(allowed, i) {
				t.Errorf("%s imports %s", p.ImportPath, i)
			}
		}
		for _, d := range p.Deps {
			if slices.Contains(keptApart[p.ImportPath], d) {
				t.Errorf("%s reaches %s", p.ImportPath, d)
			}
		}
	}
	if seen != len(imports) {
		t.Errorf("the table has %d packages, %d are there", len(imports), seen)
	}
}

// TestStateAndRank_KnowNoClockAndNoChance: what is decided follows from what is given.
func TestStateAndRank_KnowNoClockAndNoChance(t *testing.T) {
	out, err := exec.Command("grep", "-rnE", `time\.Now|time\.Since|math/rand|crypto/rand`, "state", "rank", "--include=*.go").Output()
	if err != nil && len(out) > 0 {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if file, _, _ := strings.Cut(line, ":"); file != "" && !strings.HasSuffix(file, "_test.go") {
			t.Error("a clock or a random source: ", line)
		}
	}
}
