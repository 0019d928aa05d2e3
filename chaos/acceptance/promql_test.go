package acceptance

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// queries checks what is asked of Prometheus against what there is.
type queries struct {
	known map[string]series // by the name that is asked for
}

// targets are the labels that Prometheus itself gives to what it scrapes; see
// deploy/prometheus/prometheus.yml.
var targets = []string{"job", "instance", "service"}

var language = parser.NewParser(parser.Options{})

// labelsOf checks a query, and returns the labels that its result can have.
func (q queries) labelsOf(query string) (map[string]bool, error) {
	expr, err := language.ParseExpr(query)
	if err != nil {
		return nil, err
	}
	return q.check(expr)
}

// check returns the labels that the result can have. What is not a set of series has
// none.
func (q queries) check(expr parser.Expr) (map[string]bool, error) {
	switch e := expr.(type) {
	case *parser.VectorSelector:
		return q.selected(e)
	case *parser.MatrixSelector:
		return q.check(e.VectorSelector)
	case *parser.SubqueryExpr:
		return q.check(e.Expr)
	case *parser.ParenExpr:
		return q.check(e.Expr)
	case *parser.UnaryExpr:
		return q.check(e.Expr)
	case *parser.AggregateExpr:
		return q.aggregated(e)
	case *parser.BinaryExpr:
		return q.combined(e)
	case *parser.Call:
		return q.called(e)
	case *parser.NumberLiteral, *parser.StringLiteral:
		return nil, nil
	}
	return nil, fmt.Errorf("%s: the test does not know how to check %T", expr, expr)
}

// selected wants every label that a selector names to be on the metric, and every
// value that it asks for by name to have been seen.
func (q queries) selected(e *parser.VectorSelector) (map[string]bool, error) {
	metric, ok := q.known[e.Name]
	if !ok {
		return nil, fmt.Errorf("there is no metric %q", e.Name)
	}
	has := map[string]bool{}
	for name := range metric {
		has[name] = true
	}
	if !strings.Contains(e.Name, ":") && e.Name != "ALERTS" {
		for _, name := range targets {
			has[name] = true
		}
	}
	for _, m := range e.LabelMatchers {
		values := metric[m.Name]
		switch {
		case m.Name == model.MetricNameLabel:
		case !has[m.Name]:
			return nil, fmt.Errorf("%s has no label %q", e.Name, m.Name)
		case m.Type == labels.MatchEqual && len(values) > 0 && !values[m.Value]:
			return nil, fmt.Errorf("%s is never with %s=%q, but with %v", e.Name, m.Name, m.Value, slices.Sorted(maps.Keys(values)))
		}
	}
	return has, nil
}

func (q queries) aggregated(e *parser.AggregateExpr) (map[string]bool, error) {
	inner, err := q.check(e.Expr)
	if err != nil {
		return nil, err
	}
	left := map[string]bool{}
	if e.Without {
		left = maps.Clone(inner)
	}
	for _, name := range e.Grouping {
		if !inner[name] {
			return nil, fmt.Errorf("%s: nothing in it has the label %q", e, name)
		}
		if left[name] = true; e.Without {
			delete(left, name)
		}
	}
	if e.Op == parser.TOPK || e.Op == parser.BOTTOMK {
		return inner, nil
	}
	return left, nil
}

func (q queries) combined(e *parser.BinaryExpr) (map[string]bool, error) {
	left, failedLeft := q.check(e.LHS)
	right, failedRight := q.check(e.RHS)
	if err := errors.Join(failedLeft, failedRight); err != nil {
		return nil, err
	}
	m := e.VectorMatching
	if m == nil { // with a number
		return union(left, right), nil
	}
	for _, name := range m.MatchingLabels {
		if m.On && (!left[name] || !right[name]) {
			return nil, fmt.Errorf("%s: not both sides have the label %q", e, name)
		}
	}
	switch {
	case e.Op == parser.LOR:
		return union(left, right), nil
	case !m.On && len(m.MatchingLabels) == 0 && !maps.Equal(left, right):
		return nil, fmt.Errorf("%s: the sides have the labels %v and %v, so nothing of one is found in the other", e, left, right)
	case m.On && m.Card == parser.CardOneToOne && !e.Op.IsSetOperator():
		kept := map[string]bool{}
		for _, name := range m.MatchingLabels {
			kept[name] = true
		}
		return kept, nil
	}
	return left, nil
}

// called checks the arguments of a function.
func (q queries) called(e *parser.Call) (map[string]bool, error) {
	var of map[string]bool
	for _, arg := range e.Args {
		has, err := q.check(arg)
		if err != nil {
			return nil, err
		}
		of = union(of, has)
	}
	switch e.Func.Name {
	case "histogram_quantile":
		if !of["le"] {
			return nil, fmt.Errorf("%s: there is no label le to take it from", e)
		}
		delete(of, "le")
	case "absent":
		of = map[string]bool{}
		if s, ok := e.Args[0].(*parser.VectorSelector); ok {
			for _, m := range s.LabelMatchers {
				if m.Name != model.MetricNameLabel && m.Type == labels.MatchEqual {
					of[m.Name] = true
				}
			}
		}
	case "scalar", "time", "vector":
		return nil, nil
	}
	return of, nil
}

func union(a, b map[string]bool) map[string]bool {
	both := map[string]bool{}
	maps.Copy(both, a)
	maps.Copy(both, b)
	return both
}
