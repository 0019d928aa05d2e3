package processors

import (
	"fmt"
	"time"

	"github.com/lovoo/goka"
	"github.com/lovoo/goka/codec"

	"tipoff"
	"tipoff/state"
	"tipoff/topics"
)

// Bettors is the processor that keeps a table set's table of bettors, by company and
// user.
func Bettors(ownership Ownership, set topics.TableSet) *goka.GroupGraph {
	bettors := newDecoded[state.Bettor](decodedBettors)
	with := func(handle func(*input)) goka.ProcessCallback {
		return callback(ownership, set, func(in *input) {
			in.bettors = bettors
			handle(in)
		})
	}
	return goka.DefineGroup(goka.Group(set.Bettors()),
		goka.Input(goka.Stream(set.Users()), new(codec.Bytes), with(postUser)),
		goka.Input(goka.Stream(set.Coupons()), new(codec.Bytes), with(addCoupon)),
		goka.Input(goka.Stream(set.Resolved()), new(codec.Bytes), with(learnLeg)),
		goka.Output(goka.Stream(set.Selections()), new(codec.Bytes)),
		goka.Output(goka.Stream(set.Choices()), new(codec.Bytes)),
		goka.Output(topics.Rejected, new(codec.Bytes)),
		goka.Persist(new(codec.Bytes)),
	)
}

// RewriteBettor asks the owner of a key of the table set's table of bettors to write
// its value again.
func RewriteBettor(set topics.TableSet, key string) topics.Record {
	return topics.Record{Topic: set.Resolved(), Key: key, Value: state.MarshalMessage(&state.Rewrite{}), Received: time.Now()}
}

// postUser replaces a user by a newer version.
func postUser(in *input) {
	fact, ok := in.fact()
	if !ok {
		return
	}
	if bettor := in.bettor(); bettor != nil {
		bettor.Post(*fact.User, in.at)
		in.saveBettor(bettor)
	}
}

// addCoupon notes a bet and sends its legs to their fixtures.
func addCoupon(in *input) {
	fact, ok := in.fact()
	if !ok {
		return
	}
	coupon := fact.Coupon
	bettor, received := in.bettor(), in.received.Unix()
	if bettor == nil {
		return
	}
	verdict := bettor.AddCoupon(coupon, in.at, in.cause(), received)
	var legs []state.Leg
	var told []bool
	if verdict == state.NewBet || verdict == state.AgainBet {
		legs = bettor.LegsOf(coupon, in.cause(), received)
		told = in.tell(bettor, legs)
	}
	in.saveBettor(bettor)
	switch verdict {
	case state.NewBet, state.AgainBet:
		for i := range legs {
			in.sendLeg(&legs[i], told[i])
		}
		in.Emit(goka.Stream(in.set.Choices()), topics.Key(in.company, topics.ModelID), state.MarshalMessage(state.NewChoice(legs)), in.headers(), mayGather)
	case state.DiffersBet:
		in.reject(topics.Contradicts, "coupon_id: is taken by a coupon with another content, which stands")
	case state.TooOldBet:
		in.reject(topics.TooOld, fmt.Sprintf("timestamp: is before the user's last %d coupons, so a repeat could not be told", state.MaxCoupons))
	}
}

// tell lets the bettor learn from the legs whose events the gateway knew, and returns
// which these are. A leg that has been learnt from counts no more.
func (in *input) tell(b *state.Bettor, legs []state.Leg) (told []bool) {
	told = make([]bool, len(legs))
	known, err := state.UnmarshalKnown([]byte(in.events))
	if err != nil || len(known) != len(legs) { // none is known
		return told
	}
	for i := range legs {
		if told[i] = known[i].Event == tipoff.EventRef(legs[i].EventID); told[i] {
			b.Apply(state.Resolve(&legs[i], known[i]), in.received.Unix())
		}
	}
	return told
}

// mayGather is for what is only learnt from.
var mayGather = goka.WithCtxEmitHeaders(goka.Headers{topics.HeaderMayGather: nil})

// sendLeg sends a leg to its fixture.
func (in *input) sendLeg(leg *state.Leg, told bool) {
	in.Emit(goka.Stream(in.set.Selections()), topics.Key(in.company, leg.EventID), state.MarshalMessage(leg), in.headersOf(told))
}

// learnLeg learns from a leg that came back from its fixture; or writes the state
// again, as it is.
func learnLeg(in *input) {
	got, _ := state.UnmarshalMessage(in.value)
	bettor := in.bettor()
	if bettor == nil {
		return
	}
	switch m := got.(type) {
	case *state.Resolved:
		bettor.Apply(m, in.received.Unix())
		in.saveBettor(bettor)
	case *state.Rewrite:
		if in.Value() != nil {
			in.saveBettor(bettor)
		}
	default:
		in.reject(topics.Malformed, "not a message to a bettor")
	}
}

// bettor is the state of the record's user; a user never seen has an empty one. It
// is nil, and the record rejected, where the state is broken. It is not used any more once
// it is saved.
func (in *input) bettor() *state.Bettor {
	value, ok := in.Value().([]byte)
	if !ok {
		return new(state.Bettor)
	}
	if bettor := in.bettors.take(in.Key(), value); bettor != nil {
		return bettor
	}
	bettor, err := state.UnmarshalBettor(value)
	if err != nil {
		in.unreadable(err)
		return nil
	}
	return bettor
}

func (in *input) saveBettor(b *state.Bettor) {
	b.Epoch = in.epoch()
	value := b.Marshal()
	in.SetValue(value, in.headers())
	in.bettors.put(in.Key(), value, b)
}
