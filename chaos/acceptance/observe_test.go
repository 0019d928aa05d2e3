package acceptance

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// observed are the services of the profile that watches Tipoff.
var observed = []string{"prometheus", "grafana"}

// observe loads docker-compose.yml with that profile.
func observe(t *testing.T, settings map[string]string, over ...string) *types.Project {
	t.Helper()
	all := map[string]string{"MYSQL_PASSWORD": "a-password"}
	maps.Copy(all, settings)
	project, err := loadWith(t, []string{"observe"}, all, over...)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestObserve_IsThereOnlyWhereItIsAskedFor(t *testing.T) {
	for _, over := range [][]string{nil, {cluster}} {
		without, with := compose(t, nil, over...).Services, observe(t, nil, over...).Services
		for _, name := range observed {
			if _, there := without[name]; there {
				t.Errorf("%v: %s runs without its profile", over, name)
			}
			if _, there := with[name]; !there {
				t.Errorf("%v: %s does not run with its profile", over, name)
			}
		}
		if len(with) != len(without)+len(observed) {
			t.Errorf("%v: %d services without the profile, %d with it", over, len(without), len(with))
		}
	}
}

func TestObserve_GivesNoServiceMoreThanItNeeds(t *testing.T) {
	version := regexp.MustCompile(`:v?\d+\.\d+\.\d+$`)
	for _, name := range observed {
		s := observe(t, nil).Services[name]
		if !version.MatchString(s.Image) {
			t.Errorf("%s is not of one version: %s", name, s.Image)
		}
		if !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 || s.Privileged || !s.ReadOnly || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may do more than it needs to", name)
		}
		if s.MemLimit == 0 || s.PidsLimit == 0 || s.Logging == nil || s.Logging.Options["max-size"] == "" {
			t.Errorf("%s has no bounds", name)
		}
		if s.HealthCheck == nil || s.Restart == "" {
			t.Errorf("%s is not looked after", name)
		}
		if len(s.Ports) != 1 || s.Ports[0].HostIP != "127.0.0.1" {
			t.Errorf("%s, which asks for no key, is published on %v", name, s.Ports)
		}
		for _, v := range s.Volumes {
			if v.Type == "bind" && !v.ReadOnly {
				t.Errorf("%s may write to %s", name, v.Source)
			}
		}
	}
	env := observe(t, nil).Services["grafana"].Environment
	for setting, want := range map[string]string{
		"GF_AUTH_ANONYMOUS_ENABLED": "true", "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer", "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "true",
		"GF_AUTH_DISABLE_LOGIN_FORM": "true", "GF_AUTH_BASIC_ENABLED": "false", "GF_SERVER_ENFORCE_DOMAIN": "true",
	} {
		if is := env[setting]; is == nil || *is != want {
			t.Errorf("grafana's %s is %v, want %s", setting, is, want)
		}
	}
}

// mounted is the file of this repository that a service sees at a path.
func mounted(t *testing.T, s types.ServiceConfig, path string) string {
	t.Helper()
	for _, v := range s.Volumes {
		if inside, is := strings.CutPrefix(path, v.Target+"/"); is && v.Type == "bind" {
			return filepath.Join(v.Source, inside)
		}
	}
	t.Errorf("%s sees no %s", s.Name, path)
	return ""
}

// TestObserve_EachFindsTheOther: what is mounted where, and what is asked at which
// address.
func TestObserve_EachFindsTheOther(t *testing.T) {
	project := observe(t, nil)
	prometheus, grafana := project.Services["prometheus"], project.Services["grafana"]
	paths := []string{mounted(t, prometheus, "/etc/prometheus/prometheus.yml")}
	var settings struct {
		RuleFiles     []string `yaml:"rule_files"`
		ScrapeConfigs []struct {
			JobName      string `yaml:"job_name"`
			DNSSDConfigs []struct {
				Names []string
				Port  int
			} `yaml:"dns_sd_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, "prometheus/prometheus.yml", &settings)
	for _, file := range settings.RuleFiles {
		paths = append(paths, mounted(t, prometheus, "/etc/prometheus/"+file))
	}
	scraped := map[string]int{}
	for _, c := range settings.ScrapeConfigs {
		for _, d := range c.DNSSDConfigs {
			for _, name := range d.Names {
				scraped[c.JobName+" "+name] = d.Port
			}
		}
	}
	for _, name := range ours {
		address := *project.Services[name].Environment["TIPOFF_ADDR"]
		if want := fmt.Sprint("0.0.0.0:", scraped["tipoff "+name]); address != want {
			t.Errorf("%s listens on %s and is scraped at %s", name, address, want)
		}
	}
	var provided struct {
		Providers []struct{ Options struct{ Path string } }
	}
	readYAML(t, "grafana/provisioning/dashboards/tipoff.yml", &provided)
	for name := range dashboards(t) {
		paths = append(paths, mounted(t, grafana, provided.Providers[0].Options.Path+"/"+name+".json"))
	}
	paths = append(paths, mounted(t, grafana, *grafana.Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]))
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	var sources struct{ Datasources []struct{ URL string } }
	readYAML(t, "grafana/provisioning/datasources/prometheus.yml", &sources)
	if want := fmt.Sprintf("http://prometheus:%d", prometheus.Ports[0].Target); sources.Datasources[0].URL != want {
		t.Errorf("grafana asks %s, want %s", sources.Datasources[0].URL, want)
	}
}

// TestObserve_PrometheusHasTheGatewaysKey runs what stands before Prometheus in its
// container, with another program in its place.
func TestObserve_PrometheusHasTheGatewaysKey(t *testing.T) {
	for key, want := range map[string]string{"a key's $value": "a key's $value", "": "none"} {
		s := observe(t, map[string]string{"TIPOFF_API_KEY": key}).Services["prometheus"]
		folder := t.TempDir()
		instead := strings.NewReplacer("/tmp/", folder+"/", "/bin/prometheus", "/bin/echo")
		var args []string
		for _, arg := range slices.Concat(s.Entrypoint, s.Command) {
			args = append(args, instead.Replace(arg))
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = []string{"TIPOFF_API_KEY=" + *s.Environment["TIPOFF_API_KEY"]}
		said, err := cmd.CombinedOutput()
		if err != nil || strings.TrimSpace(string(said)) != strings.Join(s.Command, " ") {
			t.Errorf("%v: it gets the arguments %s", err, said)
		}
		if held, err := os.ReadFile(filepath.Join(folder, "api-key")); err != nil || string(held) != want {
			t.Errorf("the file holds %q, want %q: %v", held, want, err)
		}
	}
}
