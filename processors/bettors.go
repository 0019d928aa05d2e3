package processors

import (
	"fmt"

	"github.com/lovoo/goka"

	"tipoff"
	"tipoff/score"
)

// Bettors is the processor that keeps the table of bettors, by company and user.
func Bettors(source Source) *goka.GroupGraph {
	b := bettors{source}
	return goka.DefineGroup(tipoff.GroupBettors,
		goka.Input(tipoff.TopicUsers, bytesCodec{}, b.user),
		goka.Input(tipoff.TopicCoupons, bytesCodec{}, b.coupon),
		goka.Input(tipoff.TopicResolved, bytesCodec{}, b.resolved),
		goka.Output(tipoff.TopicSelections, bytesCodec{}),
		goka.Output(tipoff.TopicRejected, bytesCodec{}),
		goka.Persist(bytesCodec{}),
	)
}

type bettors struct{ source Source }

// user takes a newer version of a user in.
func (b bettors) user(ctx goka.Context, message any) {
	in, ok := b.source.read(ctx, message)
	if !ok {
		return
	}
	user, err := tipoff.DecodeUser(in.value, in.reading())
	if err == nil && user.ID != in.id {
		err = fmt.Errorf("user_id: must be the key's, %q", in.id)
	}
	if err != nil {
		in.reject(err.Error())
		return
	}
	bettor := in.bettor()
	bettor.Post(user, in.at)
	in.SetValue(bettor.Marshal(), in.headers())
}

// coupon notes a bet and sends its legs to their fixtures.
func (b bettors) coupon(ctx goka.Context, message any) {
	in, ok := b.source.read(ctx, message)
	if !ok {
		return
	}
	coupon, err := tipoff.DecodeCoupon(in.value, in.reading())
	if err == nil && coupon.UserID != in.id {
		err = fmt.Errorf("user_id: must be the key's, %q", in.id)
	}
	if err != nil {
		in.reject(err.Error())
		return
	}
	bettor, received := in.bettor(), in.received.Unix()
	verdict := bettor.Note(&coupon, in.at, received)
	in.SetValue(bettor.Marshal(), in.headers())
	switch verdict {
	case score.NewBet, score.AgainBet:
		legs := bettor.Send(&coupon, in.at, in.Partition(), received)
		for i := range legs {
			in.send(tipoff.TopicSelections, tipoff.Key(in.company, legs[i].EventID), &legs[i])
		}
	case score.DiffersBet:
		in.reject("coupon_id: is taken by a coupon with another content, which stands")
	case score.TooOldBet:
		in.reject(fmt.Sprintf("timestamp: is before the user's last %d coupons, so a repeat could not be told", score.MaxCoupons))
	}
}

// resolved learns from a leg that its fixture has answered.
func (b bettors) resolved(ctx goka.Context, message any) {
	in, ok := b.source.read(ctx, message)
	if !ok {
		return
	}
	got, err := score.UnmarshalMessage(in.value)
	resolved, ok := got.(*score.Resolved)
	if err != nil || !ok {
		in.reject("not a resolved leg")
		return
	}
	bettor := in.bettor()
	bettor.Apply(resolved, in.received.Unix())
	in.SetValue(bettor.Marshal(), in.headers())
}

// bettor is the state of the record's user; a user never seen has an empty one.
func (in *input) bettor() *score.Bettor {
	value, ok := in.Value().([]byte)
	if !ok {
		return new(score.Bettor)
	}
	bettor, err := score.UnmarshalBettor(value)
	if err != nil {
		in.unreadable(err)
	}
	return bettor
}
