package tipoff

import "testing"

func TestSequence_OrdersRecordsByEpochAndOffset(t *testing.T) {
	inOrder := []int64{Sequence(0, 0), Sequence(0, 7), Sequence(0, 1<<39), Sequence(1, 0), Sequence(1, 5), Sequence(1<<22, 2)}
	for i, a := range inOrder {
		for j, b := range inOrder {
			if SequenceBefore(a, b) != (i < j) {
				t.Errorf("%d before %d: %v", i, j, i >= j)
			}
		}
	}
	if s := Sequence(41, 12345); SequenceEpoch(s) != 41 || SequenceOffset(s) != 12345 {
		t.Errorf("epoch %d, offset %d", SequenceEpoch(s), SequenceOffset(s))
	}
}

func TestSequence_OfAnOlderProgramIsItsOffset(t *testing.T) {
	if s := Sequence(-1, 9); s != 9 || SequenceEpoch(s) != -1 || SequenceOffset(s) != 9 {
		t.Errorf("sequence %d", s)
	}
	if SequenceBefore(9, Sequence(3, 9)) || SequenceBefore(Sequence(3, 9), 9) || !SequenceBefore(9, Sequence(3, 10)) || !SequenceBefore(Sequence(3, 8), 9) {
		t.Error("an epoch that is not known decides")
	}
}
