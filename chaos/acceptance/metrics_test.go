package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"tipoff/topics"
)

// metricsPage is what /metrics of a Tipoff says that has worked for a while and whose
// logs have lost their ends. It is read once for all tests.
var metricsPage struct {
	once sync.Once
	text string
}

// readMetrics returns that page.
func readMetrics(t *testing.T) string {
	t.Helper()
	metricsPage.once.Do(func() { metricsPage.text = workedAndBroken(t) })
	if metricsPage.text == "" {
		t.Fatal("there is no page of metrics, as another test says why")
	}
	return metricsPage.text
}

// workedAndBroken runs everything in one process, takes the second half of the logs of
// the facts while it is not running, and runs it again.
func workedAndBroken(t *testing.T) (page string) {
	t.Helper()
	data := t.TempDir()
	env := []string{"TIPOFF_DATA=" + data}
	p := launch(t, env).ready()
	p.tool(sportsbook(p.url)...)
	p.wantMetrics("tipoff_live_ndcg{", `tipoff_sink_rows_total{table="coupons"} `)
	p.stop()
	for _, topic := range topics.Facts() {
		files, err := filepath.Glob(filepath.Join(data, "broker", "log", "partitions", topic+"-*", "*.dat"))
		if err != nil || len(files) == 0 {
			t.Fatalf("topic %s has no files: %v", topic, err)
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err == nil {
				err = os.Truncate(file, info.Size()/2)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	p = launch(t, env).ready()
	p.tool(sportsbook(p.url)...)
	return p.wantMetrics("tipoff_live_ndcg{", "tipoff_log_lost_records{", `tipoff_sink_rows_total{table="coupons"} `,
		`tipoff_freshness_seconds_count{table="tipoff-fixtures-table"}`)
}

// sportsbook are arguments that post enough coupons for some to be on events that the
// learner knows by then, which the first ones after an event need not be.
func sportsbook(url string) []string {
	return []string{"generate", "--realistic", "--users", "20", "--events", "30", "--coupons", "300", "--url", url}
}

// wantMetrics waits until all parts are on the page, and returns it.
func (p *process) wantMetrics(parts ...string) (page string) {
	p.Helper()
	eventually(p.T, 60*time.Second, func() error {
		status, body, err := request("GET", p.url+"/metrics", nil)
		if err != nil || status != 200 {
			return fmt.Errorf("%d, %w", status, err)
		}
		for _, part := range parts {
			if !strings.Contains(body, part) {
				return fmt.Errorf("/metrics has no %q", part)
			}
		}
		page = body
		return nil
	})
	return page
}

// series is what is known of a metric: its labels, and the values that each has.
type series map[string]map[string]bool

// knownSeries reads a page of metrics: every name that can be asked for.
func knownSeries(t *testing.T, page string) map[string]series {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]series{}
	for name, family := range families {
		labels := series{}
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if labels[l.GetName()] == nil {
					labels[l.GetName()] = map[string]bool{}
				}
				labels[l.GetName()][l.GetValue()] = true
			}
		}
		if len(family.GetMetric()) > 0 && family.GetMetric()[0].GetHistogram() != nil {
			known[name+"_sum"], known[name+"_count"] = labels, labels
			labels = maps.Clone(labels)
			labels["le"] = nil
			name += "_bucket"
		}
		known[name] = labels
	}
	return known
}

// promtool runs Prometheus's own tool, and returns what it says; the error is that it
// finds fault. The test is skipped where there is none.
func promtool(t *testing.T, input string, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		required(t, "no promtool: install Debian's package prometheus")
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdin = strings.NewReader(input)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Run()
	if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return said.String(), err
}

func TestMetrics_FollowTheConventionsOfPrometheus(t *testing.T) {
	if said, err := promtool(t, readMetrics(t), "check", "metrics"); err != nil || said != "" {
		t.Errorf("promtool check metrics: %v\n%s", err, said)
	}
	if said, err := promtool(t, "# TYPE requestCount counter\nrequestCount 1\n", "check", "metrics"); err == nil {
		t.Errorf("promtool finds no fault with anything: %s", said)
	}
}

// TestMetrics_SayWhatAProcessIs: what the alerts rest on is there while all is well.
func TestMetrics_SayWhatAProcessIs(t *testing.T) {
	known := knownSeries(t, readMetrics(t))
	if roles := slices.Sorted(maps.Keys(known["tipoff_role_info"]["role"])); !slices.Equal(roles, slices.Sorted(slices.Values(ours))) {
		t.Errorf("the roles are %v, want %v", roles, ours)
	}
	for _, part := range []string{"kafka", "logs", "view of " + topics.TableBettors, topics.GroupBettors, topics.GroupSink} {
		if !known["tipoff_part_ready"]["part"][part] {
			t.Errorf("nothing is said of the part %s", part)
		}
	}
	if partitions := known["tipoff_needs_person"]["partition"]; len(partitions) != 4 { // on a new embedded broker
		t.Errorf("it says of partitions %v whether they need a person, want all 4", partitions)
	}
	for _, name := range []string{"tipoff_data_free_bytes", "tipoff_data_size_bytes"} {
		if known[name] == nil {
			t.Errorf("no %s", name)
		}
	}
}
