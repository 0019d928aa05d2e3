package processors

import (
	"fmt"
	"strconv"
	"time"

	"github.com/lovoo/goka"

	"tipoff"
	"tipoff/score"
	"tipoff/topics"
)

// Fixtures is the processor that keeps a table set's table of fixtures, by company and
// event. Legs that come before their event wait in chunks with keys of their own,
// in the same partition, which the loop topic reaches.
func Fixtures(ownership Ownership, b topics.TableSet) *goka.GroupGraph {
	return goka.DefineGroup(goka.Group(b.Fixtures()),
		goka.Input(goka.Stream(b.Events()), bytesCodec{}, callback(ownership, b, takeEvent)),
		goka.Input(goka.Stream(b.Selections()), bytesCodec{}, callback(ownership, b, countLeg)),
		goka.Loop(bytesCodec{}, callback(ownership, b, serveLoop)),
		goka.Output(goka.Stream(b.Resolved()), bytesCodec{}),
		goka.Output(topics.Rejected, bytesCodec{}),
		goka.Persist(bytesCodec{}),
	)
}

// RewriteFixture asks the owner of a key of the table set's table of fixtures to write
// its value again.
func RewriteFixture(b topics.TableSet, key string) topics.Record {
	return topics.Record{Topic: b.LoopFixtures(), Key: key, Value: score.MarshalMessage(&score.Rewrite{}), Received: time.Now()}
}

// takeEvent takes an event or a patch in, and releases the legs that waited for it.
func takeEvent(in *input) {
	if topics.IsPatch(in.value) {
		takePatch(in)
		return
	}
	event, err := tipoff.DecodeEvent(in.value, in.reading())
	if err == nil && event.ID != in.id {
		err = fmt.Errorf("event_id: must be the key's, %q", in.id)
	}
	if err != nil {
		in.reject(err.Error())
		return
	}
	fixture := in.fixture()
	if fixture == nil {
		return
	}
	fixture.Post(event, in.at)
	in.saveFixture(fixture)
	if fixture.First == in.at {
		release := score.MarshalMessage(&score.Release{Traits: fixture.Traits()})
		for chunk := range fixture.Chunks() {
			in.Loopback(in.chunkKey(chunk), release, in.headers())
		}
	}
}

func takePatch(in *input) {
	patch, err := tipoff.DecodeEventPatch(in.value, in.id, in.reading())
	if err != nil {
		in.reject(err.Error())
		return
	}
	if fixture := in.fixture(); fixture != nil {
		fixture.Change(patch, in.at)
		in.saveFixture(fixture)
	}
}

// countLeg counts a leg, and answers it or lets it wait.
func countLeg(in *input) {
	got, err := score.UnmarshalMessage(in.value)
	leg, ok := got.(*score.Leg)
	if err != nil || !ok {
		in.reject("not a leg")
		return
	}
	if fixture := in.fixture(); fixture != nil {
		isNew := fixture.Count(leg)
		in.saveFixture(fixture)
		in.answer(fixture, leg, isNew)
	}
}

// answer sends a counted leg back to its bettor with the event's attributes, or
// to a chunk where it waits for them.
func (in *input) answer(fixture *score.Fixture, leg *score.Leg, isNew bool) {
	if fixture.Known {
		in.resolve(leg, fixture.Traits())
		return
	}
	in.Loopback(in.chunkKey(fixture.Chunk(leg, isNew)), score.MarshalMessage(leg), in.headers())
}

func (in *input) resolve(leg *score.Leg, t score.Traits) {
	in.send(in.set.Resolved(), topics.Key(in.company, leg.UserID), score.Resolve(leg, t))
}

// serveLoop serves what waits and asks beside the events: a leg that shall wait in a
// chunk, the release of a chunk, a leg that came to a chunk after its release and
// asks once more, or a key that shall be written again.
func serveLoop(in *input) {
	got, _ := score.UnmarshalMessage(in.value)
	if _, _, isChunk := topics.SplitPartKey(in.Key()); isChunk {
		in.serveChunk(got)
		return
	}
	fixture := in.fixture()
	if fixture == nil {
		return
	}
	switch m := got.(type) {
	case *score.Leg:
		in.answer(fixture, m, false)
	case *score.Rewrite:
		if in.Value() != nil {
			in.saveFixture(fixture)
		}
	default:
		in.reject("not a message to a fixture")
	}
}

func (in *input) serveChunk(message any) {
	chunk := in.chunk()
	if chunk == nil {
		return
	}
	switch m := message.(type) {
	case *score.Leg:
		if chunk.Released {
			whole, _, _ := topics.SplitPartKey(in.Key())
			in.Loopback(whole, score.MarshalMessage(m), in.headers())
			return
		}
		chunk.Wait(m)
		in.saveChunk(chunk)
	case *score.Release:
		chunk.Released = true
		in.saveChunk(chunk)
		for i := range chunk.Legs {
			in.resolve(&chunk.Legs[i], m.Traits)
		}
	case *score.Rewrite:
		if in.Value() != nil {
			in.saveChunk(chunk)
		}
	default:
		in.reject("not a message to a chunk of legs")
	}
}

func (in *input) chunkKey(chunk uint64) string {
	return topics.PartKey(in.Key(), strconv.FormatUint(chunk, 10))
}

// fixture is the state of the record's event; an event never heard of has an empty
// one. It is nil, and the record rejected, where the state is broken.
func (in *input) fixture() *score.Fixture {
	value, ok := in.Value().([]byte)
	if !ok {
		return new(score.Fixture)
	}
	fixture, err := score.UnmarshalFixture(value)
	if err != nil {
		in.unreadable(err)
		return nil
	}
	return fixture
}

func (in *input) saveFixture(f *score.Fixture) {
	f.Epoch = in.epoch()
	in.SetValue(f.Marshal(), in.headers())
}

// chunk is the record's chunk of waiting legs, as [input.fixture].
func (in *input) chunk() *score.Chunk {
	value, ok := in.Value().([]byte)
	if !ok {
		return new(score.Chunk)
	}
	chunk, err := score.UnmarshalChunk(value)
	if err != nil {
		in.unreadable(err)
		return nil
	}
	return chunk
}

func (in *input) saveChunk(c *score.Chunk) {
	c.Epoch = in.epoch()
	in.SetValue(c.Marshal(), in.headers())
}
