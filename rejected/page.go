package rejected

import (
	"cmp"
	"fmt"
)

// byTime is the order of lists; where times are the same, that of the topic.
func byTime(a, b *rejection) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.on.partition, b.on.partition), cmp.Compare(a.on.offset, b.on.offset))
}

// page is a part of a list: what is older than a rejection. The nil page is all of it.
type page struct{ before rejection }

// before is the page before the rejection with the id; "": all.
func (g *rejections) before(id string) (*page, error) {
	if id == "" {
		return nil, nil
	}
	at, open := g.open[id]
	if !open {
		return nil, fmt.Errorf("--before: no rejection that is still open has this id: begin again without it")
	}
	return &page{rejection{At: at.appended, on: at}}, nil
}

func (p *page) holds(r *rejection) bool { return p == nil || byTime(r, &p.before) < 0 }
