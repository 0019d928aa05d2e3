package processors

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lovoo/goka"
	"github.com/lovoo/goka/codec"

	"tipoff/rank"
	"tipoff/state"
	"tipoff/topics"
)

// Trainer holds the state of all companies and trains their models on it.
type Trainer interface {
	// Learn grades the model on a choice and lets it learn, as if the coupon had not
	// been made yet.
	Learn(company string, choice *state.Choice, model *rank.Model) rank.Grade
}

// How much the learner does. It never holds back bettors or fixtures.
const (
	learnMost = 200              // coupons of a company a second, in the long run; of the others nothing is learnt
	learnOnce = 10 * learnMost   // so many of them at once, where few came before
	learnLate = 30 * time.Second // of coupons that wait longer nothing is learnt: the tables are past them
	saveEvery = 10 * time.Second // what was learnt since is delivered and learnt again when a process ends
)

// learnAgain is how long a company's coupons are learnt from however late they come,
// from the first one on that is new after a start or a rebalance. All that the former
// owner had learnt from and not saved is in that span: it took them within saveEvery,
// and none had waited for longer than learnLate.
const learnAgain = learnLate + 2*saveEvery

// Learner is the processor that learns how to rank from every new coupon, and books
// how well it had foreseen it. It keeps one value a company. Learning depends on the
// order of coupons by nature: unlike the other tables, this one is not the same when
// it is filled again.
type Learner struct {
	// Holds says of which bettors the trainer has the state: nothing is learnt from coupons of
	// others. nil: of all.
	Holds   func(company, user string) bool
	trainer Trainer
	former  map[string][]byte // by key, values of the table set that serves, to begin with
	passed  atomic.Uint64

	mu        sync.Mutex
	companies map[string]*companyModel
}

// companyModel is one company as the learner has it in memory. One partition, and so one
// goroutine at a time, works on it.
type companyModel struct {
	learnt  *rank.Learnt // nil: nothing is known yet
	resumed time.Time    // when the first new coupon since the start or rebalance was appended; zero: none came
	saved   time.Time    // when a value was written last
	second  int64        // Unix, of the newest coupon
	allowed int64        // coupons to learn from, from that second on; at most learnOnce
	dirty   bool         // something was learnt that no value has

	unsaved atomic.Int64 // since when a save is to be asked for, Unix nanoseconds; 0: it is not
}

// NewLearner returns a learner with a trainer whose state has caught up with the tables. A
// company of which the table set's table holds nothing yet begins with the model that
// former holds under its key, if any, so that a rebuild does not throw it away.
func NewLearner(trainer Trainer, former map[string][]byte) *Learner {
	return &Learner{trainer: trainer, former: former, companies: map[string]*companyModel{}}
}

// Graph is the learner's processor for a table set.
func (l *Learner) Graph(ownership Ownership, set topics.TableSet) *goka.GroupGraph {
	return goka.DefineGroup(goka.Group(set.Learner()),
		goka.Input(goka.Stream(set.Choices()), new(codec.Bytes), callback(ownership, set, l.learnChoice)),
		goka.Output(topics.Rejected, new(codec.Bytes)),
		goka.Persist(new(codec.Bytes)),
	)
}

// RewriteModel asks the owner of a key of the learner's table to write its value again.
func RewriteModel(set topics.TableSet, key string) topics.Record {
	return topics.Record{Topic: set.Choices(), Key: key, Value: state.MarshalMessage(&state.Rewrite{}), Received: time.Now()}
}

// Passed is how many coupons were passed over, as there were too many, they came too late,
// or their bettors are not held here.
func (l *Learner) Passed() uint64 { return l.passed.Load() }

// Unsaved calls request with the key of each company of which something was learnt
// and not been written for too long, as no coupon came since. It is asked for once, as
// another process may own the company by now; but again where request fails.
func (l *Learner) Unsaved(now time.Time, request func(key string) error) {
	l.mu.Lock()
	companies := maps.Clone(l.companies)
	l.mu.Unlock()
	for company, p := range companies {
		since := p.unsaved.Load()
		if since != 0 && now.Sub(time.Unix(0, since)) >= saveEvery && request(topics.Key(company, topics.ModelID)) == nil {
			p.unsaved.CompareAndSwap(since, 0)
		}
	}
}

// learnChoice learns from a choice, or writes the value again.
func (l *Learner) learnChoice(in *input) {
	if in.id != topics.ModelID {
		in.reject(topics.Malformed, fmt.Sprintf("the key must be company/%s", topics.ModelID))
		return
	}
	message, err := state.UnmarshalMessage(in.value)
	p := l.companyModel(in)
	switch m := message.(type) {
	case *state.Choice:
		l.learn(in, p, m)
	case *state.Rewrite:
		p.save(in)
	default:
		in.reject(topics.Malformed, fmt.Sprintf("not a message to the learner: %v", err))
	}
	switch now := time.Now(); {
	case !p.dirty:
	case now.Sub(p.saved) >= saveEvery:
		p.save(in)
	default:
		in.hold()
		p.unsaved.CompareAndSwap(0, now.UnixNano())
	}
}

func (l *Learner) learn(in *input, p *companyModel, c *state.Choice) {
	if len(c.Events) == 0 {
		in.reject(topics.Malformed, "a choice without events")
		return
	}
	if !p.learnt.Advance(c.Cause) {
		return
	}
	if p.resumed.IsZero() {
		p.resumed = in.appended
	}
	if l.Holds != nil && !l.Holds(in.company, c.UserID) || p.isLate(in.appended) || !p.mayTake(in.appended) {
		l.passed.Add(1)
		return
	}
	p.learnt.Live.Add(l.trainer.Learn(in.company, c, p.learnt.Model), c.At)
	p.dirty = true
}

// save writes all that was learnt, so that nothing is held any more once the value
// has been acknowledged.
func (p *companyModel) save(in *input) {
	in.SetValue(p.learnt.Marshal(), in.headers())
	in.settle()
	p.saved, p.dirty = time.Now(), false
	p.unsaved.Store(0)
}

// companyModel is that of the record's company.
func (l *Learner) companyModel(in *input) *companyModel {
	l.mu.Lock()
	p := l.companies[in.company]
	if p == nil {
		p = new(companyModel)
		l.companies[in.company] = p
	}
	l.mu.Unlock()
	if epoch := in.epoch(); p.learnt == nil || p.learnt.Epoch != epoch {
		p.resume(in, l.former[in.Key()])
		p.learnt.Epoch = epoch
	}
	return p
}

// resume begins with what the table holds, after a start or a rebalance: what was in
// memory alone is delivered again. For a value that cannot be read a new model
// is begun.
func (p *companyModel) resume(in *input, former []byte) {
	p.learnt, p.dirty = rank.NewLearnt(), false
	p.resumed, p.second, p.allowed = time.Time{}, 0, 0
	p.unsaved.Store(0)
	value, ok := in.Value().([]byte)
	if stored, err := rank.UnmarshalLearnt(value); ok && err == nil {
		p.learnt = stored
	}
	if before, err := rank.UnmarshalLearnt(former); !ok && err == nil {
		p.learnt.Model = before.Model
	}
}

// isLate says whether the tables are so far past a coupon that nothing is learnt from
// it. One that a former owner may have learnt from is not late.
func (p *companyModel) isLate(appended time.Time) bool {
	return time.Since(appended) > learnLate && appended.Sub(p.resumed) > learnAgain
}

// mayTake counts the coupons. The broker's clock says how much time has passed, so that it
// does not matter how fast they are delivered again.
func (p *companyModel) mayTake(appended time.Time) bool {
	if second := appended.Unix(); second > p.second {
		p.allowed = min(learnOnce, p.allowed+learnMost*min(second-p.second, learnOnce))
		p.second = second
	}
	if p.allowed == 0 {
		return false
	}
	p.allowed--
	return true
}
