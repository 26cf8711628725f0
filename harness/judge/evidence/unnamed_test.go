package evidence

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestUnnamed: what an emitter was refused with has the name of the one credential that who
// checks had not, where it was to be used then; what is left is said, and none of it is
// what was refused so before.
func TestUnnamed(t *testing.T) {
	at := func(seconds float64) history.Offset { return history.Offset(seconds * float64(time.Second)) }
	counts := func(seconds float64, credential string, refused int64) history.Event {
		return history.Event{At: at(seconds), Kind: history.KindCounts, Counts: &history.Counts{
			Source: history.FromAuthority, Presenter: "send", Validator: "hook", Credential: credential, Width: BucketWidth, Attempts: 10, OK: 10 - refused, AuthFailures: refused, FirstFailure: at(seconds), LastFailure: at(seconds),
		}}
	}
	step := func(seconds float64, what, credential string) history.Event {
		return history.Event{At: at(seconds), Kind: history.KindStep, Step: what, Credential: credential, Phase: history.Accept}
	}
	knows := func(seconds float64, kind history.Kind, credential string) history.Event {
		return history.Event{At: at(seconds), Kind: kind, Service: "hook", Credential: credential}
	}
	limits := plan.Limits{JudgedAt: history.FromAuthority, Emitters: []plan.Emitter{{Name: "send", OnPage: true}}, Validators: []plan.Validator{{Name: "hook", OnPage: true, Reads: true}}}
	for _, tt := range []struct {
		name                      string
		learned, forgot, revoked  float64
		refused                   []float64
		wantOld, wantFresh, wants int64 // wants: without a name
	}{
		{"not learned yet", 30, 60, 50, []float64{21, 25}, 0, 20, 0},
		{"forgotten", 15, 51, 50, []float64{52, 53}, 20, 0, 0},
		{"both are known", 15, 60, 50, []float64{25}, 0, 0, 10},
		{"before it was to be used", 30, 60, 50, []float64{18}, 0, 0, 10},
		{"in the baseline, and no more since", 15, 60, 50, []float64{5}, 0, 0, 0},
		{"in the baseline, and more since", 15, 60, 50, []float64{5, 25, 26}, 0, 0, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			events := []history.Event{
				{Kind: history.KindPlan}, {Kind: history.KindPhase, Phase: history.Baseline}, {At: at(10), Kind: history.KindPhase, Phase: history.Accept},
				{Kind: history.KindCredential, Credential: "k1"}, {At: at(10), Kind: history.KindCredential, Credential: "k2"},
				knows(0, history.KindLearned, "k1"), step(10, "accept", "k2"), knows(tt.learned, history.KindLearned, "k2"), step(20, "emit", "k2"),
				step(tt.revoked, "revoke", "k1"), knows(tt.forgot, history.KindForgot, "k1"), {At: at(70), Kind: history.KindEnd, Detail: history.EndedComplete},
			}
			for _, seconds := range tt.refused {
				events = append(events, counts(seconds, history.UnknownIdentifier, 10))
			}
			e := Gather(&history.History{Events: events}, limits)
			sum := func(credential string) int64 {
				s := e.View.Sum(history.CellKey{Source: history.FromAuthority, Presenter: "send", Validator: "hook", Credential: credential}, 0, e.End+1)
				return s.AuthFailures
			}
			if sum("k1") != tt.wantOld || sum("k2") != tt.wantFresh {
				t.Errorf("got %d of k1 and %d of k2, want %d and %d", sum("k1"), sum("k2"), tt.wantOld, tt.wantFresh)
			}
			if said := e.Unnamed(); (said != "") != (tt.wants > 0) || tt.wants > 0 && !strings.HasPrefix(said, "hook refused send ") {
				t.Errorf("got %q, want that %d have no name", said, tt.wants)
			}
		})
	}
}

// TestNamedByUse: where who checks does not say what it has, what it refused without a name
// is the old credential that was used until the revoke, or the new one that it has never taken;
// where use tells neither, it has no name.
func TestNamedByUse(t *testing.T) {
	at := func(seconds float64) history.Offset { return history.Offset(seconds * float64(time.Second)) }
	counts := func(seconds float64, credential string, ok, refused int64) history.Event {
		return history.Event{At: at(seconds), Kind: history.KindCounts, Counts: &history.Counts{
			Source: history.FromAuthority, Presenter: "shop", Validator: "bank", Credential: credential, Width: BucketWidth, Attempts: ok + refused, OK: ok, AuthFailures: refused, FirstFailure: at(seconds), LastFailure: at(seconds),
		}}
	}
	step := func(seconds float64, what, credential string) history.Event {
		return history.Event{At: at(seconds), Kind: history.KindStep, Step: what, Credential: credential, Phase: history.Accept}
	}
	asked := func(seconds float64, credential string, outcome history.Outcome) history.Event {
		return history.Event{At: at(seconds), Kind: history.KindProbe, Service: "bank", Credential: credential, Probe: &history.Probe{Outcome: outcome}}
	}
	unnamed := func(seconds float64) history.Event { return counts(seconds, history.UnknownIdentifier, 0, 1) }
	used := func(credential string, from, to float64) (events []history.Event) {
		for s := from; s < to; s += 0.5 {
			events = append(events, counts(s, credential, 1, 0))
		}
		return events
	}
	taken, refused := asked(19, "k2", history.OK), asked(51, "k1", history.AuthFailure)
	limits := plan.Limits{JudgedAt: history.FromAuthority, Speed: 1, Emitters: []plan.Emitter{{Name: "shop", OnPage: true}}, Validators: []plan.Validator{{Name: "bank", Authority: true}}}
	for _, tt := range []struct {
		name               string
		events             []history.Event
		wantOld, wantFresh int64
		offPage            bool
	}{
		{"used until the revoke", append(used("k1", 0, 50), taken, refused, unnamed(50.1), unnamed(52)), 2, 0, false},
		{"used in part until the revoke", append(append(used("k1", 0, 50), used("k2", 21, 70)...), taken, refused, unnamed(52)), 1, 0, false},
		{"out of use before", append(append(used("k1", 0, 22), used("k2", 22, 70)...), taken, refused, unnamed(52)), 0, 0, false},
		{"refused something before, too", append(used("k1", 0, 50), taken, refused, unnamed(5), unnamed(52)), 0, 0, false},
		{"the old one is still taken", append(used("k1", 0, 50), taken, asked(51, "k1", history.OK), unnamed(52)), 0, 0, false},
		{"the new one is never taken", append(used("k1", 0, 20), asked(19, "k2", history.AuthFailure), refused, unnamed(21), unnamed(30)), 0, 2, false},
		{"the new one is no longer taken", append(append(used("k1", 0, 22), used("k2", 22, 50)...), taken, asked(51, "k1", history.OK), asked(60, "k2", history.AuthFailure), unnamed(50.6), unnamed(58)), 0, 2, false},
		{"the new one is still taken from the presenter", append(append(used("k1", 0, 22), used("k2", 22, 70)...), taken, asked(51, "k1", history.OK), asked(60, "k2", history.AuthFailure), unnamed(50.6), unnamed(58)), 0, 0, false},
		{"the new one is still taken from the harness", append(append(used("k1", 0, 22), used("k2", 22, 50)...), taken, asked(51, "k1", history.OK), asked(60, "k2", history.OK), unnamed(50.6), unnamed(58)), 0, 0, false},
		{"the new one is taken from the harness", append(used("k1", 0, 20), taken, refused, unnamed(21)), 0, 0, false},
		{"the new one is taken at last", append(append(used("k1", 0, 20), used("k2", 30, 50)...), asked(19, "k2", history.AuthFailure), refused, unnamed(21)), 0, 1, false},
		{"the new one is taken, and something refused as before", append(append(used("k1", 0, 20), used("k2", 30, 50)...), asked(19, "k2", history.AuthFailure), refused, unnamed(21), unnamed(40)), 0, 0, false},
		{"the new one is taken in the end before the emit", append(used("k1", 0, 20), asked(12, "k2", history.AuthFailure), taken, refused, unnamed(21)), 0, 0, false},
		{"nobody wrote the presenter on the page", append(used("k1", 0, 50), taken, refused, unnamed(50.1), unnamed(52)), 2, 0, true},
		{"who uses neither is not on the page", []history.Event{taken, refused, unnamed(50.1), unnamed(52)}, 0, 0, true},
		{"a replica lacks the new one", append(append(used("k1", 0, 20), used("k2", 20, 50)...), asked(18.8, "k2", history.OK), asked(18.9, "k2", history.AuthFailure), taken, refused, unnamed(21), unnamed(40)), 0, 2, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			events := append([]history.Event{
				{Kind: history.KindPlan}, {Kind: history.KindPhase, Phase: history.Baseline}, {At: at(10), Kind: history.KindPhase, Phase: history.Accept},
				{Kind: history.KindCredential, Credential: "k1"}, {At: at(10), Kind: history.KindCredential, Credential: "k2"},
				step(10, "accept", "k2"), step(20, "emit", "k2"), step(50, "revoke", "k1"), {At: at(70), Kind: history.KindEnd, Detail: history.EndedComplete},
			}, tt.events...)
			slices.SortStableFunc(events, func(a, b history.Event) int { return cmp.Compare(a.At, b.At) })
			limits := limits
			if tt.offPage {
				limits.Emitters = nil
			}
			e := Gather(&history.History{Events: events}, limits)
			sum := func(credential string) int64 {
				s := e.View.Sum(history.CellKey{Source: history.FromAuthority, Presenter: "shop", Validator: "bank", Credential: credential}, 0, e.End+1)
				return s.AuthFailures
			}
			if sum("k1") != tt.wantOld || sum("k2") != tt.wantFresh {
				t.Errorf("got %d of k1 and %d of k2, want %d and %d", sum("k1"), sum("k2"), tt.wantOld, tt.wantFresh)
			}
		})
	}
}
