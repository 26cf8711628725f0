package history

import "math/bits"

// Latencies are counted log-linearly, as HdrHistogram does: exact up to
// subBuckets microseconds, then subBuckets/2 steps for each doubling, so that a
// value is known to better than two parts in subBuckets: 1.6 %.
const (
	subBuckets    = 128
	subBits       = 7  // log2(subBuckets)
	maxBits       = 27 // values of 2^27 µs (134 s) and more are counted as the last one
	latencySlots  = subBuckets + (maxBits-subBits)*subBuckets/2
	halfSubBucket = subBuckets / 2
)

// Latencies counts how long answers took. It takes the same memory, some 6 KiB,
// however many they are. The zero value has counted nothing; it is not safe for
// concurrent use.
type Latencies struct {
	counts [latencySlots]uint32
	lo, hi int // used slots are in [lo, hi)
}

// Add counts one answer, in microseconds: a negative time as none, one of 134 s
// and more as 134 s.
func (l *Latencies) Add(micros int64) {
	slot := latencySlot(micros)
	if l.lo == l.hi {
		l.lo, l.hi = slot, slot+1
	}
	l.lo, l.hi = min(l.lo, slot), max(l.hi, slot+1)
	l.counts[slot]++
}

// Pairs lists [microseconds, count] in order, as Counts.Latency has them. The
// microseconds are off by at most 1.6 %.
func (l *Latencies) Pairs() [][2]int64 {
	n := 0
	for _, c := range l.counts[l.lo:l.hi] {
		if c > 0 {
			n++
		}
	}
	pairs := make([][2]int64, 0, n)
	for i, c := range l.counts[l.lo:l.hi] {
		if c > 0 {
			pairs = append(pairs, [2]int64{latencyValue(l.lo + i), int64(c)})
		}
	}
	return pairs
}

// Reset forgets all that was counted.
func (l *Latencies) Reset() {
	clear(l.counts[l.lo:l.hi])
	l.lo, l.hi = 0, 0
}

func latencySlot(micros int64) int {
	v := uint64(max(micros, 0))
	if v < subBuckets {
		return int(v)
	}
	shift := bits.Len64(v) - subBits
	if shift > maxBits-subBits {
		return latencySlots - 1
	}
	return subBuckets + (shift-1)*halfSubBucket + int(v>>shift) - halfSubBucket
}

// latencyValue is the middle of the values that a slot counts.
func latencyValue(slot int) int64 {
	if slot < subBuckets {
		return int64(slot)
	}
	shift := (slot-subBuckets)/halfSubBucket + 1
	lowest := int64((slot-subBuckets)%halfSubBucket+halfSubBucket) << shift
	return lowest + int64(1)<<shift/2
}
