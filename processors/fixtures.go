package processors

import (
	"strconv"
	"time"

	"github.com/lovoo/goka"
	"github.com/lovoo/goka/codec"

	"tipoff/state"
	"tipoff/topics"
)

// Fixtures is the processor that keeps a table set's table of fixtures, by company and
// event. Legs that come before their event wait in chunks with keys of their own,
// in the same partition, which the loop topic reaches.
func Fixtures(ownership Ownership, set topics.TableSet) *goka.GroupGraph {
	fixtures := newDecoded[state.Fixture](decodedFixtures)
	with := func(handle func(*input)) goka.ProcessCallback {
		return callback(ownership, set, func(in *input) {
			in.fixtures = fixtures
			handle(in)
		})
	}
	return goka.DefineGroup(goka.Group(set.Fixtures()),
		goka.Input(goka.Stream(set.Events()), new(codec.Bytes), with(postEvent)),
		goka.Input(goka.Stream(set.Selections()), new(codec.Bytes), with(countLeg)),
		goka.Loop(new(codec.Bytes), with(serveLoop)),
		goka.Output(goka.Stream(set.Resolved()), new(codec.Bytes)),
		goka.Output(topics.Rejected, new(codec.Bytes)),
		goka.Persist(new(codec.Bytes)),
	)
}

// RewriteFixture asks the owner of a key of the table set's table of fixtures to write
// its value again.
func RewriteFixture(set topics.TableSet, key string) topics.Record {
	return topics.Record{Topic: set.LoopFixtures(), Key: key, Value: state.MarshalMessage(&state.Rewrite{}), Received: time.Now()}
}

// The messages between bettors and fixtures, left to right in time. A leg of an event
// that the gateway knew, as it put beside the coupon, and that the fixture knows too:
//
//	bettor u        ── Leg e ──>  fixture e: counts it
//
// One of an event that the gateway did not know:
//
//	bettor u        ── Leg e ──>  fixture e: counts it
//	bettor u        <─ Resolved ─ fixture e: sport, league, teams
//
// A leg of an event that the fixture does not know yet waits in chunk n of the fixture, a
// value of its own in the same partition, which only the loop topic reaches. Whether the
// gateway knew the event is the same then: a bettor who has learnt does so no more.
//
//	bettor u        ── Leg e ──>  fixture e: counts it
//	                              fixture e    ── Leg ──────>  chunk e/n: keeps it
//	gateway         ── Event ──>  fixture e: is known now
//	                              fixture e    ── Release ──>  chunk e/n: sport, league, teams
//	bettor u        <─ Resolved ─────────────────────────────  chunk e/n, once a leg
//
// A leg may come to a chunk after its release, as the loop is a topic like others; the
// chunk sends it back to the fixture, which knows the event by then:
//
//	                              fixture e    <─ Leg ───────  chunk e/n: released
//	bettor u        <─ Resolved ─ fixture e
//
// If the event does not come, its legs become dead letters; see expiry.go.
//
// Each of these messages may come twice; see docs/reliability.md.

// postEvent adds an event, or a newer version of it, and releases the legs that waited
// for it; or changes one.
func postEvent(in *input) {
	fact, ok := in.fact()
	if !ok {
		return
	}
	fixture := in.fixture()
	if fixture == nil {
		return
	}
	if fact.Patch != nil {
		fixture.Change(*fact.Patch, in.at)
		in.saveFixture(fixture)
		return
	}
	fixture.Post(*fact.Event, in.at)
	in.saveFixture(fixture)
	if fixture.First.Same(in.at) {
		in.tellChunks(0, fixture.Gone, &state.Expired{Empty: true})
		in.tellChunks(fixture.Gone, fixture.Chunks(), &state.Release{Traits: fixture.Traits()})
	}
}

// countLeg counts a leg, and sends it back resolved or lets it wait.
func countLeg(in *input) {
	got, err := state.UnmarshalMessage(in.value)
	leg, ok := got.(*state.Leg)
	if err != nil || !ok {
		in.reject(topics.Malformed, "not a leg")
		return
	}
	if in.isOneTooMany() {
		in.reject(topics.TooManyUnposted, oneTooMany)
		return
	}
	if fixture := in.fixture(); fixture != nil {
		isNew := fixture.Count(leg)
		if isNew && !fixture.Known {
			fixture.Await(in.appended.Unix())
		}
		in.saveCount(fixture)
		if fixture.Known && in.told {
			return
		}
		leg.Sent = in.record.Offset
		in.sendBack(fixture, leg, isNew)
	}
}

// sendBack sends a counted leg back to its bettor with the event's attributes, or
// to a chunk where it waits for them.
func (in *input) sendBack(fixture *state.Fixture, leg *state.Leg, isNew bool) {
	if fixture.Known {
		in.resolve(leg, fixture.Traits())
		return
	}
	in.Loopback(in.chunkKey(fixture.Chunk(leg, isNew)), state.MarshalMessage(&state.Waiting{Leg: *leg}), in.headers())
}

// tellChunks sends a message to chunks of the record's fixture.
func (in *input) tellChunks(from, end uint64, message any) {
	marshalled := state.MarshalMessage(message)
	for chunk := from; chunk < end; chunk++ {
		in.Loopback(in.chunkKey(chunk), marshalled, in.headers())
	}
}

func (in *input) resolve(leg *state.Leg, t state.Traits) {
	in.send(in.set.Resolved(), topics.Key(in.company, leg.UserID), state.Resolve(leg, t))
}

// serveLoop serves what waits and asks beside the events: a leg that shall wait in a
// chunk, the release of a chunk, a leg that came to a chunk after its release and
// asks once more, or a key that shall be written again.
func serveLoop(in *input) {
	got, _ := state.UnmarshalMessage(in.value)
	if _, _, isChunk := topics.SplitPartKey(in.Key()); isChunk {
		in.serveChunk(got)
		return
	}
	fixture := in.fixture()
	if fixture == nil {
		return
	}
	switch m := got.(type) {
	case *state.Leg:
		m.Sent = m.Offset
		in.sendBack(fixture, m, false)
	case *state.Expire:
		in.expire(fixture, m.Wait)
	case *state.Rewrite:
		if in.Value() != nil {
			in.saveFixture(fixture)
		}
	default:
		in.reject(topics.Malformed, "not a message to a fixture")
	}
}

func (in *input) serveChunk(message any) {
	chunk := in.chunk()
	if chunk == nil {
		return
	}
	switch m := message.(type) {
	case *state.Waiting:
		in.waitInChunk(chunk, &m.Leg)
	case *state.Leg: // of an older program
		m.Sent = m.Offset
		in.waitInChunk(chunk, m)
	case *state.Expired:
		in.expireChunk(chunk, m.Empty)
	case *state.Release:
		if chunk.HasExpired() {
			return
		}
		chunk.Released = true
		in.saveChunk(chunk)
		for i := range chunk.Legs {
			in.resolve(&chunk.Legs[i], m.Traits)
		}
	case *state.Rewrite:
		if in.Value() != nil {
			in.saveChunk(chunk)
		}
	default:
		in.reject(topics.Malformed, "not a message to a chunk of legs")
	}
}

func (in *input) waitInChunk(chunk *state.Chunk, leg *state.Leg) {
	switch {
	case chunk.Released:
		whole, _, _ := topics.SplitPartKey(in.Key())
		in.Loopback(whole, state.MarshalMessage(leg), in.headers())
	case chunk.HasExpired(): // it was sent again
		in.rejectLeg(leg)
	default:
		chunk.Wait(leg)
		in.saveChunk(chunk)
	}
}

func (in *input) chunkKey(chunk uint64) string {
	return topics.PartKey(in.Key(), strconv.FormatUint(chunk, 10))
}

// fixture is the state of the record's event; an event never heard of has an empty
// one. It is nil, and the record rejected, where the state is broken.
func (in *input) fixture() *state.Fixture {
	value, ok := in.Value().([]byte)
	if !ok {
		return new(state.Fixture)
	}
	if fixture := in.fixtures.take(in.Key(), value); fixture != nil {
		return fixture
	}
	fixture, err := state.UnmarshalFixture(value)
	if err != nil {
		in.unreadable(err)
		return nil
	}
	return fixture
}

func (in *input) saveFixture(f *state.Fixture) { in.putFixture(f, nil) }

// saveCount saves a fixture that has counted a leg. Where its event is posted, which many
// may bet on, that is worth no write of its own.
func (in *input) saveCount(f *state.Fixture) {
	if !f.Known {
		in.saveFixture(f)
		return
	}
	in.putFixture(f, goka.Headers{topics.HeaderMayWait: nil})
}

func (in *input) putFixture(f *state.Fixture, headers goka.Headers) {
	f.Epoch = in.epoch()
	value := f.Marshal()
	in.SetValue(value, in.headers(), goka.WithCtxEmitHeaders(headers))
	in.fixtures.put(in.Key(), value, f)
}

// chunk is the record's chunk of waiting legs, as [input.fixture].
func (in *input) chunk() *state.Chunk {
	value, ok := in.Value().([]byte)
	if !ok {
		return new(state.Chunk)
	}
	chunk, err := state.UnmarshalChunk(value)
	if err != nil {
		in.unreadable(err)
		return nil
	}
	return chunk
}

func (in *input) saveChunk(c *state.Chunk) {
	c.Epoch = in.epoch()
	in.SetValue(c.Marshal(), in.headers())
}
