package logs

import (
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

const ms = history.Offset(time.Millisecond)

func accepted(at history.Offset, presenter string) decision {
	return decision{at: at, presenter: presenter, validator: "payments", credential: "k1", outcome: history.OK, status: "201", micros: 5}
}

func refused(at history.Offset) decision {
	d := accepted(at, "billing")
	d.outcome, d.status = history.AuthFailure, "401"
	return d
}

// recorded are the counts that were recorded, in order.
type recorded []history.Event

func (r *recorded) record(e history.Event) { *r = append(*r, e) }

func TestHopCountsInBuckets(t *testing.T) {
	var got recorded
	h := newDecisionCounts(history.FromAuthority, got.record)
	for _, d := range []decision{
		accepted(120*ms, "billing"), refused(150 * ms), refused(199 * ms), accepted(200*ms, "billing"), accepted(130*ms, "nightly"),
	} {
		h.count(d)
	}
	h.flush(199 * ms)
	if len(got) != 0 {
		t.Fatalf("got %d buckets before any had ended, want none", len(got))
	}
	h.flush(200 * ms)
	if len(got) != 2 {
		t.Fatalf("got %d buckets, want one for each presenter", len(got))
	}
	for _, e := range got {
		c := e.Counts
		if e.At != 100*ms || c.Width != 100*ms || c.Source != history.FromAuthority || c.Validator != "payments" || c.Credential != "k1" {
			t.Errorf("got %+v of %+v, want a bucket of payments at 100ms", c, e)
		}
		if c.Presenter != "billing" {
			continue
		}
		if c.Attempts != 3 || c.OK != 1 || c.AuthFailures != 2 || c.Statuses["401"] != 2 || len(c.Examples) != 2 {
			t.Errorf("got %+v, want 3 attempts of which 2 were refused", c)
		}
		if c.FirstFailure != 150*ms || c.LastFailure != 199*ms {
			t.Errorf("got failures from %s to %s, want from 150ms to 199ms", c.FirstFailure.Wall(), c.LastFailure.Wall())
		}
		if len(c.Latency) != 1 || c.Latency[0] != [2]int64{5, 3} {
			t.Errorf("got latency %v, want 3 times 5 µs", c.Latency)
		}
	}
	if h.attempts() != 5 {
		t.Errorf("got %d attempts, want 5", h.attempts())
	}
}

// TestHopKeepsOrder: what comes for a bucket that was recorded counts in the
// next one, and the buckets of a cell come in order.
func TestHopKeepsOrder(t *testing.T) {
	var got recorded
	h := newDecisionCounts(history.FromAuthority, got.record)
	h.count(accepted(350*ms, "billing"))
	h.count(accepted(50*ms, "billing"))
	h.flush(400 * ms)
	h.count(accepted(60*ms, "billing"))
	h.flush(500 * ms)
	want := []history.Offset{0, 300 * ms, 400 * ms}
	if len(got) != len(want) {
		t.Fatalf("got %d buckets, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i].At != want[i] {
			t.Errorf("bucket %d: got at %s, want %s", i, got[i].At.Wall(), want[i].Wall())
		}
	}
}

// TestHopBoundsLatencies has every decision take another time: what is kept of
// them does not grow with their number.
func TestHopBoundsLatencies(t *testing.T) {
	var got recorded
	h := newDecisionCounts(history.FromAuthority, got.record)
	const decisions = 100_000
	for i := range int64(decisions) {
		d := accepted(120*ms, "billing")
		d.micros = i
		h.count(d)
	}
	h.flush(200 * ms)
	latency, n := got[0].Counts.Latency, int64(0)
	for _, pair := range latency {
		n += pair[1]
	}
	if len(latency) > 1000 || n != decisions {
		t.Errorf("got %d decisions in %d figures, want %d in some hundreds", n, len(latency), decisions)
	}
}

func TestHopBoundsExamples(t *testing.T) {
	var got recorded
	h := newDecisionCounts(history.FromAuthority, got.record)
	for i := range 3 * maxExamples {
		h.count(refused(history.Offset(i) * 100 * ms))
	}
	h.flush(history.Offset(time.Hour))
	n := 0
	for _, e := range got {
		n += len(e.Counts.Examples)
	}
	if n != maxExamples {
		t.Errorf("got %d examples, want %d", n, maxExamples)
	}
}

// A retry is counted apart: its success does not undo the refusal before it.
func TestHopCountsRetriesApart(t *testing.T) {
	var got recorded
	h := newDecisionCounts(history.FromAuthority, got.record)
	again := accepted(160*ms, "billing")
	again.retry = true
	inVain := refused(170 * ms)
	inVain.retry = true
	for _, d := range []decision{refused(150 * ms), again, inVain} {
		h.count(d)
	}
	h.flush(200 * ms)
	if len(got) != 1 {
		t.Fatalf("got %d buckets, want 1", len(got))
	}
	if c := got[0].Counts; c.Attempts != 1 || c.AuthFailures != 1 || c.OK != 0 || c.Retries != 2 || c.RetriesOK != 1 {
		t.Errorf("got %+v, want one attempt that was refused, and 2 retries of which 1 succeeded", c)
	}
	if h.attempts() != 3 {
		t.Errorf("got %d recorded, want 3", h.attempts())
	}
}
