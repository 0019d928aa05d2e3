package processors

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lovoo/goka"

	"tipoff"
	"tipoff/score"
)

// World is the state of all companies that the learner ranks on.
type World interface {
	// Learn grades the model on a choice and lets it learn, as if the coupon had not
	// been made yet. The error says that the choice cannot be read.
	Learn(company string, choice *score.Choice, model *score.Model) (score.Grade, error)
}

// How much the learner does. It never holds back bettors or fixtures.
const (
	learnMost = 1000             // coupons of a company in a second; of the others nothing is learnt
	learnLate = 30 * time.Second // of coupons that wait longer nothing is learnt: the tables are past them
	saveEvery = 10 * time.Second // what was learnt since is lost when a process ends
)

// Learner is the processor that learns how to rank from every new coupon, and books
// how well it had foreseen it. It keeps one value a company. Learning depends on the
// order of coupons by nature: unlike the other tables, this one is not the same when
// it is filled anew.
type Learner struct {
	world  World
	former map[string][]byte // by key, values of the build that serves, to begin with
	passed atomic.Uint64

	mu        sync.Mutex
	companies map[string]*pupil
}

// pupil is one company as the learner has it in memory. One partition, and so one
// goroutine at a time, works on it.
type pupil struct {
	learnt *score.Learnt
	wrote  uint64    // steps in the value that was written last
	saved  time.Time // when that was
	second int64     // Unix, in which learnMost counts
	taken  int

	unsaved atomic.Int64 // since when something is not written, Unix nanoseconds; 0: all is
}

// NewLearner returns a learner on a world that has caught up with the tables. A
// company of which the build's table holds nothing yet begins with the model that
// former holds under its key, if any, so that a rebuild does not throw it away.
func NewLearner(world World, former map[string][]byte) *Learner {
	return &Learner{world: world, former: former, companies: map[string]*pupil{}}
}

// Graph is the learner's processor for a build.
func (l *Learner) Graph(place Place, b tipoff.Build) *goka.GroupGraph {
	return goka.DefineGroup(goka.Group(b.Learner()),
		goka.Input(goka.Stream(b.Choices()), bytesCodec{}, callback(place, b, l.take)),
		goka.Output(tipoff.TopicRejected, bytesCodec{}),
		goka.Persist(bytesCodec{}),
	)
}

// RewriteModel asks the owner of a key of the learner's table to write its value again.
func RewriteModel(b tipoff.Build, key string) tipoff.Record {
	return tipoff.Record{Topic: b.Choices(), Key: key, Value: score.MarshalMessage(&score.Rewrite{}), Received: time.Now()}
}

// Passed is how many coupons were passed over, as there were too many or they came too
// late.
func (l *Learner) Passed() uint64 { return l.passed.Load() }

// Unsaved calls request with the key of each company of which something was learnt
// and not been written for too long, as no coupon came since.
func (l *Learner) Unsaved(now time.Time, request func(key string)) {
	for _, key := range l.unsaved(now) {
		request(key)
	}
}

func (l *Learner) unsaved(now time.Time) (keys []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for company, p := range l.companies {
		if since := p.unsaved.Load(); since != 0 && now.Sub(time.Unix(0, since)) >= saveEvery {
			p.unsaved.CompareAndSwap(since, 0) // it is asked for; another process may be its owner by now
			keys = append(keys, tipoff.Key(company, tipoff.ModelID))
		}
	}
	return keys
}

// take takes a choice in, or writes the value again.
func (l *Learner) take(in *input) {
	if in.id != tipoff.ModelID {
		in.reject(fmt.Sprintf("the key must be company/%s", tipoff.ModelID))
		return
	}
	message, err := score.UnmarshalMessage(in.value)
	p := l.pupil(in)
	switch m := message.(type) {
	case *score.Choice:
		l.learn(in, p, m)
	case *score.Rewrite:
		p.save(in)
	default:
		in.reject(fmt.Sprintf("not a message to the learner: %v", err))
	}
}

func (l *Learner) learn(in *input, p *pupil, c *score.Choice) {
	if len(c.Legs) == 0 {
		in.reject("a choice without legs")
		return
	}
	if !p.learnt.Advance(c.Legs[0].Cause) {
		return
	}
	if time.Since(in.appended) > learnLate || !p.mayTake() {
		l.passed.Add(1)
		return
	}
	grade, err := l.world.Learn(in.company, c, p.learnt.Model)
	if err != nil {
		in.reject(err.Error())
		return
	}
	p.learnt.Live.Add(grade, c.At)
	if now := time.Now(); now.Sub(p.saved) >= saveEvery {
		p.save(in)
	} else {
		p.unsaved.CompareAndSwap(0, now.UnixNano())
	}
}

func (p *pupil) save(in *input) {
	in.SetValue(p.learnt.Marshal(), in.headers())
	p.saved, p.wrote = time.Now(), p.learnt.Model.Steps
	p.unsaved.Store(0)
}

// pupil is the record's company. After a rebalance what is in memory goes on counting
// unless another process has written meanwhile. A value that cannot be read is learnt
// anew.
func (l *Learner) pupil(in *input) *pupil {
	l.mu.Lock()
	p := l.companies[in.company]
	if p == nil {
		p = &pupil{learnt: score.NewLearnt()}
		l.companies[in.company] = p
	}
	l.mu.Unlock()
	epoch := in.epoch()
	if p.learnt.Epoch == epoch {
		return p
	}
	value, ok := in.Value().([]byte)
	if former, err := score.UnmarshalLearnt(l.former[in.Key()]); !ok && p.learnt.Epoch == 0 && err == nil {
		p.learnt.Model = former.Model
	}
	if ok {
		stored, err := score.UnmarshalLearnt(value)
		if err == nil && (stored.Epoch != p.learnt.Epoch || stored.Model.Steps != p.wrote) {
			p.learnt, p.wrote = stored, stored.Model.Steps
		}
	}
	p.learnt.Epoch = epoch
	return p
}

// mayTake counts the coupons of this second.
func (p *pupil) mayTake() bool {
	if second := time.Now().Unix(); second != p.second {
		p.second, p.taken = second, 0
	}
	p.taken++
	return p.taken <= learnMost
}
