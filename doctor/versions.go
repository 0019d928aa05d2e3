package doctor

import (
	"fmt"

	"tipoff/node"
	"tipoff/state"
)

const areaVersions = "versions"

// checkVersions sees whether this program can read what others have written.
func (e *examination) checkVersions() {
	v := node.ThisVersion()
	e.report.ok(areaVersions, "program", "tipoff %s, %s; writes table values of version %d", v.Version, v.Go, state.TableVersion)
	switch {
	case e.survey == nil:
		e.unread(areaVersions, "tables", theBroker)
		return
	case e.stopped():
		e.report.add(Check{Area: areaVersions, Name: "tables", State: Skipped, Detail: "the next start reads the tables' values, and says which it does not know"})
		return
	}
	e.checkRebuild()
	var newer, older []string
	for _, name := range e.tableNames() {
		for number, p := range e.survey.Topics[name].Partitions {
			if p.Newest == nil || len(p.Newest.Value) == 0 {
				continue
			}
			version := p.Newest.Value[0]
			log := fmt.Sprintf("%s/%d has version %d", name, number, version)
			switch {
			case state.CheckVersion(p.Newest.Value) != nil:
				newer = append(newer, log)
			case version < state.TableVersion:
				older = append(older, log)
			}
		}
	}
	c := Check{Area: areaVersions, Name: "tables", State: OK, Detail: fmt.Sprintf("the newest value of every partition is of version %d or none is there", state.TableVersion)}
	switch {
	case len(newer) > 0:
		c.State, c.Detail = Wrong, "values that this program cannot read: "+some(newer)+"; their partitions wait"
		c.Advice = []Advice{{Do: "deploy the newer program that wrote them, or fill the tables again with this one:", Command: e.rebuildCommand()}}
	case len(older) > 0:
		c.Detail = "values of an older program are read, and written in the present form as they change: " + some(older)
	}
	e.report.add(c)
}

// checkRebuild says which table sets there are.
func (e *examination) checkRebuild() {
	sets := e.survey.Sets
	if sets.Filling == nil && sets.Retiring == nil {
		e.report.ok(areaVersions, "table sets", "%s serves, and no other is there", sets.Serving)
		return
	}
	detail := sets.Serving.String() + " serves"
	if sets.Filling != nil {
		detail += ", " + sets.Filling.String() + " is being filled"
	}
	if sets.Retiring != nil {
		detail += ", " + sets.Retiring.String() + " is kept up until the gateways have changed over"
	}
	e.report.add(Check{Area: areaVersions, Name: "table sets", State: Warning, Detail: detail + ": a rebuild is under way, or was interrupted",
		Advice: []Advice{{Do: "this says how far it is; without --status it goes on:", Command: append(e.rebuildCommand(), "--status")}}})
}
