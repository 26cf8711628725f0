package simulated

import (
	"math"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// TestTokensDrain checks that sessions renew at different times, each at four
// fifths of its token's life: the use of the old credential fades within that.
func TestTokensDrain(t *testing.T) {
	const emit, life = 12 * time.Second, 10 * time.Second
	h := live(t, planned(t), Options{}, 40*time.Second, act{3 * time.Second, keyring.Accept, "k2"}, act{emit, keyring.Emit, "k2"})
	v := history.ViewOf(h)
	switched := v.Switched["auth"]["k2"].Duration()
	old := history.CellKey{Source: history.FromLoad, Presenter: "app", Validator: "search", Credential: "k1"}
	use := func(from, to time.Duration) int64 {
		return v.Sum(old, history.Offset(from), history.Offset(to)).Attempts
	}
	const step = 2 * time.Second
	before := use(switched-step, switched)
	for i := range 4 {
		from := switched + time.Duration(i)*step
		if now := use(from, from+step); now >= before {
			t.Errorf("old credential from %s on: got %d attempts, want fewer than the %d before", from, now, before)
		} else {
			before = now
		}
	}
	if left := use(switched+life*8/10+bucket.Duration(), 40*time.Second); left != 0 {
		t.Errorf("old credential after all renewals: got %d attempts, want none", left)
	}
}

// TestARateChanges: a client begins, changes and ends by its scenario.
func TestARateChanges(t *testing.T) {
	replace := []string{"{client: app, to: search, rate: 20/s", "{client: app, to: search, rate: 20/s, from: accept+4m, steps: [{at: emit+4m, rate: 5/s}], until: emit+8m"}
	w := New(planned(t, replace...), Options{})
	bound := w.World()
	take(t, bound, keyring.Accept, "k1")
	take(t, bound, keyring.Emit, "k1")
	for _, phase := range []history.Phase{history.Baseline, history.Accept, history.Emit, history.Watch} {
		bound.History.Record(history.Event{Kind: history.KindPhase, Phase: phase})
		pass(t, bound, 10*time.Second)
	}
	h, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	var changed []float64
	for _, e := range h.Events {
		if e.Kind == history.KindRate && e.Service == "app" {
			changed = append(changed, *e.Rate)
		}
	}
	if len(changed) != 3 || changed[0] != 20 || changed[1] != 5 || changed[2] != 0 {
		t.Fatalf("its rate was changed to %v, want 20, 5 and 0", changed)
	}
	v := history.ViewOf(h)
	var at []history.Offset
	for _, c := range v.Rates["app"] {
		at = append(at, c.At)
	}
	for _, tt := range []struct {
		from, until history.Offset
		rate        float64
	}{{0, at[0], 0}, {at[0], at[1], 20}, {at[1], at[2], 5}, {at[2], history.Offset(40 * time.Second), 0}} {
		var n int64
		for _, key := range v.Keys() {
			if key.Presenter == "app" {
				n += v.Sum(key, tt.from, tt.until).Attempts
			}
		}
		if want := tt.rate * (tt.until - tt.from).Duration().Seconds(); math.Abs(float64(n)-want) > 0.15*want+1 {
			t.Errorf("from %s to %s it made %d attempts, want some %.0f", tt.from.Wall(), tt.until.Wall(), n, want)
		}
	}
}

func TestOnRefusal(t *testing.T) {
	replace := []string{"token: {from: auth, life: 10m}", "token: {from: auth, life: 10m, on_refusal: renew}"}
	acts := []act{{3 * time.Second, keyring.Accept, "k2"}, {6 * time.Second, keyring.Emit, "k2"}, {8 * time.Second, keyring.Revoke, "k1"}}
	quick := Options{Validators: map[string]Behaviour{"search": {Refresh: time.Minute}, "checkout": {Refresh: time.Minute}}}

	kept := sum(live(t, planned(t), quick, 20*time.Second, acts...), "app", 0)
	if kept.AuthFailures == 0 || kept.Retries != 0 {
		t.Errorf("keep: got %d failures and %d retries, want some and none", kept.AuthFailures, kept.Retries)
	}
	h := live(t, planned(t, replace...), quick, 20*time.Second, acts...)
	renewed := sum(h, "app", 0)
	if renewed.AuthFailures == 0 || renewed.AuthFailures >= kept.AuthFailures {
		t.Errorf("renew: got %d failures, want some and fewer than the %d of keep", renewed.AuthFailures, kept.AuthFailures)
	}
	if renewed.Retries != renewed.AuthFailures || renewed.RetriesOK != renewed.Retries {
		t.Errorf("renew: got %d retries, %d of them ok, want %d, all ok", renewed.Retries, renewed.RetriesOK, renewed.AuthFailures)
	}
	if totals := h.Events[len(h.Events)-2].Totals; totals.Retried < renewed.Retries || totals.Sent != totals.Scheduled+totals.Retried {
		t.Errorf("totals: got %+v, want the retries in retried and in sent", totals)
	}
}
