package processors

import (
	"fmt"
	"strconv"

	"github.com/lovoo/goka"

	"tipoff"
	"tipoff/score"
)

// Fixtures is the processor that keeps the table of fixtures, by company and
// event. Legs that come before their event wait in chunks with keys of their own,
// in the same partition, which the loop topic reaches.
func Fixtures(source Source) *goka.GroupGraph {
	f := fixtures{source}
	return goka.DefineGroup(tipoff.GroupFixtures,
		goka.Input(tipoff.TopicEvents, bytesCodec{}, f.event),
		goka.Input(tipoff.TopicSelections, bytesCodec{}, f.selection),
		goka.Loop(bytesCodec{}, f.loop),
		goka.Output(tipoff.TopicResolved, bytesCodec{}),
		goka.Output(tipoff.TopicRejected, bytesCodec{}),
		goka.Persist(bytesCodec{}),
	)
}

type fixtures struct{ source Source }

// event takes an event or a patch in, and releases the legs that waited for it.
func (f fixtures) event(ctx goka.Context, message any) {
	in, ok := f.source.read(ctx, message)
	if !ok {
		return
	}
	if tipoff.IsPatch(in.value) {
		f.patch(&in)
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
	fixture.Post(event, in.at)
	in.SetValue(fixture.Marshal(), in.headers())
	if fixture.First == in.at {
		release := score.MarshalMessage(&score.Release{Traits: fixture.Traits()})
		for chunk := range fixture.Chunks() {
			in.Loopback(in.chunkKey(chunk), release, in.headers())
		}
	}
}

func (f fixtures) patch(in *input) {
	patch, err := tipoff.DecodeEventPatch(in.value, in.id, in.reading())
	if err != nil {
		in.reject(err.Error())
		return
	}
	fixture := in.fixture()
	fixture.Change(patch, in.at)
	in.SetValue(fixture.Marshal(), in.headers())
}

// selection counts a leg, and answers it or lets it wait.
func (f fixtures) selection(ctx goka.Context, message any) {
	in, ok := f.source.read(ctx, message)
	if !ok {
		return
	}
	got, err := score.UnmarshalMessage(in.value)
	leg, ok := got.(*score.Leg)
	if err != nil || !ok {
		in.reject("not a leg")
		return
	}
	fixture := in.fixture()
	fixture.Count(leg)
	in.SetValue(fixture.Marshal(), in.headers())
	in.answer(fixture, leg)
}

// answer sends a counted leg back to its bettor with the event's attributes, or
// to a chunk where it waits for them.
func (in *input) answer(fixture *score.Fixture, leg *score.Leg) {
	if fixture.Known {
		in.resolve(leg, fixture.Traits())
		return
	}
	in.Loopback(in.chunkKey(fixture.Chunk()), score.MarshalMessage(leg), in.headers())
}

func (in *input) resolve(leg *score.Leg, t score.Traits) {
	in.send(tipoff.TopicResolved, tipoff.Key(in.company, leg.UserID), score.Resolve(leg, t))
}

// loop serves the chunks: a leg that shall wait, or the event's release. A leg
// that reaches a chunk after the release asks at the fixture once more.
func (f fixtures) loop(ctx goka.Context, message any) {
	in, ok := f.source.read(ctx, message)
	if !ok {
		return
	}
	got, _ := score.UnmarshalMessage(in.value)
	whole, _, isChunk := tipoff.SplitPartKey(in.Key())
	switch m := got.(type) {
	case *score.Leg:
		if !isChunk {
			in.answer(in.fixture(), m)
			return
		}
		chunk := in.chunk()
		if chunk.Released {
			in.Loopback(whole, score.MarshalMessage(m), in.headers())
			return
		}
		chunk.Wait(m)
		in.SetValue(chunk.Marshal(), in.headers())
	case *score.Release:
		chunk := in.chunk()
		chunk.Released = true
		in.SetValue(chunk.Marshal(), in.headers())
		for i := range chunk.Legs {
			in.resolve(&chunk.Legs[i], m.Traits)
		}
	default:
		in.reject("not a message of the loop")
	}
}

func (in *input) chunkKey(chunk uint64) string {
	return tipoff.PartKey(in.Key(), strconv.FormatUint(chunk, 10))
}

// fixture is the state of the record's event; an event never heard of has an
// empty one.
func (in *input) fixture() *score.Fixture {
	value, ok := in.Value().([]byte)
	if !ok {
		return new(score.Fixture)
	}
	fixture, err := score.UnmarshalFixture(value)
	if err != nil {
		in.unreadable(err)
	}
	return fixture
}

func (in *input) chunk() *score.Chunk {
	value, ok := in.Value().([]byte)
	if !ok {
		return new(score.Chunk)
	}
	chunk, err := score.UnmarshalChunk(value)
	if err != nil {
		in.unreadable(err)
	}
	return chunk
}
