package evidence

import (
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
	limits := plan.Limits{Hop: history.FromAuthority, Emitters: []plan.Emitter{{Name: "send", OnPage: true}}, Validators: []plan.Validator{{Name: "hook", OnPage: true, Reads: true}}}
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
