package history

import (
	"math"
	"reflect"
	"testing"
)

func TestLatencySlotIsClose(t *testing.T) {
	last := -1
	for v := int64(0); v < 1<<maxBits; v += 1 + v/1000 {
		slot := latencySlot(v)
		if slot < last {
			t.Fatalf("slot of %d µs is %d, of less it was %d; want them in order", v, slot, last)
		}
		last = slot
		if off := math.Abs(float64(latencyValue(slot)-v)) / math.Max(float64(v), 1); off > 1.0/64 {
			t.Fatalf("%d µs is counted as %d µs, off by %.3f; want at most 1/64", v, latencyValue(slot), off)
		}
	}
	for _, v := range []int64{1 << maxBits, math.MaxInt64} {
		if slot := latencySlot(v); slot != latencySlots-1 {
			t.Errorf("slot of %d µs is %d; want the last, %d", v, slot, latencySlots-1)
		}
	}
	if slot := latencySlot(-5); slot != 0 {
		t.Errorf("slot of a negative time is %d; want 0", slot)
	}
}

func TestLatenciesPairs(t *testing.T) {
	var l Latencies
	for _, v := range []int64{90, 3, 90, math.MaxInt64} {
		l.Add(v)
	}
	want := [][2]int64{{3, 1}, {90, 2}, {latencyValue(latencySlots - 1), 1}}
	if got := l.Pairs(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
	l.Reset()
	if got := l.Pairs(); len(got) != 0 || l != (Latencies{}) {
		t.Errorf("after a reset got %v; want nothing", got)
	}
}
