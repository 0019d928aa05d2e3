package sink

import (
	"context"
	"errors"

	"github.com/doug-martin/goqu/v9"

	"tipoff"
)

// Reached is the newest record that the mirror has of one leader epoch of a partition.
type Reached struct {
	Topic     string `db:"topic"`
	TopicID   string `db:"topic_id"`
	Partition int32  `db:"partition_no"`
	Sequence  int64  `db:"sequence"` // see [tipoff.Sequence]
}

// Reached lists the newest records that rows stand for, one for each topic, partition
// and leader epoch.
func (d *Database) Reached(ctx context.Context) (all []Reached, err error) {
	for _, table := range []string{"users", "events", "coupons"} {
		epoch := goqu.L("source_offset >> 40")
		newest := d.goqu.From(table).Select(goqu.C("source_id"), goqu.MAX("source_offset").As("sequence")).GroupBy(goqu.C("source_id"), epoch)
		var rows []Reached
		found := d.goqu.From(newest.As("r")).Join(goqu.T("sources").As("s"), goqu.On(goqu.I("s.id").Eq(goqu.I("r.source_id")))).
			Select(goqu.I("s.topic"), goqu.I("s.topic_id"), goqu.I("s.partition_no"), goqu.I("r.sequence")).ScanStructsContext(ctx, &rows)
		err, all = errors.Join(err, found), append(all, rows...)
	}
	if err != nil {
		return nil, tipoff.Unavailable("read where rows came from", err)
	}
	return all, nil
}
