package rotation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// search as its library is, and as one replica of it may be.
var (
	forgets = simulated.Behaviour{Refresh: 15 * time.Minute}
	keeps   = simulated.Behaviour{Refresh: 15 * time.Minute, KeepsAll: true}
	stuck   = simulated.Behaviour{}
)

func TestProofsOverReplicas(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		replicas []simulated.Behaviour
		says     []string // what gates refuse
	}{
		{"all of them forget, each in its time", []simulated.Behaviour{forgets, forgets, forgets}, nil},
		{"one of three keeps the old one", []simulated.Behaviour{forgets, keeps, forgets}, []string{"search took k1 again after it had refused it"}},
		{"the last of four keeps it", []simulated.Behaviour{forgets, forgets, forgets, keeps}, []string{"search took k1 again after it had refused it"}},
		{"one of three never fetches", []simulated.Behaviour{forgets, stuck, forgets}, []string{
			"not all of its replicas take it", "search took k1 again after it had refused it", "not all of its replicas take it"}},
	} {
		for _, seed := range []int64{1, 2, 3} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				r := rehearse(t, planned(t, "gates: observe\non_budget: record\n"), simulated.Options{Seed: seed, Replicas: map[string][]simulated.Behaviour{"search": tt.replicas}})
				r.wantNoError(t)
				var said []string
				for _, e := range r.events(history.KindGate) {
					if !e.Gate.Held && strings.Contains(e.Gate.Detail, "replicas") {
						said = append(said, e.Gate.Detail)
					}
				}
				if len(said) != len(tt.says) {
					t.Fatalf("seed %d: gates say %q, want %d refusals", seed, said, len(tt.says))
				}
				for i, want := range tt.says {
					if !strings.Contains(said[i], want) {
						t.Errorf("seed %d: a gate says %q, want it to say %q", seed, said[i], want)
					}
				}
			})
		}
	}
}

// TestProofsSideBySide has one party that does not answer, or is slow: the other is
// asked as if it were not there, and none is said to refuse.
func TestProofsSideBySide(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		o    simulated.Options
		says string // of checkout, by the gate of watch; empty: nothing
	}{
		{"slow", simulated.Options{Slow: map[string]time.Duration{"checkout": 2300 * time.Millisecond}}, ""},
		{"frozen", simulated.Options{Down: map[string]simulated.Span{"checkout": {From: simulated.Moment{Phase: history.Revoke}, Frozen: true}}},
			"checkout gave no answer about k1 (timeout)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, planned(t, "gates: observe\non_budget: record\n"), tt.o)
			r.wantNoError(t)
			revoked := r.view.Steps["revoke"]["k1"]
			var asked []history.Offset
			for _, e := range r.events(history.KindProbe) {
				if e.Service == "search" && e.Probe.Purpose == history.OldAfter {
					asked = append(asked, e.At)
				}
			}
			if len(asked) == 0 || asked[0]-revoked > history.Offset(time.Second) {
				t.Errorf("search was first asked for k1 at %v, want at once after the revoke at %s", asked[:min(1, len(asked))], revoked.Wall())
			}
			var said []string
			for _, e := range r.events(history.KindGate) {
				if !e.Gate.Held && e.Gate.Consumer == "checkout" {
					said = append(said, e.Gate.Detail)
				}
			}
			if (tt.says == "") != (len(said) == 0) || tt.says != "" && !slices.Contains(said, tt.says) {
				t.Errorf("gates say of checkout %q, want %q", said, tt.says)
			}
			for _, detail := range said {
				if strings.Contains(detail, "refuses") {
					t.Errorf("a gate calls no answer a refusal: %q", detail)
				}
			}
		})
	}
}

// TestAnAuthorityIsNotAskedOften keeps the proof below what locks an account; and an authority is asked again when the
// watch ends: one of its edges may have taken what others refused.
func TestAnAuthorityIsNotAskedOften(t *testing.T) {
	t.Parallel()
	r := rehearse(t, plannedOf(t, keyPage, keyBase, ""), simulated.Options{})
	r.wantNoError(t)
	refused, atTheEnd := 0, 0
	var ended history.Offset
	for _, e := range r.events(history.KindProbe) {
		if e.Probe.Purpose == history.OldAfter {
			ended = e.At
		}
	}
	for _, e := range r.events(history.KindProbe) {
		if e.Probe.Outcome == history.AuthFailure {
			refused++
		}
		if e.Probe.Purpose == history.OldAfter && e.At > ended-history.Offset(3*time.Second) {
			atTheEnd++
		}
	}
	revoked := r.view.Steps["revoke"]["k1"]
	if refused < 10 || refused > 22 {
		t.Errorf("the provider refused %d probes, want 5 in a row, as often and again as often at the end, and few more", refused)
	}
	if watch := r.view.PhaseStart[history.Watch]; ended-revoked < 4*history.Offset(time.Second) || atTheEnd < 5 {
		t.Errorf("it was shown k1 until %s after the revoke (the watch began at %s), %d times in the last 3s; want at the end of the watch, 5 times or more", (ended - revoked).Wall(), watch.Wall(), atTheEnd)
	}
}
