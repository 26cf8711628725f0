package rotation

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// TestGateAfterTheWatchBlamesNobodyWhoWasNotShownTheOldOne: that no token outlived the
// revoke is no validator's fault, and is said.
func TestGateAfterTheWatchBlamesNobodyWhoWasNotShownTheOldOne(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		outcome history.Outcome
		status  string
		refused bool
		says    string
	}{
		"not shown":  {history.HarnessError, "no unexpired token of it", false, "whether each refuses k1 could not be asked: no unexpired token of it"},
		"no answer":  {history.Unavailable, "timeout", true, "every validator"},
		"takes it":   {history.OK, "200", true, "every validator"},
		"refuses it": {history.AuthFailure, "401", false, "every validator refuses k1"},
	} {
		view := history.NewView()
		for _, p := range []history.Probe{{Purpose: history.OldAfter, Outcome: tt.outcome, Status: tt.status}, {Purpose: history.NewAfter, Outcome: history.OK}} {
			credential := Old
			if p.Purpose == history.NewAfter {
				credential = New
			}
			view.Apply(history.Event{Kind: history.KindProbe, Service: "shop", Credential: credential, Probe: &p})
		}
		l := Look{Limits: plan.Limits{Speed: 1, Validators: []plan.Validator{{Name: "shop", OnPage: true, Authority: true}}}, View: view, OnPage: []string{"shop"}}
		holds, refusals := l.watch()
		if (len(refusals) > 0) != tt.refused || !strings.Contains(holds, tt.says) {
			t.Errorf("%s: got %q, refusals %v; want refused %t, and %q", name, holds, refusals, tt.refused, tt.says)
		}
	}
}

// TestGateAfterTheWatchBlamesNobodyForWhenThereWasNothingLeftToShow: a token that runs out
// before the bound says nothing of what a validator does after that.
func TestGateAfterTheWatchBlamesNobodyForWhenThereWasNothingLeftToShow(t *testing.T) {
	t.Parallel()
	second := history.Offset(time.Second)
	for name, tt := range map[string]struct {
		taken, ranOut history.Offset // the last time each; 0: never
		refused       bool
		says          string
	}{
		"before its bound": {9 * second, 10 * second, false, "whether each refuses k1 could not be asked: no unexpired token of it"},
		"after its bound":  {31 * second, 32 * second, true, "every validator"},
		"taken again":      {15 * second, 12 * second, true, "every validator"},
		"never":            {15 * second, 0, true, "every validator"},
	} {
		view := history.NewView()
		view.Apply(history.Event{At: second, Kind: history.KindStep, Credential: Old, Step: string(keyring.Revoke)})
		probes := []history.Event{
			{At: second + tt.taken, Credential: Old, Probe: &history.Probe{Purpose: history.OldAfter, Outcome: history.OK, Status: "200"}},
			{At: second + tt.taken, Credential: New, Probe: &history.Probe{Purpose: history.NewAfter, Outcome: history.OK}},
		}
		if tt.ranOut != 0 {
			probes = append(probes, history.Event{At: second + tt.ranOut, Credential: Old, Probe: &history.Probe{Purpose: history.OldAfter, Outcome: history.HarnessError, Status: "no unexpired token of it"}})
		}
		slices.SortStableFunc(probes, func(a, b history.Event) int { return cmp.Compare(a.At, b.At) })
		for _, e := range probes {
			e.Kind, e.Service = history.KindProbe, "shop"
			view.Apply(e)
		}
		v := plan.Validator{Name: "shop", OnPage: true, Authority: true, Forgets: 20 * time.Second}
		l := Look{Limits: plan.Limits{Speed: 1, Validators: []plan.Validator{v}}, View: view, Now: 40 * second, OnPage: []string{"shop"}}
		holds, refusals := l.watch()
		if (len(refusals) > 0) != tt.refused || !strings.Contains(holds, tt.says) {
			t.Errorf("%s: got %q, refusals %v; want refused %t, and %q", name, holds, refusals, tt.refused, tt.says)
		}
	}
}

// TestGateAfterTheWatchOfAnIssuerThatTurnsLooksAway: an issuer that answered the last look with
// 429 is not held to the set that was found before that.
func TestGateAfterTheWatchOfAnIssuerThatTurnsLooksAway(t *testing.T) {
	t.Parallel()
	for status, blamed := range map[string]bool{"200": true, "429": false} {
		view := history.NewView()
		view.Apply(history.Event{Kind: history.KindPublished, Service: "auth", Credentials: []string{Old, New}})
		view.Apply(history.Event{At: history.Offset(time.Second), Kind: history.KindStep, Step: string(keyring.Revoke), Credential: Old})
		view.Apply(history.Event{At: history.Offset(time.Minute), Kind: history.KindLooked, Service: "auth", Set: &history.KeySet{Status: status}})
		l := Look{Now: view.Now, Limits: plan.Limits{Speed: 1, Validators: []plan.Validator{{Name: "shop", From: "auth", OnPage: true}}, Emitters: []plan.Emitter{{Name: "auth", OnPage: true}}}, View: view, OnPage: []string{"auth", "shop"}}
		_, refusals := l.watch()
		if got := slices.ContainsFunc(refusals, func(r refusal) bool { return r.consumer == "auth" }); got != blamed {
			t.Errorf("after %s: got refusals %v, want auth among them: %t", status, refusals, blamed)
		}
	}
}
