package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// rule is one of deploy/prometheus/recording.yml or alerts.yml.
type rule struct {
	Record, Alert, Expr string
	Labels, Annotations map[string]string
}

// readYAML reads a file of deploy/ into value.
func readYAML(t *testing.T, path string, value any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy", path))
	if err == nil {
		err = yaml.Unmarshal(text, value)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func rules(t *testing.T, file string) (all []rule) {
	t.Helper()
	var groups struct{ Groups []struct{ Rules []rule } }
	readYAML(t, filepath.Join("prometheus", file), &groups)
	for _, g := range groups.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatalf("%s has no rules", file)
	}
	return all
}

// known is what can be asked of a Prometheus that scrapes Tipoff: what a real one shows
// on /metrics, what the recording rules make of it, and what Prometheus itself adds.
func known(t *testing.T) queries {
	t.Helper()
	q := queries{knownSeries(t, readMetrics(t))}
	q.known["up"] = series{}
	q.known["ALERTS"] = series{"alertname": nil, "alertstate": nil, "severity": nil}
	for _, r := range rules(t, "recording.yml") {
		has, err := q.labelsOf(r.Expr)
		if err != nil {
			t.Errorf("%s: %v", r.Record, err)
		}
		made := series{}
		for name := range has {
			made[name] = nil
		}
		q.known[r.Record] = made
	}
	return q
}

var templateLabel = regexp.MustCompile(`\$labels\.(\w+)`)

func TestPrometheus_AlertsAskForWhatIsThereAndNameARunbook(t *testing.T) {
	q := known(t)
	runbooks := headings(t, "docs/operations.md")
	used := map[string]bool{}
	for _, r := range rules(t, "alerts.yml") {
		has, err := q.labelsOf(r.Expr)
		if err != nil {
			t.Errorf("%s: %v", r.Alert, err)
			continue
		}
		if s := r.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s has the severity %q", r.Alert, s)
		}
		for _, name := range []string{"summary", "description", "runbook"} {
			if r.Annotations[name] == "" {
				t.Errorf("%s has no %s", r.Alert, name)
			}
			for _, m := range templateLabel.FindAllStringSubmatch(r.Annotations[name], -1) {
				if !has[m[1]] {
					t.Errorf("the %s of %s names the label %q, and what it asks for has %v", name, r.Alert, m[1], has)
				}
			}
		}
		file, section, _ := strings.Cut(r.Annotations["runbook"], "#")
		if file != "docs/operations.md" || !slices.Contains(runbooks, section) || used[section] {
			t.Errorf("%s has no section of its own in docs/operations.md: %q", r.Alert, r.Annotations["runbook"])
		}
		used[section] = true
	}
}

// headings are the anchors of a page's sections, as GitHub makes them.
func headings(t *testing.T, page string) (anchors []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if title, is := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); is && line[0] == '#' {
			dropped := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			anchors = append(anchors, strings.ReplaceAll(dropped, " ", "-"))
		}
	}
	return anchors
}

// TestPrometheus_EveryAlertIsSeenToFireAndToBeSilent reads the tests that promtool runs.
func TestPrometheus_EveryAlertIsSeenToFireAndToBeSilent(t *testing.T) {
	var file struct {
		Tests []struct {
			AlertRuleTest []struct {
				Alertname string
				ExpAlerts []any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	readYAML(t, "prometheus/alerts_test.yml", &file)
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		for _, c := range test.AlertRuleTest {
			if len(c.ExpAlerts) > 0 {
				fires[c.Alertname] = true
			} else {
				silent[c.Alertname] = true
			}
		}
	}
	for _, r := range rules(t, "alerts.yml") {
		if !fires[r.Alert] || !silent[r.Alert] {
			t.Errorf("%s: seen to fire: %v, to be silent: %v", r.Alert, fires[r.Alert], silent[r.Alert])
		}
	}
}

func TestPrometheus_UnderstandsTheRulesAndItsSettings(t *testing.T) {
	folder := filepath.Join(root, "deploy/prometheus")
	for _, args := range [][]string{
		{"check", "rules", filepath.Join(folder, "recording.yml"), filepath.Join(folder, "alerts.yml")},
		{"test", "rules", filepath.Join(folder, "alerts_test.yml")},
		{"check", "config", "--syntax-only", filepath.Join(folder, "prometheus.yml")},
	} {
		if said, err := promtool(t, "", args...); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, said)
		}
	}
	broken := filepath.Join(t.TempDir(), "broken.yml")
	if err := os.WriteFile(broken, []byte("groups: [{name: g, rules: [{record: r, expr: 'sum by ('}]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := promtool(t, "", "check", "rules", broken); err == nil {
		t.Errorf("promtool finds no fault with anything: %s", said)
	}
}

// TestPrometheus_TheTestFindsWhatIsNotThere: what the tests above rest on.
func TestPrometheus_TheTestFindsWhatIsNotThere(t *testing.T) {
	q := known(t)
	for query, fault := range map[string]string{
		"sum(tipoff_no_such_total)":                      "no metric",
		`tipoff_role_info{rle="api"}`:                    "no label",
		`tipoff_role_info{role="apis"}`:                  "never with",
		"sum by (rle) (tipoff_role_info)":                "nothing in it has the label",
		"tipoff_role_info / on (role) tipoff_part_ready": "not both sides",
		"tipoff_role_info / tipoff_part_ready":           "nothing of one is found",
		"histogram_quantile(0.9, tipoff_role_info)":      "no label le",
		"sum by (role":                                   "parse error",
	} {
		if _, err := q.labelsOf(query); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v, want %q", query, err, fault)
		}
	}
	has, err := q.labelsOf(`sum by (table) (rate(tipoff_freshness_seconds_bucket[5m])) > 1`)
	if err != nil || fmt.Sprint(has) != "map[table:true]" {
		t.Errorf("%v, %v", has, err)
	}
}
