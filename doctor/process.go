package doctor

import (
	"strings"

	"github.com/go-json-experiment/json"

	"tipoff/http"
	"tipoff/node"
)

const areaProcess = "process"

// checkProcess asks the process that listens where the settings say how it is.
func (e *examination) checkProcess() {
	if e.stopped() {
		e.report.add(Check{Area: areaProcess, Name: "ready", State: Skipped, Detail: "no process holds the folder"})
		return
	}
	url := e.Address.URL()
	said, err := node.Health(url, e.APIKey)
	if said == "" && err != nil {
		c := Check{Area: areaProcess, Name: "ready", State: Skipped, Detail: "nobody answers at " + url + " (TIPOFF_ADDR)"}
		if e.found.Held {
			c.State, c.Detail = Warning, "a process holds "+e.found.Folder+", and nobody answers at "+url
			c.Advice = []Advice{{Do: "give tipoff doctor the TIPOFF_ADDR of that process, or see in its log where it listens and what it does"}}
		}
		e.report.add(c)
		return
	}
	var r http.Readiness
	if json.Unmarshal([]byte(said), &r) != nil || len(r.Parts) == 0 {
		e.report.add(Check{Area: areaProcess, Name: "ready", State: Warning, Detail: "what answers at " + url + " is no Tipoff",
			Advice: []Advice{{Do: "set TIPOFF_ADDR to where it listens"}}})
		return
	}
	e.judgeReadiness(url, r)
}

// judgeReadiness says what a process says of its parts.
func (e *examination) judgeReadiness(url string, r http.Readiness) {
	if r.Ready {
		e.report.ok(areaProcess, "ready", "the process at %s is ready", url)
	} else {
		e.report.add(Check{Area: areaProcess, Name: "ready", State: Wrong, Detail: "the process at " + url + " is not ready",
			Advice: []Advice{{Do: "see its parts below and its log"}}})
	}
	for _, p := range r.Parts {
		lost := p.Name == "logs" && strings.Contains(p.Detail, "lost")
		if p.Ready && !lost {
			continue
		}
		c := Check{Area: areaProcess, Name: p.Name, State: Warning, Detail: p.Detail}
		if p.Needed || lost {
			c.State = Wrong
		}
		switch {
		case lost:
			c.Advice = []Advice{{Command: e.rebuildCommand()}}
		case p.Detail == "":
			c.Detail = "is not ready"
			c.Advice = []Advice{{Do: "set TIPOFF_API_KEY to the key of the process, which then says why"}}
		default:
			c.Advice = []Advice{{Do: "it says itself what it waits for", Command: []string{"tipoff", "health", "--url=" + url}}}
		}
		e.report.add(c)
	}
}
