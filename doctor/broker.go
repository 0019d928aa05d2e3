package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"tipoff/broker"
)

const (
	areaBroker = "broker"
	theBroker  = "the broker"
)

// checkBroker reads the broker, and sees whether it can be reached.
func (e *examination) checkBroker(ctx context.Context) {
	if e.found.Folder != "" {
		if _, err := os.Stat(e.found.Folder); errors.Is(err, fs.ErrNotExist) {
			e.report.add(Check{Area: areaBroker, Name: "reachable", State: Skipped,
				Detail: "there is no broker's folder " + e.found.Folder + " yet: the first start makes it", Advice: []Advice{{Command: e.roleCommand("run")}}})
			return
		}
	}
	survey, err := e.readBroker(ctx)
	if err != nil {
		e.report.add(e.unreachable(err))
		return
	}
	e.survey = survey
	if e.stopped() {
		e.report.ok(areaBroker, "folder", "no process holds %s; it was read as it lies there", e.found.Folder)
		e.checkDamage()
		return
	}
	at := make([]string, len(survey.Brokers))
	for i, b := range survey.Brokers {
		at[i] = b.Address
	}
	held := ""
	if e.found.Held {
		held = "a process holds " + e.found.Folder + ": its broker answers, "
	}
	e.report.ok(areaBroker, "reachable", "%s%s at %s", held, counted(int64(len(at)), "broker"), some(at))
	e.checkBrokerVersions()
	e.checkInSync()
	e.checkDamage()
}

// unreachable is the finding of a broker that cannot be read.
func (e *examination) unreachable(err error) Check {
	c := Check{Area: areaBroker, Name: "reachable", State: Wrong, Detail: err.Error()}
	switch {
	case e.stopped() && errors.Is(err, fs.ErrPermission):
		c.State, c.Advice = Unknown, []Advice{{Do: "run tipoff doctor as the user whom the folder belongs to"}, {Command: []string{"ls", "-ld", e.found.Folder}}}
	case e.stopped():
		c.State, c.Advice = Unknown, []Advice{{Do: "see what is there; a copy of the whole folder can take its place (docs/backup.md)"}, {Command: []string{"ls", "-la", e.found.Folder}}}
	case e.found.Held:
		c.Advice = []Advice{{Do: "a process holds " + e.found.Folder + ", and its broker does not answer: see its log, and start it again"}}
	case strings.Contains(err.Error(), "SASL") || strings.Contains(err.Error(), "KAFKA_"):
		c.Advice = []Advice{{Do: "set KAFKA_SECURITY_PROTOCOL and KAFKA_SASL_... as the brokers want them"}}
	default:
		c.Advice = []Advice{{Do: "see that the brokers run, and that KAFKA_BOOTSTRAP_SERVERS=" + e.Brokers + " has their addresses as this machine reaches them"}}
	}
	return c
}

// checkDamage says which logs hold bytes that cannot be read.
func (e *examination) checkDamage() {
	if len(e.survey.Damaged) == 0 {
		what := "the newest record of every partition can be read"
		if e.stopped() {
			what = "every batch of records is as it was written"
		}
		e.report.ok(areaBroker, "logs", "%s", what)
		return
	}
	if !e.stopped() {
		e.report.add(Check{Area: areaBroker, Name: "logs", State: Wrong, Detail: "the newest records cannot be read: " + some(e.survey.Damaged) + "; who reads there gets no further",
			Advice: []Advice{{Do: "see the broker's log and its disk, and whether another replica has it whole"}}})
		return
	}
	e.report.add(Check{Area: areaBroker, Name: "logs", State: Wrong,
		Detail: "damaged bytes in " + some(e.survey.Damaged) + ": the next start cuts each log off there, and keeps what it cut off in files beside",
		Advice: []Advice{{Do: "put a copy of the whole folder in its place (docs/backup.md), or have the tables filled from the database:"}, {Command: e.rebuildCommand()}}})
}

// checkBrokerVersions sees whether all brokers answer and are of one version that is new
// enough.
func (e *examination) checkBrokerVersions() {
	var versions, silent, old []string
	for _, b := range e.survey.Brokers {
		switch {
		case b.Version == "":
			silent = append(silent, fmt.Sprintf("%d (%s)", b.ID, b.Address))
			continue
		case !b.Supported:
			old = append(old, fmt.Sprintf("%d is %s", b.ID, b.Version))
		}
		if !slices.Contains(versions, b.Version) {
			versions = append(versions, b.Version)
		}
	}
	c := Check{Area: areaBroker, Name: "versions", State: OK, Detail: "Kafka " + strings.Join(versions, ", ")}
	switch {
	case len(silent) > 0:
		c.State, c.Detail = Wrong, "broker "+some(silent)+" does not answer"
		c.Advice = []Advice{{Do: "start it, or see that this machine reaches the address that it announces (advertised.listeners)"}}
	case len(old) > 0:
		c.State, c.Detail = Wrong, "broker "+some(old)+", and Tipoff needs Kafka 3.0 or newer"
		c.Advice = []Advice{{Do: "upgrade the brokers"}}
	case len(versions) > 1:
		c.State, c.Detail = Warning, "the brokers are of several versions: "+strings.Join(versions, ", ")
		c.Advice = []Advice{{Do: "finish the upgrade"}}
	case e.found.Folder != "":
		c.Detail = "the broker inside the process, of this program's own version"
	}
	e.report.add(c)
}

// checkInSync sees whether every partition has a leader and all its replicas.
func (e *examination) checkInSync() {
	var headless, short, behind []string
	missing := map[int32]bool{}
	for _, name := range e.topicNames() {
		topic := e.survey.Topics[name]
		need, err := strconv.Atoi(topic.Settings["min.insync.replicas"])
		if err != nil {
			need = 1
		}
		for number, p := range topic.Partitions {
			log := fmt.Sprintf("%s/%d", name, number)
			switch {
			case p.Leader < 0:
				headless = append(headless, log)
			case len(p.InSync) < min(need, len(p.Replicas)):
				short = append(short, log)
			case len(p.InSync) < len(p.Replicas):
				behind = append(behind, log)
			}
			for _, replica := range p.Replicas {
				if !slices.Contains(p.InSync, replica) {
					missing[replica] = true
				}
			}
		}
	}
	e.report.add(judgeInSync(headless, short, behind, e.missingBrokers(missing)))
}

func judgeInSync(headless, short, behind []string, start string) Check {
	c := Check{Area: areaBroker, Name: "in sync", State: OK, Detail: "every partition has a leader and all its replicas in sync"}
	switch {
	case len(headless) > 0:
		c.State, c.Detail = Wrong, "no leader: "+some(headless)+"; nothing is read or written there"
	case len(short) > 0:
		c.State, c.Detail = Wrong, "fewer replicas in sync than a post needs: "+some(short)+"; posts are answered 503"
	case len(behind) > 0:
		c.State, c.Detail = Warning, "a replica is not in sync: "+some(behind)
	}
	if c.State != OK {
		c.Advice = []Advice{{Do: start}}
	}
	return c
}

// missingBrokers says which brokers must come back.
func (e *examination) missingBrokers(missing map[int32]bool) string {
	var names []string
	for id := range missing {
		name := strconv.Itoa(int(id))
		if i := slices.IndexFunc(e.survey.Brokers, func(b broker.SurveyedBroker) bool { return b.ID == id }); i >= 0 {
			name += " (" + e.survey.Brokers[i].Address + ", which is up: it copies, or its disk is slow)"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "see the brokers' logs"
	}
	return "start broker " + some(names)
}
