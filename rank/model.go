package rank

import "math"

// Model is what a company's stream has taught: how much each term counts, how the
// small net moves the best events, and which way to rank does best of late. Every
// coupon is a list of what was open, in which its legs are the right ones, and is one
// step of training.
//
// The first stage is linear in the terms, with weights that depend on how much is
// known of the bettor; loss is the cross-entropy of a softmax over the list, the
// steps are AdaGrad's (Duchi, Hazan, Singer, JMLR 2011).
type Model struct {
	Steps   uint64 // coupons learnt from
	Weights [Terms][Contexts]float32
	squares [Terms][Contexts]float32 // sums of squared slopes
	net     net
	tastes  tastes
	Quality [rankerCount]Quality
	off     []int // terms that are left out
}

// Without makes a model do without a term, or all terms of a part of the score, to
// measure what they bring. It returns false where there is neither of that name.
func (m *Model) Without(name string) bool {
	for t, part := range partOf {
		if PartNames[part] == name || TermNames[t] == name {
			m.off = append(m.off, t)
		}
	}
	return len(m.off) > 0
}

// Quality is the running NDCG@10 of one way to rank, over the last two thousand or so
// coupons.
type Quality struct {
	Sum, Weight float64
	Squares     float64 // of what it was better or worse by than the hand blend
}

// NDCG is the mean, 0 before anything was measured.
func (q Quality) NDCG() float64 { return q.Sum / max(q.Weight, 1) }

// The rankers that are compared while learning: the learnt ones
// first, then plain ones, below which the learnt ones may not fall.
const (
	rankerNet = iota
	rankerLinear
	rankerBlend
	rankerByAffinity
	rankerPairsPopular
	rankerPairs
	rankerByPopularity
	rankerCount
)

// ComparedRankers names what [Model.Quality] measures.
var ComparedRankers = [rankerCount]string{"two stages", "linear", "hand blend", RankerAffinity, "pairs and popularity", RankerCF, RankerPopular}

// NewModel returns a model that ranks by the hand blend and has learnt nothing.
func NewModel() *Model {
	m := &Model{net: newNet(), tastes: newTastes()}
	for t, w := range plainWeights(rankerBlend, false) {
		m.Weights[t][contextAlways] = w / 2
	}
	for t := termBias; t < Terms; t++ {
		m.Weights[t][contextAlways] = 1
	}
	return m
}

// earned says whether one ranker did better than the hand blend by more than luck
// explains: by the standard error of the difference. No better one is needed.
func (m *Model) earned(ranker int) bool {
	q := &m.Quality[ranker]
	return q.Weight > 0 && q.NDCG()-m.Quality[rankerBlend].NDCG() > math.Sqrt(q.Squares)/q.Weight
}

const (
	qualityLeast  = 50   // measured coupons before the learnt rankers may lead
	qualityMargin = 1.01 // times the best plain one's NDCG@10, below which they do not
)

// Leader is the way to rank that did best of late. A plain one leads while little
// is learnt, and where the learnt ones fall behind it; the hand blend while nothing
// else is known to do better.
func (m *Model) Leader() int {
	learnt, plain := rankerLinear, rankerBlend
	if m.Quality[rankerNet].NDCG() >= m.Quality[rankerLinear].NDCG() {
		learnt = rankerNet
	}
	for e := rankerBlend; e < rankerCount; e++ {
		if m.earned(e) && m.Quality[e].NDCG() > m.Quality[plain].NDCG() {
			plain = e
		}
	}
	q := &m.Quality[learnt]
	if q.Weight < qualityLeast || !m.earned(learnt) || q.NDCG()*qualityMargin < m.Quality[plain].NDCG() {
		return plain
	}
	return learnt
}

// weights computes the first stage's weights for a bettor into w.
func (m *Model) weights(context *[Contexts]float32, w *[Terms]float32) {
	for t := range w {
		row := &m.Weights[t]
		w[t] = row[0]*context[0] + row[1]*context[1] + row[2]*context[2] + row[3]*context[3] + row[4]*context[4]
	}
	for _, off := range m.off {
		w[off] = 0
	}
}

// AlwaysWeights are the first stage's weights that do not depend on the bettor.
func (m *Model) AlwaysWeights() (w [Terms]float32) {
	for t := range w {
		w[t] = m.Weights[t][contextAlways]
	}
	return w
}

// scored is one event with its terms and its score.
type scored struct {
	slot    int32
	isLeg   bool
	isWhole bool    // terms are computed
	extra   float32 // logarithm of how many events it stands for
	score   float32 // of the first stage
	share   float32 // softmax of score and extra
	slope   float32 // of the loss by the score
	terms   [Terms]float32
}

// dot sums in four lanes, as each addition waits for the one before it.
func dot(a, b *[Terms]float32) float32 {
	var s0, s1, s2, s3 float32
	for i := 0; i+3 < Terms; i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for i := Terms &^ 3; i < Terms; i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}
