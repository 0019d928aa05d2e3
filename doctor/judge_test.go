package doctor

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"tipoff/broker"
	"tipoff/node"
	"tipoff/topics"
)

// with is an examination whose settings are the defaults but for what change does.
func with(change func(*Options)) *examination {
	o := &Options{Settings: node.Settings{
		Address: node.Address{Addr: "127.0.0.1:5000"}, Folder: node.Folder{Data: "./data"},
		Kafka:   node.Kafka{SecurityProtocol: "PLAINTEXT", SASLMechanism: "PLAIN"},
		Topics:  node.Topics{Retention: 720 * time.Hour},
		Waiting: node.Waiting{EventWait: 168 * time.Hour},
	}}
	change(o)
	return &examination{Options: o, report: newReport()}
}

func (r *Report) find(name string) Check {
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	return Check{}
}

func TestSettings_ThatMakeNoSenseTogetherAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		state  State
	}{
		"bounds":             {func(o *Options) { o.Partitions = 3 }, Wrong},
		"TIPOFF_REPLICATION": {func(o *Options) { o.Replication = 3 }, Wrong},
		"TIPOFF_API_NODES":   {func(o *Options) { o.APINodes = []string{"http://a:1", "http://b:1"} }, Wrong},
		"KAFKA_SASL_USERNAME": {func(o *Options) {
			o.Brokers, o.SASLUsername, o.DatabaseURL = "a:9092", "u", "mysql://h/d"
		}, Wrong},
		"KAFKA_SASL_MECHANISM": {func(o *Options) {
			o.Brokers, o.SASLUsername, o.SASLPassword, o.SecurityProtocol = "a:9092", "u", "p", "SASL_PLAINTEXT"
		}, Warning},
		"KAFKA_SSL_...":           {func(o *Options) { o.Brokers, o.CALocation = "a:9092", "/ca.pem" }, Wrong},
		"TIPOFF_EVENT_WAIT":       {func(o *Options) { o.EventWait = 0 }, Warning},
		"DATABASE_URL":            {func(o *Options) { o.Brokers = "a:9092" }, Warning},
		"KAFKA_BOOTSTRAP_SERVERS": {func(o *Options) { o.DatabaseURL = "mysql://h/d" }, Warning},
		"TIPOFF_SYNC":             {func(o *Options) { o.Brokers, o.DatabaseURL, o.Sync = "a:9092", "mysql://h/d", true }, Warning},
		"TIPOFF_ADDR":             {func(o *Options) { o.Addr = "nowhere" }, Wrong},
		"TIPOFF_API_KEY":          {func(o *Options) { o.Addr = ":5000" }, Warning},
		"TIPOFF_HIDE_DOCS":        {func(o *Options) { o.HideDocs = true }, Warning},
	} {
		e := with(c.change)
		e.checkSettings()
		if found := e.report.find(name); found.State != c.state || len(found.Advice) == 0 {
			t.Errorf("%s: %+v", name, e.report.Checks)
		}
	}
	e := with(func(*Options) {})
	e.checkSettings()
	for _, c := range e.report.Checks {
		if c.State != OK {
			t.Errorf("the defaults: %+v", c)
		}
	}
}

func TestBrokerClock_IsToldByWhatItDated(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		appended, received time.Duration // after now
		state              State
		says               string
	}{
		{-time.Hour, -time.Hour - time.Second, OK, "as this machine's"},
		{10 * time.Second, 10 * time.Second, Warning, "10s ahead of this machine's"},
		{2 * time.Minute, 0, Wrong, "2m0s ahead of this machine's"},
		{-time.Hour, -time.Hour + 5*time.Second, Warning, "5s behind a gateway's"},
		{-time.Hour, 0, Wrong, "1h0m0s behind a gateway's"},
	} {
		e := with(func(*Options) {})
		e.survey = &broker.Survey{At: now, Topics: map[string]broker.SurveyedTopic{
			topics.Users: {Partitions: []broker.SurveyedPartition{{}, {Newest: &broker.SurveyedRecord{Appended: now.Add(c.appended), Received: now.Add(c.received)}}}},
		}}
		e.checkBrokerClock()
		if got := e.report.find("broker"); got.State != c.state || !strings.Contains(got.Detail, c.says) {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

func TestRoom_AndFilesWarnBeforeTheyRunOut(t *testing.T) {
	for free, want := range map[uint64]State{100 << 20: Wrong, 1 << 30: Warning, 4 << 30: Warning, 50 << 30: OK} {
		if c := judgeRoom("/data", free, 100<<30); c.State != want {
			t.Errorf("%d bytes free: %+v", free, c)
		}
	}
	for files, want := range map[uint64]State{0: Skipped, 256: Wrong, 4096: Warning, 20_000: OK, 1 << 63: OK} {
		if c := judgeFiles(files); c.State != want {
			t.Errorf("%d files: %+v", files, c)
		}
	}
}

func TestInSync_SaysWhatTheLackOfReplicasMeans(t *testing.T) {
	for _, c := range []struct {
		in    []int32
		lead  int32
		state State
		says  string
	}{
		{[]int32{1, 2, 3}, 1, OK, "all its replicas"},
		{[]int32{1, 2}, 1, Warning, "coupon_topic/0"},
		{[]int32{1}, 1, Wrong, "503"},
		{nil, -1, Wrong, "no leader"},
	} {
		e := with(func(*Options) {})
		e.survey = &broker.Survey{Topics: map[string]broker.SurveyedTopic{topics.Coupons: {
			Settings:   map[string]string{"min.insync.replicas": "2"},
			Partitions: []broker.SurveyedPartition{{Leader: c.lead, Replicas: []int32{1, 2, 3}, InSync: c.in}},
		}}}
		e.checkInSync()
		if got := e.report.find("in sync"); got.State != c.state || !strings.Contains(got.Detail, c.says) {
			t.Errorf("%v in sync: %+v", c.in, got)
		}
	}
}

func TestReport_IsALineACheckWhateverOthersHaveWritten(t *testing.T) {
	r := newReport()
	r.add(Check{Area: "broker", Name: "reachable", State: Wrong, Detail: "no\nsuch \x1b[2Jhost", Advice: []Advice{{Command: []string{"tipoff", "topics", "--data=/my data"}}}})
	r.ok("disk", "room", "much")
	var plain, coloured bytes.Buffer
	if err := r.WriteText(&plain, false); err != nil {
		t.Fatal(err)
	}
	want := "wrong    broker  reachable  no such  [2Jhost\n           $ tipoff topics '--data=/my data'\nok       disk    room       much\n2 checks: 1 wrong\n"
	if plain.String() != want {
		t.Errorf("%q, want %q", plain.String(), want)
	}
	if err := r.WriteText(&coloured, true); err != nil || !strings.Contains(coloured.String(), "\x1b[31mwrong   \x1b[0m broker") {
		t.Errorf("%q, %v", coloured.String(), err)
	}
}

func TestReport_EndsWithTheStatusOfTheWorst(t *testing.T) {
	for _, c := range []struct {
		states []State
		strict bool
		want   int
	}{
		{[]State{OK, Skipped, Warning}, false, 0}, {[]State{OK, Warning}, true, ExitWrong}, {[]State{Unknown, Warning}, false, ExitUnknown},
		{[]State{Unknown, Wrong}, false, ExitWrong}, {nil, true, 0},
	} {
		r := newReport()
		for _, s := range c.states {
			r.add(Check{State: s})
		}
		if got := r.Conclude(c.strict); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestCommands_HoldNoPassword(t *testing.T) {
	e := with(func(o *Options) {
		o.Brokers, o.SASLUsername, o.SASLPassword, o.APIKey = "a:9092", "u", "hunter2", "hunter2hunter2hunter2"
		o.DatabaseURL = "mysql://u:hunter2@127.0.0.1:1/d"
	})
	for _, command := range [][]string{e.topicsCommand(), e.rebuildCommand(), e.migrateCommand(), e.roleCommand("sink"), e.roleCommand("api")} {
		if strings.Contains(words(command), "hunter2") {
			t.Error(command)
		}
	}
	if got := words(e.topicsCommand("--alter")); got != "tipoff topics --alter --kafka=a:9092" {
		t.Error(got)
	}
}
