package load

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// kept is what a merger delivered.
type kept struct{ batches []Batch }

func (k *kept) deliver(b Batch) error {
	k.batches = append(k.batches, b)
	return nil
}

func (k *kept) counts() (all []Counts) {
	for _, b := range k.batches {
		all = append(all, b.Counts...)
	}
	return all
}

// TestMergedIsWhatOneWouldHaveCounted records the same decisions with one service and
// with several, whose batches arrive in any order of the shards.
func TestMergedIsWhatOneWouldHaveCounted(t *testing.T) {
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 5))
			const width = 100 * time.Millisecond
			c := newClock()
			shards := 1 + random.IntN(5)
			one := newCells(c, width)
			parts := make([]*cells, shards)
			for i := range parts {
				parts[i] = newCells(c, width)
			}
			var got kept
			m := newMerger(shards, got.deliver)
			var total int64
			for range 400 {
				time.Sleep(time.Duration(random.Int64N(int64(30 * time.Millisecond))))
				shard := random.IntN(shards)
				client, kid := "web", "k"+strconv.Itoa(1+random.IntN(2))
				d := decision{outcome: history.OK, status: 200, latency: time.Duration(random.IntN(1_000_000)) * time.Microsecond}
				if random.IntN(4) == 0 {
					d = decision{outcome: history.AuthFailure, status: 401, session: "web-" + strconv.Itoa(random.IntN(9)), latency: time.Millisecond}
				}
				one.cell(client, "shop", kid).record(d)
				parts[shard].cell(client, "shop", kid).record(d)
				total++
				if of := random.IntN(shards); random.IntN(3) == 0 { // one of them says what it has
					b := Batch{Until: parts[of].begun()}
					b.Counts = parts[of].take(false)
					if err := m.add(of, b); err != nil {
						t.Fatal(err)
					}
				}
			}
			for i, p := range parts {
				if err := m.add(i, Batch{Counts: p.take(true), Final: true, Totals: history.Totals{Sent: int64(i + 1)}}); err != nil {
					t.Fatal(err)
				}
			}
			merged := got.counts()
			if !slices.IsSortedFunc(merged, func(a, b Counts) int { return int(a.At - b.At) }) {
				t.Fatal("counts are out of order")
			}
			byCell := func(all []Counts) map[bucketKey]Counts {
				sorted := map[bucketKey]Counts{}
				for _, c := range all {
					key := bucketKey{c.At, c.Client, c.To, c.Credential}
					if _, twice := sorted[key]; twice {
						t.Fatalf("bucket %v comes twice", key)
					}
					c.Examples = nil // which few are kept may differ
					sorted[key] = c
				}
				return sorted
			}
			if got, want := byCell(merged), byCell(one.take(true)); !reflect.DeepEqual(got, want) {
				t.Fatalf("got  %+v\nwant %+v", got, want)
			}
			last := got.batches[len(got.batches)-1]
			if want := int64(shards * (shards + 1) / 2); !last.Final || last.Totals.Sent != want {
				t.Errorf("got last batch %+v, want it final, with %d sent", last, want)
			}
		})
	}
}

// TestMergerWaitsForTheSlowest, and no longer once it is lost.
func TestMergerWaitsForTheSlowest(t *testing.T) {
	t.Parallel()
	var got kept
	m := newMerger(2, got.deliver)
	add := func(shard int, b Batch) {
		t.Helper()
		if err := m.add(shard, b); err != nil {
			t.Fatal(err)
		}
	}
	bucket := func(at int64) []Counts {
		return []Counts{{At: at, Width: 100, Client: "web", Attempts: 1, OK: 1, Latency: [][2]int64{{at, 1}}}}
	}
	add(0, Batch{Counts: bucket(100), Until: 300})
	if len(got.batches) != 0 {
		t.Fatalf("delivered %+v before the other shard has counted", got.batches)
	}
	add(1, Batch{Counts: bucket(100), Until: 200})
	add(0, Batch{Counts: bucket(300), Until: 400, Behind: []Behind{{Client: "web", From: 100, Until: 350, Due: 10, Sent: 4}}})
	add(1, Batch{Until: 250, Behind: []Behind{{Client: "web", From: 200, Until: 380, Due: 6, Sent: 1}}})
	if counts := got.counts(); len(counts) != 1 || counts[0].Attempts != 2 || !slices.Equal(counts[0].Latency, [][2]int64{{100, 2}}) {
		t.Fatalf("got %+v, want the first bucket with both", counts)
	}
	if until, err := m.lose(1); err != nil || until != 250 {
		t.Errorf("got %d, %v for the lost one, want 250", until, err)
	}
	if counts := got.counts(); len(counts) != 2 || counts[1].At != 300 {
		t.Errorf("got %+v, want what waited for the lost one", counts)
	}
	add(0, Batch{Final: true})
	last := got.batches[len(got.batches)-1]
	if want := []Behind{{Client: "web", From: 100, Until: 380, Due: 16, Sent: 5}}; !last.Final || !slices.Equal(last.Behind, want) {
		t.Errorf("got %+v, want the stretches of both as one", last)
	}
	boom := errors.New("boom")
	refusing := newMerger(1, func(Batch) error { return boom })
	if err := refusing.add(0, Batch{Final: true}); !errors.Is(err, boom) {
		t.Errorf("got %v, want the error of whom it is delivered to", err)
	}
}
