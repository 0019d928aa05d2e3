package acceptance

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"go.yaml.in/yaml/v4"
)

// dashboard is one of deploy/grafana/dashboards, as far as the tests look at it.
type dashboard struct {
	UID           string `json:"uid"`
	Title         string `json:"title"`
	SchemaVersion int    `json:"schemaVersion"`
	Editable      bool   `json:"editable"`
	Templating    struct {
		List []struct {
			Name       string     `json:"name"`
			Datasource datasource `json:"datasource"`
			Definition string     `json:"definition"`
			Query      struct {
				Query string `json:"query"`
			} `json:"query"`
		} `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type datasource struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

type panel struct {
	ID          int        `json:"id"`
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Datasource  datasource `json:"datasource"`
	GridPos     struct {
		X int `json:"x"`
		Y int `json:"y"`
		W int `json:"w"`
		H int `json:"h"`
	} `json:"gridPos"`
	Targets []struct {
		RefID  string `json:"refId"`
		Expr   string `json:"expr"`
		Legend string `json:"legendFormat"`
	} `json:"targets"`
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	all := map[string]dashboard{}
	for _, name := range []string{"overview", "pipeline", "quality"} {
		text, err := os.ReadFile(filepath.Join(root, "deploy/grafana/dashboards", name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = d
	}
	return all
}

// asked is a panel's query as Prometheus gets it.
func asked(expr string) string {
	return strings.NewReplacer("$__rate_interval", "1m", "$company", "acme").Replace(expr)
}

var legendLabel = regexp.MustCompile(`{{\s*(\w+)\s*}}`)

func TestGrafana_EveryPanelAsksForWhatIsThere(t *testing.T) {
	q := known(t)
	for name, d := range dashboards(t) {
		for _, p := range d.Panels {
			if len(p.Targets) == 0 {
				t.Errorf("%s: %q asks for nothing", name, p.Title)
			}
			for _, target := range p.Targets {
				has, err := q.labelsOf(asked(target.Expr))
				if err != nil {
					t.Errorf("%s: %q: %v", name, p.Title, err)
					continue
				}
				for _, m := range legendLabel.FindAllStringSubmatch(target.Legend, -1) {
					if !has[m[1]] {
						t.Errorf("%s: the legend of %q names the label %q, and what it asks for has %v", name, p.Title, m[1], has)
					}
				}
			}
		}
		valuesOf := regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`)
		for _, v := range d.Templating.List {
			m := valuesOf.FindStringSubmatch(v.Definition)
			if m == nil || v.Query.Query != v.Definition {
				t.Errorf("%s: the variable %s is of %q and %q", name, v.Name, v.Definition, v.Query.Query)
			} else if _, there := q.known[m[1]][m[2]]; !there {
				t.Errorf("%s: the variable %s asks for a label %s that %s does not have", name, v.Name, m[2], m[1])
			}
		}
	}
}

// TestGrafana_PrometheusUnderstandsEveryQuery has promtool read the panels' queries as
// if they were rules.
func TestGrafana_PrometheusUnderstandsEveryQuery(t *testing.T) {
	type record struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	type group struct {
		Name  string   `yaml:"name"`
		Rules []record `yaml:"rules"`
	}
	var groups struct {
		Groups []group `yaml:"groups"`
	}
	for name, d := range dashboards(t) {
		g := group{Name: name}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				g.Rules = append(g.Rules, record{fmt.Sprintf("%s:panel%d:%s", name, p.ID, target.RefID), asked(target.Expr)})
			}
		}
		groups.Groups = append(groups.Groups, g)
	}
	text, err := yaml.Marshal(groups)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := promtool(t, "", "check", "rules", file); err != nil {
		t.Errorf("promtool check rules: %v\n%s\n%s", err, said, text)
	}
}

func TestGrafana_DashboardsAreWhole(t *testing.T) {
	var sources struct {
		Datasources []struct{ Name, UID, Type, URL string }
	}
	readYAML(t, "grafana/provisioning/datasources/prometheus.yml", &sources)
	if len(sources.Datasources) != 1 {
		t.Fatalf("the sources of data are %+v", sources)
	}
	source := datasource{sources.Datasources[0].Type, sources.Datasources[0].UID}
	uids := map[string]bool{}
	for name, d := range dashboards(t) {
		if d.SchemaVersion != 42 || d.Editable || d.Title != "Tipoff: "+name || d.UID != "tipoff-"+name || uids[d.UID] {
			t.Errorf("%s: uid %q, title %q, schema %d, editable %v", name, d.UID, d.Title, d.SchemaVersion, d.Editable)
		}
		uids[d.UID] = true
		ids, taken := map[int]bool{}, map[[2]int]string{}
		for _, p := range d.Panels {
			if ids[p.ID] || p.Title == "" || p.Description == "" || p.Datasource != source || !slices.Contains([]string{"stat", "timeseries"}, p.Type) {
				t.Errorf("%s: panel %d, %q of type %q, asks %v: its number must be its own, its title and description there, and its source %v", name, p.ID, p.Title, p.Type, p.Datasource, source)
			}
			ids[p.ID] = true
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other, is := taken[[2]int{x, y}]; is || x >= 24 {
						t.Fatalf("%s: %q stands over %q, or beyond the edge", name, p.Title, cmp.Or(other, "nothing"))
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
		for _, v := range d.Templating.List {
			if v.Datasource != source {
				t.Errorf("%s: the variable %s asks %v", name, v.Name, v.Datasource)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "deploy/grafana/dashboards/*"))
	if err != nil || len(files) != len(uids) {
		t.Errorf("%v, %v: want %v", files, err, slices.Sorted(maps.Keys(uids)))
	}
}
