package node

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"tipoff/broker"
	"tipoff/http"
	"tipoff/topics"
)

// Validate names the setting that is out of bounds.
func (f *Fleet) Validate() error {
	n := len(f.APINodes)
	switch {
	case n == 0 && f.APINode != 0:
		return fmt.Errorf("TIPOFF_API_NODE: is %d, and TIPOFF_API_NODES names no gateways: set both, or none", f.APINode)
	case n == 0:
		return nil
	case n&(n-1) != 0:
		return fmt.Errorf("TIPOFF_API_NODES: must name 2, 4, 8 or another power of two of gateways, so that each has equally many partitions, names %d", n)
	case f.APINode < 0 || f.APINode >= n:
		return fmt.Errorf("TIPOFF_API_NODE: must be the place of this gateway in TIPOFF_API_NODES, from 0 to %d, is %d", n-1, f.APINode)
	}
	for i, node := range f.APINodes {
		at, err := url.Parse(node)
		if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" || node != at.Scheme+"://"+at.Host {
			return fmt.Errorf("TIPOFF_API_NODES: number %d must be as http://host:port, with nothing behind it, is %q", i, node)
		}
		same := func(other string) bool { return strings.EqualFold(other, node) }
		if first := slices.IndexFunc(f.APINodes, same); first < i {
			return fmt.Errorf("TIPOFF_API_NODES: numbers %d and %d are the same, %s: name each gateway once", first, i, node)
		}
	}
	return nil
}

// checkShares is an error where there are more gateways than partitions of the tables that
// serve, which are as many as those of the facts unless they say otherwise: some would hold
// the same.
func (s *Settings) checkShares(serving topics.TableSet, ofFacts int) error {
	partitions := cmp.Or(serving.Partitions, ofFacts)
	if n := len(s.APINodes); n > partitions {
		return fmt.Errorf("TIPOFF_API_NODES: names %d gateways, and the tables have %d partitions: name %d at the most, or spread the tables over more first (tipoff rebuild --table-partitions %d)", n, partitions, partitions, n)
	}
	return nil
}

// holds says whether a user is in the share.
func (f *Fleet) holds(company, user string) bool {
	return topics.PartitionOf([]byte(topics.Key(company, user)), len(f.APINodes)) == f.APINode
}

func (f *Fleet) http() http.Fleet { return http.Fleet{Nodes: f.APINodes, Own: f.APINode} }

// shareOf is which part of a table a view has: of gateways that share the bettors each
// has some of them, and all of everything else. A learner beside them has one share too, and
// learns from the coupons of those.
func (r *runningSet) shareOf(table string) broker.Share {
	if f := r.node.settings.Fleet; table == r.TableBettors() {
		return broker.Share{Index: f.APINode, Of: len(f.APINodes)}
	}
	return broker.Share{}
}
