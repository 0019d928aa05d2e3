package processors

import (
	"fmt"
	"time"

	"github.com/lovoo/goka"

	"tipoff"
	"tipoff/score"
	"tipoff/topics"
)

// Bettors is the processor that keeps a table set's table of bettors, by company and
// user.
func Bettors(ownership Ownership, b topics.TableSet) *goka.GroupGraph {
	return goka.DefineGroup(goka.Group(b.Bettors()),
		goka.Input(goka.Stream(b.Users()), bytesCodec{}, callback(ownership, b, postUser)),
		goka.Input(goka.Stream(b.Coupons()), bytesCodec{}, callback(ownership, b, noteCoupon)),
		goka.Input(goka.Stream(b.Resolved()), bytesCodec{}, callback(ownership, b, learnLeg)),
		goka.Output(goka.Stream(b.Selections()), bytesCodec{}),
		goka.Output(goka.Stream(b.Choices()), bytesCodec{}),
		goka.Output(topics.Rejected, bytesCodec{}),
		goka.Persist(bytesCodec{}),
	)
}

// RewriteBettor asks the owner of a key of the table set's table of bettors to write
// its value again.
func RewriteBettor(b topics.TableSet, key string) topics.Record {
	return topics.Record{Topic: b.Resolved(), Key: key, Value: score.MarshalMessage(&score.Rewrite{}), Received: time.Now()}
}

// postUser takes a newer version of a user in.
func postUser(in *input) {
	user, err := tipoff.DecodeUser(in.value, in.reading())
	if err == nil && user.ID != in.id {
		err = fmt.Errorf("user_id: must be the key's, %q", in.id)
	}
	if err != nil {
		in.reject(err.Error())
		return
	}
	if bettor := in.bettor(); bettor != nil {
		bettor.Post(user, in.at)
		in.saveBettor(bettor)
	}
}

// noteCoupon notes a bet and sends its legs to their fixtures.
func noteCoupon(in *input) {
	coupon, err := tipoff.DecodeCoupon(in.value, in.reading())
	if err == nil && coupon.UserID != in.id {
		err = fmt.Errorf("user_id: must be the key's, %q", in.id)
	}
	if err != nil {
		in.reject(err.Error())
		return
	}
	bettor, received := in.bettor(), in.received.Unix()
	if bettor == nil {
		return
	}
	before, _ := in.Value().([]byte)
	verdict := bettor.Note(&coupon, in.at, in.record, received)
	in.saveBettor(bettor)
	switch verdict {
	case score.NewBet, score.AgainBet:
		legs := bettor.Send(&coupon, in.cause(), received)
		for i := range legs {
			in.send(in.set.Selections(), topics.Key(in.company, legs[i].EventID), &legs[i])
		}
		if verdict == score.NewBet { // what was known before is not known any more when the same record comes again
			in.send(in.set.Choices(), topics.Key(in.company, topics.ModelID),
				&score.Choice{UserID: in.id, At: legs[0].At, Before: before, Legs: legs})
		}
	case score.DiffersBet:
		in.reject("coupon_id: is taken by a coupon with another content, which stands")
	case score.TooOldBet:
		in.reject(fmt.Sprintf("timestamp: is before the user's last %d coupons, so a repeat could not be told", score.MaxCoupons))
	}
}

// learnLeg learns from a leg that its fixture has answered; or writes the state
// again, as it is.
func learnLeg(in *input) {
	got, _ := score.UnmarshalMessage(in.value)
	bettor := in.bettor()
	if bettor == nil {
		return
	}
	switch m := got.(type) {
	case *score.Resolved:
		bettor.Apply(m, in.received.Unix())
		in.saveBettor(bettor)
	case *score.Rewrite:
		if in.Value() != nil {
			in.saveBettor(bettor)
		}
	default:
		in.reject("not a message to a bettor")
	}
}

// bettor is the state of the record's user; a user never seen has an empty one. It
// is nil, and the record rejected, where the state is broken.
func (in *input) bettor() *score.Bettor {
	value, ok := in.Value().([]byte)
	if !ok {
		return new(score.Bettor)
	}
	bettor, err := score.UnmarshalBettor(value)
	if err != nil {
		in.unreadable(err)
		return nil
	}
	return bettor
}

func (in *input) saveBettor(b *score.Bettor) {
	b.Epoch = in.epoch()
	in.SetValue(b.Marshal(), in.headers())
}
