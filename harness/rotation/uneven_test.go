package rotation

import (
	"math/rand/v2"
	"testing"
	"time"
)

// missed is the longest run of proofs that one of some replicas behind one address was
// not met by, where addresses are taken in turns by a load at a rate (per second) and
// by proofs with pauses between them.
func missed(replicas, rate int, pause func() time.Duration) (most int) {
	without := make([]int, replicas)
	var at time.Duration
	for n := 1; n < 2000; n++ {
		at += pause()
		asked := int(at.Seconds()*float64(rate)) + n // of the load until now, and of proofs
		met := asked % replicas
		for i := range without {
			if without[i]++; i == met {
				without[i] = 0
			}
			most = max(most, without[i])
		}
	}
	return most
}

// TestUneven: a replica that takes turns with others is met again and again,
// whatever the load. At an even pace it is not.
func TestUneven(t *testing.T) {
	t.Parallel()
	const long = 50 // by chance 1 in 2,000,000 with four replicas
	random := rand.New(rand.NewPCG(1, 1))
	inStep := 0
	for replicas := 2; replicas <= 4; replicas++ {
		for _, rate := range []int{1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 500, 1000} {
			if most := missed(replicas, rate, func() time.Duration { return uneven(probeEvery, random) }); most >= long {
				t.Errorf("%d replicas, a load of %d/s: one was not met by %d proofs in a row, want fewer than %d", replicas, rate, most, long)
			}
			if missed(replicas, rate, func() time.Duration { return probeEvery }) >= long {
				inStep++
			}
		}
	}
	if inStep == 0 {
		t.Error("an even pace met every replica too: this test finds nothing")
	}
}
