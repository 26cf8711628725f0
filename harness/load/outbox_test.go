package load

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestOutboxHoldsUntilForgotten(t *testing.T) {
	o := newOutbox()
	_, changed := o.after(0)
	for n := range int64(3) {
		o.add(Batch{Counts: []Counts{{Attempts: n + 1, Retries: 1}}})
	}
	select {
	case <-changed:
	default:
		t.Error("nothing was signalled; want the first batch to be")
	}
	check := func(after int64, want ...int64) {
		t.Helper()
		batches, _ := o.after(after)
		if len(batches) != len(want) {
			t.Fatalf("after %d there are %d batches; want %d", after, len(batches), len(want))
		}
		for i, b := range batches {
			if b.Seq != want[i] {
				t.Errorf("batch %d after %d has number %d; want %d", i, after, b.Seq, want[i])
			}
		}
	}
	check(0, 1, 2, 3)
	check(2, 3)
	if err := o.forget(2); err != nil {
		t.Fatal(err)
	}
	check(0, 3)
	check(3)
	if err := o.forget(4); err == nil {
		t.Error("forgot a batch that was never made; want an error")
	}
	if got := o.totals().Recorded; got != 9 {
		t.Errorf("recorded %d; want 9: all attempts and retries, forgotten or not", got)
	}
}

func TestOutboxLeavesOutWhatSaysNothing(t *testing.T) {
	o := newOutbox()
	o.add(Batch{})
	o.add(Batch{Totals: history.Totals{Scheduled: 1}})
	o.add(Batch{Totals: history.Totals{Scheduled: 1}})
	o.add(Batch{Totals: history.Totals{Scheduled: 1}, Final: true})
	if batches, _ := o.after(0); len(batches) != 2 || !batches[1].Final {
		t.Errorf("got %+v; want the one with new totals and the final one", batches)
	}
}
