package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const cluster = "docker-compose.cluster.yml"

func TestCompose_GivesNoServiceMoreThanItNeeds(t *testing.T) {
	for name, s := range compose(t, nil, cluster).Services {
		if !slices.Equal(s.CapDrop, []string{"ALL"}) || len(s.CapAdd) > 0 || s.Privileged {
			t.Errorf("%s drops capabilities %v and adds %v", name, s.CapDrop, s.CapAdd)
		}
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may gain privileges: %v", name, s.SecurityOpt)
		}
		if s.MemLimit == 0 || s.PidsLimit == 0 {
			t.Errorf("%s may take all memory or processes", name)
		}
		if s.Logging == nil || s.Logging.Options["max-size"] == "" || s.Logging.Options["max-file"] == "" {
			t.Errorf("the log of %s grows without end: %+v", name, s.Logging)
		}
		if name != "api" && len(s.Ports) > 0 {
			t.Errorf("%s publishes %v", name, s.Ports)
		}
		if s.User == "root" || s.User == "0" {
			t.Errorf("%s runs as %s", name, s.User)
		}
	}
	for _, name := range ours {
		s := compose(t, nil).Services[name]
		if !s.ReadOnly {
			t.Errorf("%s may write to its image", name)
		}
		if v := s.Volumes; len(v) != 1 || v[0].Target != "/certs" || !v[0].ReadOnly {
			t.Errorf("%s has the volumes %v, want its certificates", name, v)
		}
	}
}

func TestCompose_HasNoPasswordOfItsOwn(t *testing.T) {
	for _, settings := range []map[string]string{nil, {"MYSQL_PASSWORD": ""}} {
		if _, err := load(t, settings); err == nil || !strings.Contains(err.Error(), "MYSQL_PASSWORD") || !strings.Contains(err.Error(), ".env") {
			t.Errorf("without a password: %v", err)
		}
	}
	project := compose(t, nil)
	if mysql := project.Services["mysql_db"].Environment; *mysql["MYSQL_USER"] != "tipoff" || *mysql["MYSQL_PASSWORD"] != "a-password" || mysql["MYSQL_ROOT_PASSWORD"] != nil {
		t.Errorf("MySQL's users are made from %v", mysql)
	}
	for _, name := range ours {
		if address := *project.Services[name].Environment["DATABASE_URL"]; address != "mysql://tipoff:a-password@mysql_db/systems_programming" {
			t.Errorf("%s uses %s", name, address)
		}
	}
}

func TestCompose_PublishesTheGatewayElsewhereWhereItIsTold(t *testing.T) {
	ports := compose(t, map[string]string{"TIPOFF_PUBLISH": "0.0.0.0:8080"}).Services["api"].Ports
	if len(ports) != 1 || ports[0].HostIP != "0.0.0.0" || ports[0].Published != "8080" || ports[0].Target != 5000 {
		t.Errorf("api publishes %v", ports)
	}
}

// TestCompose_ThreeBrokersAreInsideTheGuarantee holds the file of the cluster against
// the fourth sentence of the guarantee in docs/reliability.md.
func TestCompose_ThreeBrokersAreInsideTheGuarantee(t *testing.T) {
	_, set := template(t)
	set["MYSQL_PASSWORD"] = "a-password"
	project := compose(t, set, cluster)
	seen := map[string]string{}
	for i, name := range []string{"kafka", "kafka2", "kafka3"} {
		s, there := project.Services[name]
		if !there {
			t.Fatalf("no service %s", name)
		}
		for setting, want := range map[string]string{
			"KAFKA_NODE_ID":                                  fmt.Sprint(i + 1),
			"KAFKA_ADVERTISED_LISTENERS":                     "PLAINTEXT://" + name + ":9092",
			"KAFKA_CONTROLLER_QUORUM_VOTERS":                 "1@kafka:9093,2@kafka2:9093,3@kafka3:9093",
			"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR":         "3",
			"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "3",
			"KAFKA_MIN_INSYNC_REPLICAS":                      "2",
			"KAFKA_UNCLEAN_LEADER_ELECTION_ENABLE":           "false",
			"KAFKA_LOG_DIRS":                                 "/var/lib/kafka/data",
			"CLUSTER_ID":                                     *project.Services["kafka"].Environment["CLUSTER_ID"],
		} {
			if is := s.Environment[setting]; is == nil || *is != want {
				t.Errorf("%s: %s is %v, want %s", name, setting, is, want)
			}
		}
		if len(s.Volumes) != 1 || s.Volumes[0].Target != "/var/lib/kafka/data" || seen[s.Volumes[0].Source] != "" {
			t.Errorf("%s keeps its data in %v", name, s.Volumes)
		} else {
			seen[s.Volumes[0].Source] = name
		}
		if s.HealthCheck == nil || s.Restart == "" {
			t.Errorf("%s is not looked after", name)
		}
	}
	for _, name := range ours {
		s := project.Services[name]
		if *s.Environment["KAFKA_BOOTSTRAP_SERVERS"] != "kafka:9092,kafka2:9092,kafka3:9092" || *s.Environment["TIPOFF_REPLICATION"] != "3" {
			t.Errorf("%s: %s, %s replicas", name, *s.Environment["KAFKA_BOOTSTRAP_SERVERS"], *s.Environment["TIPOFF_REPLICATION"])
		}
		for _, kafka := range []string{"kafka", "kafka2", "kafka3"} {
			if s.DependsOn[kafka].Condition != "service_healthy" {
				t.Errorf("%s does not wait for %s", name, kafka)
			}
		}
	}
	if command := strings.Join(project.Services["mysql_db"].Command, " "); !strings.Contains(command, "flush-log-at-trx-commit=1") || !strings.Contains(command, "sync-binlog=1") {
		t.Errorf("MySQL's commits may not last: %s", command)
	}
}
