package tipoff

// A record's place on its partition, in one number by which records can be compared:
// the leader epoch under which the broker appended it, plus one, above its offset. A
// log that loses its end uses offsets again, but under a higher epoch, so what comes
// then is newer than all that was lost. It leaves room for 8 million epochs and 10^12
// records.

const offsetBits = 40

// Sequence is the place of the record at offset that was appended under the leader
// epoch; it is the offset alone where the epoch is not known (below 0).
func Sequence(epoch int32, offset int64) int64 { return int64(epoch+1)<<offsetBits | offset }

// SequenceOffset is the offset in a sequence.
func SequenceOffset(sequence int64) int64 { return sequence & (1<<offsetBits - 1) }

// SequenceEpoch is the leader epoch in a sequence, -1 where it is not known.
func SequenceEpoch(sequence int64) int32 { return int32(sequence>>offsetBits) - 1 }

// SequenceBefore says whether a record stands before another one. Where the epoch of
// one is not known, as an older program wrote its place down, their offsets decide.
func SequenceBefore(a, b int64) bool {
	if SequenceEpoch(a) < 0 || SequenceEpoch(b) < 0 {
		return SequenceOffset(a) < SequenceOffset(b)
	}
	return a < b
}

// SequenceSame says whether both are the place of one record, as far as it is known.
func SequenceSame(a, b int64) bool { return !SequenceBefore(a, b) && !SequenceBefore(b, a) }
