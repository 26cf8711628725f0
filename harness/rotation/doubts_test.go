package rotation_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// doubting are probes that can show what tells how an acceptance is meant.
type doubting struct{ world.Probes }

func (doubting) Doubts() []history.Purpose { return []history.Purpose{history.Anew, history.MadeUp} }

func (d doubting) Present(ctx context.Context, validator, credential string, purpose history.Purpose) (history.Probe, error) {
	if purpose == history.MadeUp || purpose == history.Anew {
		return history.Probe{Purpose: purpose, Outcome: history.AuthFailure, Status: "401"}, nil
	}
	return d.Probes.Present(ctx, validator, credential, purpose)
}

// TestDoubts: who took the old credential to the end of the watch is asked what that
// means, once each, and nobody who refused it is.
func TestDoubts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		search simulated.Behaviour
		asked  []history.Purpose
	}{
		{"it keeps the old one", keeps, []history.Purpose{history.Anew, history.MadeUp}},
		{"it forgets the old one", forgets, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearseIn(t, planned(t, "gates: observe\non_budget: record\n"), simulated.Options{Replicas: map[string][]simulated.Behaviour{"search": {tt.search}}},
				func(w *world.World, _ context.CancelFunc) { w.Probes = doubting{w.Probes} })
			r.wantNoError(t)
			var asked []history.Purpose
			for _, e := range r.events(history.KindProbe) {
				if e.Probe.Purpose == history.MadeUp || e.Probe.Purpose == history.Anew {
					asked = append(asked, e.Probe.Purpose)
					if e.Service != "search" {
						t.Errorf("%s was asked, want search alone", e.Service)
					}
				}
			}
			if !slices.Equal(asked, tt.asked) {
				t.Errorf("asked for %q, want %q", asked, tt.asked)
			}
		})
	}
}

// spoiling are probes that can show search what is spoilt, which takes it or not.
type spoiling struct {
	world.Probes
	says   history.Outcome
	status string
}

func (spoiling) Spoils(validator string) bool { return validator == "search" }

func (s spoiling) Present(ctx context.Context, validator, credential string, purpose history.Purpose) (history.Probe, error) {
	if purpose == history.Control {
		return history.Probe{Purpose: purpose, Outcome: s.says, Status: s.status, Presentation: "token whose signature is spoilt"}, nil
	}
	return s.Probes.Present(ctx, validator, credential, purpose)
}

// TestControl: who takes the canary, or the new credential at the end, is shown it with its
// signature spoilt, under no credential's name; one that takes that has not learned anything.
func TestControl(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		says   history.Outcome
		status string
		shown  map[history.Phase]int
	}{
		{history.AuthFailure, "401", map[history.Phase]int{history.Verify: 1, history.Watch: 5}},
		{history.OK, "200", map[history.Phase]int{history.Verify: 1, history.Rollback: 5}},
		{history.OK, "403", map[history.Phase]int{history.Verify: 1, history.Watch: 5}}, // an answer by what the scenario says, and not the one to k2
	} {
		t.Run(string(tt.says)+" "+tt.status, func(t *testing.T) {
			t.Parallel()
			r := rehearseIn(t, planned(t, ""), simulated.Options{}, func(w *world.World, _ context.CancelFunc) { w.Probes = spoiling{w.Probes, tt.says, tt.status} })
			shown := map[history.Phase]int{}
			for _, e := range r.events(history.KindProbe) {
				if e.Probe.Purpose == history.Control {
					shown[e.Phase]++
					if e.Service != "search" || e.Credential != "" {
						t.Errorf("shown to %s as %q, want search alone, and no credential", e.Service, e.Credential)
					}
				}
			}
			if !maps.Equal(shown, tt.shown) {
				t.Errorf("shown %v, want %v", shown, tt.shown)
			}
			for _, e := range r.events(history.KindGate) {
				if held := tt.says != history.OK || tt.status == "403"; e.Gate.Phase == history.Verify && (e.Gate.Held != held || !held && e.Gate.Consumer != "search") {
					t.Errorf("the gate of verify held: %t, of %q: %s", e.Gate.Held, e.Gate.Consumer, e.Gate.Detail)
				}
			}
		})
	}
}

// naming are probes of which search is shown names.
type naming struct{ doubting }

func (naming) ByName(validator string) bool { return validator == "search" }

// TestNameWithAnotherValue: an authority that is shown names is asked once, though it refuses
// the old one, whether it lets that of the new one in with a value that nobody gave; another
// validator is not.
func TestNameWithAnotherValue(t *testing.T) {
	t.Parallel()
	for _, authority := range []bool{true, false} {
		p := planned(t, "gates: observe\non_budget: record\n")
		for i := range p.Limits.Validators {
			p.Limits.Validators[i].Authority = authority
		}
		r := rehearseIn(t, p, simulated.Options{Replicas: map[string][]simulated.Behaviour{"search": {forgets}}},
			func(w *world.World, _ context.CancelFunc) { w.Probes = naming{doubting{w.Probes}} })
		r.wantNoError(t)
		var asked []string
		for _, e := range r.events(history.KindProbe) {
			if e.Probe.Purpose == history.MadeUp {
				asked = append(asked, e.Service+" "+e.Credential)
			}
		}
		want := []string(nil)
		if authority {
			want = []string{"search k2"}
		}
		if !slices.Equal(asked, want) {
			t.Errorf("authority %t: asked %q, want %q", authority, asked, want)
		}
	}
}

// TestAskedAfterTheBound: who takes the old credential to the end of a watch that is as long
// as its bound is asked after both: that it takes it then is known.
func TestAskedAfterTheBound(t *testing.T) {
	t.Parallel()
	p := planned(t, "gates: observe\non_budget: record\n")
	for i, v := range p.Limits.Validators {
		if v.Name == "search" {
			p.Limits.Validators[i].Forgets += p.Limits.Watch - p.Limits.G3(v)
		}
	}
	r := rehearseIn(t, p, simulated.Options{Replicas: map[string][]simulated.Behaviour{"search": {keeps}}}, func(*world.World, context.CancelFunc) {})
	r.wantNoError(t)
	a := r.view.Said("search", "k1", history.OldAfter)
	bound := r.view.Steps["revoke"]["k1"] + history.Offset(p.Limits.Wall(p.Limits.Watch))
	if a.Taken == 0 || a.LastAsked < bound {
		t.Errorf("it was last asked at %s, want after %s, when its bound was over", a.LastAsked.Wall(), bound.Wall())
	}
}
