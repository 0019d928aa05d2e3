package acceptance

import (
	"bufio"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// compose loads docker-compose.yml, and the files that are laid over it, as docker
// compose does, with settings as .env would have them.
func compose(t *testing.T, settings map[string]string, over ...string) *types.Project {
	t.Helper()
	all := map[string]string{"MYSQL_PASSWORD": "a-password"}
	maps.Copy(all, settings)
	project, err := load(t, all, over...)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func load(t *testing.T, settings map[string]string, over ...string) (*types.Project, error) {
	t.Helper()
	return loadWith(t, nil, settings, over...)
}

// loadWith loads the services of profiles too.
func loadWith(t *testing.T, profiles []string, settings map[string]string, over ...string) (*types.Project, error) {
	t.Helper()
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	details := types.ConfigDetails{WorkingDir: folder, Environment: settings}
	for _, file := range append([]string{"docker-compose.yml"}, over...) {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: filepath.Join(folder, file)})
	}
	return loader.LoadWithContext(t.Context(), details, func(o *loader.Options) {
		o.SetProjectName("tipoff", true)
		o.Profiles = profiles
	})
}

// template reads template.env: every setting it explains, and those that are set.
func template(t *testing.T) (explained, set map[string]string) {
	t.Helper()
	file, err := os.Open(filepath.Join(root, "template.env"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	explained, set = map[string]string{}, map[string]string{}
	line := regexp.MustCompile(`^(#?)([A-Z_]+)=(.*)$`)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if m := line.FindStringSubmatch(lines.Text()); m != nil {
			explained[m[2]] = m[3]
			if m[1] == "" {
				set[m[2]] = m[3]
			}
		}
	}
	return explained, set
}

var ours = []string{"api", "processors", "learner", "sink"}

// composes are settings of docker-compose.yml that the program itself does not know.
var composes = []string{"MYSQL_PASSWORD", "TIPOFF_PUBLISH"}

func TestCompose_AndTemplateEnvSpeakOfTheSameSettings(t *testing.T) {
	explained, set := template(t)
	set["MYSQL_PASSWORD"] = "a-password" // the template leaves it to its reader
	project := compose(t, set)
	for _, name := range ours {
		for setting := range project.Services[name].Environment {
			if _, ok := explained[setting]; !ok {
				t.Errorf("%s: template.env does not explain %s", name, setting)
			}
		}
	}
	// What .env says reaches every process, but for the folder and the address of
	// the container.
	changed := map[string]string{}
	for setting := range explained {
		if !slices.Contains(composes, setting) {
			changed[setting] = "changed"
		}
	}
	for _, name := range ours {
		environment := compose(t, changed).Services[name].Environment
		for setting := range changed {
			value := environment[setting]
			switch setting {
			case "TIPOFF_DATA", "TIPOFF_SYNC", "TIPOFF_ADDR", "SQLALCHEMY_DATABASE_URI":
			case "TIPOFF_API_KEY":
				if name == "api" && (value == nil || *value != "changed") {
					t.Errorf("%s: %s does not reach it", name, setting)
				}
			default:
				if value == nil || *value != "changed" {
					t.Errorf("%s: %s does not reach it", name, setting)
				}
			}
		}
	}
	if got := *compose(t, map[string]string{"SQLALCHEMY_DATABASE_URI": "mysql://old"}).Services["sink"].Environment["DATABASE_URL"]; got != "mysql://old" {
		t.Errorf("the old service's variable: %s", got)
	}
}

func TestCompose_ExplainsEverySettingOfTheProgram(t *testing.T) {
	explained, _ := template(t)
	known := map[string]string{}
	for _, setting := range composes {
		known[setting] = ""
	}
	setting := regexp.MustCompile(`env:"([A-Z_,]+)"`)
	err := filepath.WalkDir(filepath.Join(root, "node"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, m := range setting.FindAllStringSubmatch(string(code), -1) {
			for _, name := range strings.Split(m[1], ",") {
				known[name] = ""
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if explains, knows := slices.Sorted(maps.Keys(explained)), slices.Sorted(maps.Keys(known)); !slices.Equal(explains, knows) {
		t.Errorf("template.env explains %v, the program knows %v", explains, knows)
	}
}

func TestCompose_HasWhatADeploymentNeeds(t *testing.T) {
	project := compose(t, nil)
	for _, name := range append([]string{"kafka", "mysql_db"}, ours...) {
		s, ok := project.Services[name]
		if !ok {
			t.Fatalf("no service %s", name)
		}
		if s.HealthCheck == nil || len(s.HealthCheck.Test) < 2 {
			t.Errorf("%s has no health check", name)
		}
		if s.Restart == "" {
			t.Errorf("%s is not started again", name)
		}
	}
	for _, name := range []string{"kafka", "mysql_db"} {
		if v := project.Services[name].Volumes; len(v) != 1 || v[0].Type != "volume" {
			t.Errorf("%s keeps its data in %v", name, v)
		}
	}
	if _, zookeeper := project.Services["zookeeper"]; zookeeper || *project.Services["kafka"].Environment["KAFKA_PROCESS_ROLES"] != "broker,controller" {
		t.Error("Kafka does not run in KRaft mode")
	}
	ports := project.Services["api"].Ports
	if len(ports) != 1 || ports[0].Published != "5000" || ports[0].Target != 5000 || ports[0].HostIP != "127.0.0.1" {
		t.Errorf("api publishes %v", ports)
	}
	if file := project.Services["api"].Build.Dockerfile; file != "deploy/Dockerfile" {
		t.Errorf("api is built from %s", file)
	}
}

// TestCompose_EveryCommandStartsWithItsEnvironment starts what docker compose
// would, with the names of its hosts mapped to real services, and does what the
// head of the file says.
func TestCompose_EveryCommandStartsWithItsEnvironment(t *testing.T) {
	s := realServices(t)
	_, set := template(t)
	set["MYSQL_PASSWORD"] = "a-password"
	project := compose(t, set)
	hosts := strings.NewReplacer(
		"kafka:9092", s.kafka,
		"mysql://tipoff:a-password@mysql_db/systems_programming", s.database,
		"0.0.0.0:5000", "127.0.0.1:0",
	)
	var api *process
	for _, name := range ours {
		service := project.Services[name]
		var env []string
		for setting, value := range service.Environment {
			env = append(env, setting+"="+hosts.Replace(*value))
		}
		env = append(env, "TIPOFF_LOG_FORMAT=text") // what the test reads
		p := launch(t, env, service.Command...)
		p.ready()
		if test := service.HealthCheck.Test; test[0] == "CMD" && test[1] == "tipoff" {
			p.tool(test[2], "--url", p.url)
		}
		if name == "api" {
			api = p
		}
	}
	if status, body, err := request("GET", api.url+"/hello", nil); err != nil || status != 200 || body != "Hello World" {
		t.Errorf("/hello: %d %s, %v", status, body, err)
	}
	api.tool("generate", "100", "--url", api.url)
	s.wantCount("SELECT COUNT(*) FROM coupons", 100)
}
