package rebuild

import (
	"fmt"
	"maps"
	"slices"

	"github.com/lovoo/goka"

	"tipoff/processors"
	"tipoff/topics"
)

// flow is how records run through the groups that fill a table set. It is what the
// processors' graphs say: an input that nobody has thought of here would let the
// tables serve before they hold everything.
type flow struct {
	reads  map[string][]string // topics, by group
	writes map[string][]string // topics, by group
	loops  map[string]bool     // topics by which a group writes to itself
}

// flowOf is the flow into a table set.
func flowOf(set topics.TableSet) (flow, error) {
	var graphs []*goka.GroupGraph
	for _, table := range processors.Tables() {
		graphs = append(graphs, table.Graph(nil, set))
	}
	f, err := flowThrough(graphs)
	if set.Copied {
		f.reads[set.Copier()] = topics.Facts()
		for _, fact := range topics.Facts() {
			f.writes[set.Copier()] = append(f.writes[set.Copier()], set.Facts(fact))
		}
	}
	return f, err
}

func flowThrough(graphs []*goka.GroupGraph) (flow, error) {
	f := flow{reads: map[string][]string{}, writes: map[string][]string{}, loops: map[string]bool{}}
	for _, graph := range graphs {
		group := string(graph.Group())
		if tables := append(graph.JointTables(), graph.LookupTables()...); len(tables) > 0 {
			return f, fmt.Errorf("%s reads table %s: the broker does not know how far it has come with that, so a rebuild cannot wait for it", group, tables[0].Topic())
		}
		for _, input := range graph.InputStreams() {
			f.reads[group] = append(f.reads[group], input.Topic())
		}
		for _, output := range graph.OutputStreams() {
			f.writes[group] = append(f.writes[group], output.Topic())
		}
		if loop := graph.LoopStream(); loop != nil {
			f.reads[group] = append(f.reads[group], loop.Topic())
			f.writes[group] = append(f.writes[group], loop.Topic())
			f.loops[loop.Topic()] = true
		}
	}
	return f, nil
}

// hops is how many groups a record passes, with all that follows from it, on its
// longest way: no topic twice, but for loops, of which the processors say how often.
func (f flow) hops() int {
	passes := map[string]int{} // of each topic, on the way here
	var from func(topic string) int
	from = func(topic string) (longest int) {
		most := 1
		if f.loops[topic] {
			most = processors.LoopPasses
		}
		if passes[topic] == most {
			return 0
		}
		passes[topic]++
		defer func() { passes[topic]-- }()
		for group, names := range f.reads {
			if !slices.Contains(names, topic) {
				continue
			}
			longest = max(longest, 1)
			for _, next := range f.writes[group] {
				longest = max(longest, 1+from(next))
			}
		}
		return longest
	}
	longest := 0
	for _, names := range f.reads {
		for _, topic := range names {
			longest = max(longest, from(topic))
		}
	}
	return longest
}

// groups are those of the flow.
func (f flow) groups() []string { return slices.Sorted(maps.Keys(f.reads)) }
