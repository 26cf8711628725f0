package rotation_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/world"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

func TestHealthyRotation(t *testing.T) {
	t.Parallel()
	for _, seed := range []int64{1, 2, 3} {
		p := planned(t, "")
		r := rehearse(t, p, simulated.Options{Seed: seed})
		r.wantNoError(t)
		r.wantEnd(t, history.EndedComplete, forth)
		r.wantFailures(t)
		wantEqual(t, "phases", r.phases(), history.Phases())
		wantEqual(t, "gates that did not hold", r.refused(), nil)
		wantEqual(t, "decisions", r.decisions(), nil)
		if got, want := len(r.events(history.KindGate)), 5; got != want {
			t.Errorf("gates: got %d, want %d, one after each phase that has one", got, want)
		}

		start := r.view.PhaseStart
		step := func(s keyring.Step, credential string) history.Offset { return r.view.Steps[string(s)][credential] }
		for _, span := range []struct {
			what      string
			got, want time.Duration
			slack     time.Duration // how much longer it may be
		}{
			{"baseline", (start[history.Accept] - start[history.Baseline]).Duration(), p.Times.Baseline, p.Limits.LooksAhead().Duration()}, // for the worst moment
			{"accept to emit", (step(keyring.Emit, "k2") - step(keyring.Accept, "k2")).Duration(), p.Times.Lead, 0},
			{"the last switch to revoke", (start[history.Revoke] - r.view.Switched["auth"]["k2"]).Duration(), p.Times.Window, 100 * time.Millisecond},
			{"watch", (step(keyring.Destroy, "k1") - start[history.Watch]).Duration(), p.Times.Watch, 0},
		} {
			if span.got < span.want || span.got > span.want+span.slack {
				t.Errorf("%s: got %s, want %s and at most %s more", span.what, span.got, span.want, span.slack)
			}
		}
		if got, most := (start[history.Overlap] - start[history.Emit]).Duration(), p.Times.Propagation; got > most {
			t.Errorf("emit: got %s, want at most %s, for the emitters do switch", got, most)
		}
	}
}

func TestProbesOfARotation(t *testing.T) {
	t.Parallel()
	r := rehearse(t, planned(t, ""), simulated.Options{})
	count := map[string]map[history.Purpose]int{}
	last := map[string]map[history.Purpose]history.Outcome{}
	for _, e := range r.events(history.KindProbe) {
		if count[e.Service] == nil {
			count[e.Service], last[e.Service] = map[history.Purpose]int{}, map[history.Purpose]history.Outcome{}
		}
		count[e.Service][e.Probe.Purpose]++
		last[e.Service][e.Probe.Purpose] = e.Probe.Outcome
	}
	for _, name := range []string{"checkout", "search"} {
		if got := count[name][history.Canary]; got < 25 || got > 25+3 { // some may be under way
			t.Errorf("canaries at %s: got %d, want 25, for it may be many replicas", name, got)
		}
		if got := last[name][history.Canary]; got != history.OK {
			t.Errorf("canary at %s: got %s, want %s", name, got, history.OK)
		}
		if got := last[name][history.OldAfter]; got != history.AuthFailure {
			t.Errorf("last probe of the old credential at %s: got %s, want %s", name, got, history.AuthFailure)
		}
		if got := count[name][history.NewAfter]; got < 25 || got > 25+3 {
			t.Errorf("probes of the new credential at %s: got %d, want 25", name, got)
		}
		learned, forgot := r.view.Holds[name]["k2"], r.view.Forgot[name]["k1"]
		if accepted := r.view.Steps["accept"]["k2"]; learned < accepted {
			t.Errorf("%s learned k2 at %s, want after it was accepted at %s", name, learned.Wall(), accepted.Wall())
		}
		if revoked := r.view.Steps["revoke"]["k1"]; forgot < revoked {
			t.Errorf("%s forgot k1 at %s, want after it was revoked at %s", name, forgot.Wall(), revoked.Wall())
		}
	}
}

func TestAPIKeyRotation(t *testing.T) {
	t.Parallel()
	r := rehearse(t, plannedOf(t, keyPage, keyBase, ""), simulated.Options{})
	r.wantNoError(t)
	r.wantEnd(t, history.EndedComplete, forth)
	r.wantFailures(t)
	wantEqual(t, "gates that did not hold", r.refused(), nil)
}

func TestCommandsBeforeAPhase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		phase   history.Phase
		command world.Command
		how     string
		steps   string
	}{
		{history.Baseline, world.RollBack, history.EndedStopped, ""},
		{history.Accept, world.RollBack, history.EndedStopped, ""},
		{history.Verify, world.RollBack, history.EndedRolledBack, backAccept},
		{history.Emit, world.RollBack, history.EndedRolledBack, backAccept},
		{history.Overlap, world.RollBack, history.EndedRolledBack, backEmit},
		{history.Revoke, world.RollBack, history.EndedRolledBack, backEmit},
		{history.Watch, world.RollBack, history.EndedRolledBack, backRevoke},
		{history.Baseline, world.Abort, history.EndedInterrupted, ""},
		{history.Emit, world.Abort, history.EndedInterrupted, "accept k2"},
		{history.Revoke, world.Abort, history.EndedInterrupted, "accept k2, emit k2"},
	} {
		t.Run(string(tt.command)+" before "+string(tt.phase), func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, planned(t, ""), simulated.Options{Answers: map[history.Phase]world.Command{tt.phase: tt.command}})
			r.wantNoError(t)
			r.wantEnd(t, tt.how, tt.steps)
			r.wantFailures(t)
			if _, ran := r.view.PhaseStart[tt.phase]; ran {
				t.Errorf("phase %s began, want it not to", tt.phase)
			}
			if got := len(r.events(history.KindOperator)); got != 1 {
				t.Errorf("operator events: got %d, want 1", got)
			}
		})
	}
}

func TestCommandsInAPhase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		phase   history.Phase
		after   time.Duration
		command world.Command
		how     string
		steps   string
	}{
		{history.Baseline, time.Second, world.RollBack, history.EndedStopped, ""},
		{history.Accept, 0, world.RollBack, history.EndedRolledBack, backAccept},
		{history.Verify, 5 * time.Second, world.RollBack, history.EndedRolledBack, backAccept},
		{history.Emit, 10 * time.Millisecond, world.RollBack, history.EndedRolledBack, backEmit},
		{history.Overlap, 3 * time.Second, world.RollBack, history.EndedRolledBack, backEmit},
		{history.Revoke, 0, world.RollBack, history.EndedRolledBack, backRevoke},
		{history.Watch, time.Second, world.RollBack, history.EndedRolledBack, backRevoke},
		{history.Watch, 20 * time.Second, world.RollBack, history.EndedRolledBack, backRevoke},
		{history.Verify, time.Second, world.Abort, history.EndedInterrupted, "accept k2"},
		{history.Watch, time.Second, world.Abort, history.EndedInterrupted, "accept k2, emit k2, revoke k1"},
	} {
		t.Run(string(tt.command)+" in "+string(tt.phase)+" after "+tt.after.String(), func(t *testing.T) {
			t.Parallel()
			at := simulated.Moment{Phase: tt.phase, After: tt.after}
			r := rehearse(t, planned(t, ""), simulated.Options{Commands: []simulated.Command{{At: at, Command: tt.command}}})
			r.wantNoError(t)
			r.wantEnd(t, tt.how, tt.steps)
			r.wantFailures(t)
			asked := r.events(history.KindOperator)
			if len(asked) != 1 {
				t.Fatalf("operator events: got %d, want 1", len(asked))
			}
			due := r.view.PhaseStart[tt.phase] + history.Offset(tt.after)
			if late := (asked[0].At - due).Duration(); late < 0 || late > 100*time.Millisecond {
				t.Errorf("obeyed %s after the command came, want within 100ms", late)
			}
			if tt.how == history.EndedRolledBack && r.view.Phase != history.Rollback {
				t.Errorf("last phase: got %s, want %s", r.view.Phase, history.Rollback)
			}
		})
	}
}

func TestFailedSteps(t *testing.T) {
	t.Parallel()
	broken := errors.New("authority out of order")
	fail := func(step keyring.Step, credential string) simulated.Options {
		return simulated.Options{StepErrors: map[keyring.Intent]error{{Step: step, Credential: credential}: broken}}
	}
	for _, tt := range []struct {
		name    string
		options simulated.Options
		how     string
		steps   string
	}{
		{"make", simulated.Options{MakeError: broken}, history.EndedStopped, "make k2!"},
		{"accept", fail(keyring.Accept, "k2"), history.EndedRolledBack, "accept k2!, withdraw k2"},
		{"emit", fail(keyring.Emit, "k2"), history.EndedRolledBack, "accept k2, emit k2!, emit k1, withdraw k2"},
		{"revoke", fail(keyring.Revoke, "k1"), history.EndedRolledBack, "accept k2, emit k2, revoke k1!, restore k1, emit k1, withdraw k2"},
		{"destroy", fail(keyring.Destroy, "k1"), history.EndedComplete, "accept k2, emit k2, revoke k1, destroy k1!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rehearse(t, planned(t, ""), tt.options)
			r.wantError(t, broken)
			r.wantEnd(t, tt.how, tt.steps)
			r.wantFailures(t)
			if tt.how == history.EndedRolledBack {
				wantEqual(t, "decisions", r.decisions(), []string{"rollback: error"})
			}
		})
	}
}

func TestFailedWayBack(t *testing.T) {
	t.Parallel()
	broken := errors.New("authority out of order")
	r := rehearse(t, planned(t, ""), simulated.Options{
		Answers:    map[history.Phase]world.Command{history.Overlap: world.RollBack},
		StepErrors: map[keyring.Intent]error{{Step: keyring.Withdraw, Credential: "k2"}: broken},
	})
	r.wantError(t, broken)
	r.wantEnd(t, history.EndedRolledBack, "accept k2, emit k2, emit k1, withdraw k2!")
}

// What keeps a rotation from going on because the secret is somebody else's now
// keeps it from going back, too, and is told once.
func TestCrossedByAnotherRotation(t *testing.T) {
	t.Parallel()
	crossed := fmt.Errorf("version 4 is another's: %w", world.ErrOtherRotation)
	r := rehearse(t, planned(t, ""), simulated.Options{StepErrors: map[keyring.Intent]error{
		{Step: keyring.Revoke, Credential: "k1"}:  crossed,
		{Step: keyring.Restore, Credential: "k1"}: crossed,
	}})
	r.wantError(t, world.ErrOtherRotation)
	if told := strings.Count(r.err.Error(), crossed.Error()); told != 1 {
		t.Errorf("the error tells of it %d times, want once: %v", told, r.err)
	}
	r.wantEnd(t, history.EndedRolledBack, "accept k2, emit k2, revoke k1!, restore k1!")
	wantEqual(t, "decisions", r.decisions(), []string{"rollback: another-rotation"})
}

func TestCancelledRotation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		phase history.Phase
		steps string
	}{
		{history.Baseline, ""},
		{history.Verify, "accept k2"},
		{history.Overlap, "accept k2, emit k2"},
		{history.Watch, "accept k2, emit k2, revoke k1"},
	} {
		t.Run(string(tt.phase), func(t *testing.T) {
			t.Parallel()
			down := map[string]simulated.Span{"checkout": {From: simulated.Moment{Phase: tt.phase, After: 100 * time.Millisecond}}}
			end := simulated.Moment{Phase: tt.phase, After: time.Second}
			r := rehearseUntil(t, planned(t, ""), simulated.Options{Down: down}, end)
			r.wantNoError(t)
			r.wantEnd(t, history.EndedInterrupted, tt.steps)
			if r.view.Phase != tt.phase {
				t.Errorf("phase: got %s, want %s", r.view.Phase, tt.phase)
			}
			var stages []string
			for _, e := range r.events(history.KindFault) {
				stages = append(stages, e.Fault.Stage)
			}
			wantEqual(t, "stages of the fault", stages, []string{"injected", "evidence", "undone"})
		})
	}
}

// learnedAfter is how long after the accept a validator learned the new credential.
func (r *rehearsal) learnedAfter(validator string) time.Duration {
	return (r.view.Learned[validator]["k2"] - r.view.Steps["accept"]["k2"]).Duration()
}

// TestTheWorstMoment checks that a rotation does not accept at a lucky moment: the
// slowest validator learns as late as it can, whatever the phases of its fetches, of
// its emitter's polls and of a cache between them.
func TestTheWorstMoment(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, patch string
		least       time.Duration // at speed 90: 15m are 10s, 20m 13.3s
	}{
		{"a cache of its own", "", 9900 * time.Millisecond},
		// It is filled at every second fetch of search.
		{"and a shared one", "services: {edge: {serve: cache, of: auth, ttl: 20m}, search: {of: edge}}\n", 19800 * time.Millisecond},
	} {
		for _, seed := range []int64{1, 2, 3, 4, 5} {
			r := rehearse(t, planned(t, "gates: observe\non_budget: record\n"+tt.patch), simulated.Options{Seed: seed})
			if late := r.learnedAfter("search"); late < tt.least {
				t.Errorf("%s, seed %d: search learned %s after the accept, want at least %s", tt.name, seed, late, tt.least)
			}
		}
	}
}

func TestBaselineWithoutFetches(t *testing.T) {
	t.Parallel()
	p := planned(t, "")
	r := rehearse(t, p, simulated.Options{Pinned: map[string]bool{"search": true}})
	gate := r.events(history.KindGate)[0].Gate
	if !gate.Held || !strings.Contains(gate.Detail, "as late as it can") {
		t.Errorf("gate of a baseline: got held %t, %q; want it held, and a word of the moment", gate.Held, gate.Detail)
	}
	search, _ := p.Limits.Validator("search")
	most := p.Times.Baseline + 2*(p.Limits.Wall(search.Learns)+search.Granule) + 2*time.Second
	if got := (r.view.PhaseStart[history.Accept] - r.view.PhaseStart[history.Baseline]).Duration(); got > most {
		t.Errorf("baseline: got %s, want at most %s", got, most)
	}
}
