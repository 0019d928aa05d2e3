package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/twmb/franz-go/pkg/kfake"
)

// said runs the command line in this process, and returns what it says.
func said(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, &out, &out)
	return out.String(), err
}

// wantSaid is [said] of one that must end well.
func wantSaid(t *testing.T, want string, args ...string) {
	t.Helper()
	if out, err := said(t, args...); err != nil || !strings.Contains(out, want) {
		t.Errorf("tipoff %v: %v, %s; want %q", args, err, out, want)
	}
}

func TestHelp_ListsTheSettingsOfAModeAndNoOthers(t *testing.T) {
	t.Parallel()
	listening, kafka, topics, storage := "--addr", "--kafka-sasl-password", "--partitions", "--database-url"
	for mode, has := range map[string][]string{
		"run":            {listening, "--api-key", "--data", storage, kafka, topics, "--ranker", "--log-level", "--demo"},
		"api":            {listening, "--api-key", "--data", storage, kafka, topics, "--ranker", "--log-level"},
		"processors":     {listening, "--api-key", kafka, topics, "--log-level"},
		"learner":        {listening, "--api-key", kafka, topics, "--log-level"},
		"sink":           {listening, "--api-key", "--data", storage, kafka, topics, "--log-level"},
		"generate":       {listening, "--api-key", "--url"},
		"replay":         {listening, "--api-key", "--url"},
		"health":         {listening, "--api-key", "--url"},
		"doctor":         {listening, "--api-key", "--data", storage, kafka, topics, "--ranker", "--log-level", "--strict", "--json"},
		"evaluate":       {"--rankers"},
		"bench":          {storage, kafka, topics, "--ranker", "--rounds"},
		"rejected list":  {"--data", kafka, topics, "--log-level", "--limit"},
		"rejected retry": {"--data", kafka, topics, "--log-level", "--dry-run"},
		"topics":         {"--data", "--alter", kafka, topics, "--log-level"},
		"rebuild":        {listening, "--api-key", "--data", storage, kafka, topics, "--ranker", "--log-level", "--grace"},
		"migrate":        {"--data", storage},
		"version":        nil,
	} {
		out, err := said(t, append(strings.Fields(mode), "--help")...)
		if err != nil {
			t.Errorf("tipoff %s --help: %v", mode, err)
		}
		wanted := map[string]bool{}
		for _, flag := range has {
			wanted[flag] = true
		}
		for _, flag := range append([]string{listening, kafka, topics, storage, "--api-key", "--data", "--ranker", "--log-level"}, has...) {
			if is := strings.Contains(out, " "+flag+"=") || strings.Contains(out, " "+flag+" "); is != wanted[flag] {
				t.Errorf("tipoff %s --help lists %s: %v, want %v\n%s", mode, flag, is, wanted[flag], out)
			}
		}
	}
	wantSaid(t, "rejected retry", "--help")
}

func TestSettings_ThatCannotBeAreNamed(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"api":                            "KAFKA_BOOTSTRAP_SERVERS",
		"topics":                         "KAFKA_BOOTSTRAP_SERVERS",
		"nonsense":                       "tipoff --help",
		"generate":                       "how many rounds",
		"run --partitions=3":             "power of two",
		"--partitions=3":                 "power of two",
		"migrate --database-url=ftp://x": "DATABASE_URL",
		"run --addr=256.0.0.1:x":         "TIPOFF_ADDR",
	} {
		if out, err := said(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("tipoff %s: %v, %s; want %q", args, err, out, want)
		}
	}
}

func TestVersion_SaysWhichProgramThisIs(t *testing.T) {
	t.Parallel()
	wantSaid(t, "\ncommit ", "version")
	wantSaid(t, "\ngo1.", "version")
}

func TestTopics_CreatesThemAndSaysHowTheyDiffer(t *testing.T) {
	t.Parallel()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	at := "--kafka=" + kafka.ListenAddrs()[0]
	wantSaid(t, "all topics are as the settings say", "topics", at, "--partitions=4")
	wantSaid(t, "all topics are as the settings say", at, "topics", "--partitions=4", "--log-level=error") // settings may come first
	if out, err := said(t, "topics", at, "--partitions=8"); err == nil || !strings.Contains(err.Error(), "coupon_topic: number of partitions is 4, the settings say 8") {
		t.Errorf("%v, %s", err, out)
	}
}

func TestMigrate_MakesTheSchemaTheNewestOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mirror.db")
	for range 2 { // the second time there is nothing to do
		wantSaid(t, "the schema is the newest one: sqlite:"+path, "migrate", "--database-url=sqlite:"+path)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestBench_MeasuresARowAndWritesIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "results.json")
	wantSaid(t, "post to changed recommendation", "bench", "freshness", "--small", "--rounds=1", "--partitions=2", "--out="+path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var results struct {
		Kafka string `json:"kafka"`
		Rows  []struct {
			Row    string  `json:"row"`
			Tipoff float64 `json:"tipoff"`
			Met    *bool   `json:"met"`
		} `json:"rows"`
	}
	if err := json.Unmarshal(text, &results); err != nil || results.Kafka != "embedded" || len(results.Rows) == 0 {
		t.Fatalf("%v, %s", err, text)
	}
	judged := 0
	for _, row := range results.Rows {
		if row.Row != "freshness" || row.Tipoff <= 0 {
			t.Errorf("%+v", row)
		}
		if row.Met != nil {
			judged++
		}
	}
	if judged != 2 { // the median and the 99th percentile
		t.Errorf("%d rows have something to reach: %s", judged, text)
	}
	wantSaid(t, "left out: sink: set DATABASE_URL to a MySQL", "bench", "--only=sink", "--small", "--rounds=1", "--out="+path)
}

func TestMigrate_SaysWhatToDoWhenItCannot(t *testing.T) {
	t.Parallel()
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(damaged, []byte(strings.Repeat("not a database, ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"sqlite:" + damaged:               "put a copy of the file in its place",
		"mysql://u:hunter2@127.0.0.1:1/x": "see that it is up, and that DATABASE_URL has its host and port",
	} {
		if out, err := said(t, "migrate", "--database-url="+address); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, %s", address, err, out)
		}
	}
}
