package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// failing are the findings that fail a run.
func failing(v judge.Verdict) []judge.Finding {
	return slices.DeleteFunc(slices.Clone(v.Findings), func(f judge.Finding) bool { return f.Level != judge.Error })
}

// matches reports whether a finding has all fields that are expected of it.
func matches(want scenario.ExpectedFinding, f judge.Finding) bool {
	for _, pair := range [][2]string{
		{want.RuleID, f.RuleID}, {want.Consumer, f.Consumer}, {want.Presenter, f.Presenter}, {want.Validator, f.Validator},
		{want.Credential, f.Credential}, {want.CausedBy, f.CausedBy}, {want.Cause, string(f.Cause)}, {want.FirstPhase, f.FirstPhase},
	} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	return true
}

// wantFindings checks that the errors are those that are wanted and no others.
func wantFindings(t *testing.T, v judge.Verdict, want []scenario.ExpectedFinding) {
	t.Helper()
	left := failing(v)
	for _, w := range want {
		i := slices.IndexFunc(left, func(f judge.Finding) bool { return matches(w, f) })
		if i < 0 {
			t.Errorf("finding: got none that is %+v", w)
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, f := range left {
		t.Errorf("finding: got one that nobody wants: %s", text(f))
	}
}

// text is a finding for a failure message.
func text(f judge.Finding) string {
	return fmt.Sprintf("{ruleId: %s, level: %s, presenter: %s, validator: %s, consumer: %s, credential: %s, caused_by: %s, cause: %s, first_phase: %s, first: %d, last: %d, count: %d} %s",
		f.RuleID, f.Level, f.Presenter, f.Validator, f.Consumer, f.Credential, f.CausedBy, f.Cause, f.FirstPhase, f.FirstMS, f.LastMS, f.Count, f.Message)
}

// What a built-in scenario comes to depends on how old caches and polls are
// when the rotation begins. These say, from what happened in the model and not
// from what was judged, what more is to be found in some of its runs.
var byAge = map[string]func(r *rehearsal, want []scenario.ExpectedFinding) []scenario.ExpectedFinding{
	// keyfunc reads the set once an hour: it may do so while old tokens live.
	"jwt-signing-key/short-overlap": func(r *rehearsal, want []scenario.ExpectedFinding) []scenario.ExpectedFinding {
		if r.refused("web", "checkout", "k1") {
			want = append(want, scenario.ExpectedFinding{
				RuleID: "auth-failures-flat", Presenter: "web", Validator: "checkout", Consumer: "web", Credential: "k1",
				CausedBy: "revoke", Cause: string(judge.CauseOutlived),
			})
		}
		return want
	},
	// Who has room for one takes up the new one before or after the first token of it.
	"jwt-shared-secret/one-secret": func(r *rehearsal, want []scenario.ExpectedFinding) []scenario.ExpectedFinding {
		if r.refused("app", "search", "k2") {
			want = append(slices.Clone(want), scenario.ExpectedFinding{
				RuleID: "auth-failures-flat", Validator: "search", Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: string(judge.CauseOneSlot),
			})
		}
		return want
	},
	// An emitter that reads late also switches late; one that happens to read
	// during the lead does no harm then.
	"jwt-signing-key/late-publish": func(r *rehearsal, want []scenario.ExpectedFinding) []scenario.ExpectedFinding {
		revoked := r.view.Steps["revoke"]["k1"]
		late := func(rule string) bool {
			switch rule {
			case "auth-failures-flat":
				return r.refused("app", "search", "k2")
			case "revocation":
				return r.view.Forgot["search"]["k1"]-revoked > history.Offset(r.limits.Wall(r.limits.G3(r.limits.Validators[0]))+3*time.Second)
			}
			return false
		}
		want = slices.DeleteFunc(slices.Clone(want), func(f scenario.ExpectedFinding) bool { return !late(f.RuleID) })
		last := revoked - history.Offset(time.Second)
		if r.view.Sum(history.CellKey{Source: history.FromLoad, Presenter: "app", Validator: "search", Credential: "k1"}, last, revoked).Attempts > 0 {
			want = append(want, scenario.ExpectedFinding{RuleID: "distribution", Presenter: "app", Credential: "k1"})
		}
		if r.refused("app", "search", "k1") {
			want = append(want, scenario.ExpectedFinding{RuleID: "auth-failures-flat", Presenter: "app", Credential: "k1", CausedBy: "revoke"})
		}
		return want
	},
}

// refused reports whether the model refused a client.
func (r *rehearsal) refused(presenter, validator, credential string) bool {
	key := history.CellKey{Source: r.limits.JudgedAt, Presenter: presenter, Validator: validator, Credential: credential}
	return r.view.Sum(key, 0, r.view.Now+1).AuthFailures > 0
}

// TestBuiltInScenarios holds the verdict on every scenario that is built in
// against what the scenario itself expects, over many ages of its caches.
func TestBuiltInScenarios(t *testing.T) {
	t.Parallel()
	names, err := scenarios.List()
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "incidents/") {
			continue // they last for days; the tests of incidents in harness hold them
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, p := planOf(t, name, "")
			if beyond := simulated.Beyond(p); len(beyond) > 0 {
				t.Skipf("it is rehearsed for real: %s", strings.Join(beyond, "; "))
			}
			if !byAgeAlone(p) {
				t.Skip("what it comes to hangs on more than the ages of its caches: see the test of the catalogue in harness")
			}
			asExpected := 0
			for seed := range int64(seeds) {
				t.Run(fmt.Sprintf("seed %d", seed+1), func(t *testing.T) {
					r := rehearse(t, name, simulated.Options{Seed: seed + 1})
					expect := r.loaded.Scenario.Expect
					want := r.expected()
					if more := len(want) - len(expect.Findings); more == 0 || more > 0 && expect.Extra != "" {
						asExpected++
					}
					wantFindings(t, r.verdict, want)
					verdict := judge.Outcome(expect.Verdict)
					if len(want) == 0 && len(expect.Findings) > 0 {
						verdict = judge.Pass
					}
					if r.verdict.Verdict != verdict {
						t.Errorf("verdict: got %s (%s), want %s", r.verdict.Verdict, r.verdict.Why, verdict)
					}
					r.wantFlatness(t)
					r.wantBounds(t)
					if strings.HasSuffix(name, "-gated") {
						r.wantNobodyHurt(t)
					}
				})
			}
			if asExpected == 0 {
				t.Errorf("of %d seeds none shows just what the scenario expects", seeds)
			}
		})
	}
}

// byAgeAlone reports whether a scenario has no fault but of a service that is down.
func byAgeAlone(p *plan.Plan) bool {
	fleet := slices.ContainsFunc(p.Limits.Validators, func(v plan.Validator) bool { return v.Fleet > 1 })
	return !fleet && !slices.ContainsFunc(p.Rehearsal.Faults, func(f scenario.Fault) bool {
		return !slices.Contains([]string{"kill", "pause", "restart"}, f.Kind)
	})
}

// expected are the errors that a rehearsal is to show.
func (r *rehearsal) expected() []scenario.ExpectedFinding {
	want := slices.Clone(r.loaded.Scenario.Expect.Findings)
	if more := byAge[r.loaded.Name]; more != nil {
		want = more(r, want)
	}
	return want
}

// wantFlatness checks the answer to the tool's question: a consumer that is
// down is not flat, and neither is one that refuses.
func (r *rehearsal) wantFlatness(t *testing.T) {
	t.Helper()
	want := judge.Flat
	for _, f := range r.expected() {
		switch {
		case f.RuleID == "auth-failures-flat":
			want = judge.NotFlat
		case f.RuleID == "availability" && want == judge.Flat:
			want = judge.CannotTell
		}
	}
	if r.verdict.AuthFailures != want {
		t.Errorf("auth failures: got %s, want %s", r.verdict.AuthFailures, want)
	}
}

// wantBounds checks that each failing stretch lies where the bounds allow it,
// and ends when the validator learned or when nothing old was left.
func (r *rehearsal) wantBounds(t *testing.T) {
	t.Helper()
	const second = int64(time.Second / time.Millisecond)
	emitted, revoked := r.view.Steps["emit"]["k2"], r.view.Steps["revoke"]["k1"]
	for _, f := range failing(r.verdict) {
		if f.RuleID != "auth-failures-flat" {
			continue
		}
		v, _ := r.limits.Validator(f.Validator)
		switch {
		case f.Cause == judge.CauseOneSlot || f.Cause == judge.CauseNeverLearned:
			if f.FirstMS < emitted.Milliseconds() {
				t.Errorf("%s: first at %d ms, want after the emit at %d ms", f.Cause, f.FirstMS, emitted.Milliseconds())
			}
		case f.Cause == judge.CauseLockedOut:
			locked := r.moment(history.KindLocked, f.Validator)
			if locked < revoked || f.FirstMS < locked.Milliseconds() || f.FirstMS > locked.Milliseconds()+second {
				t.Errorf("%s: failed from %d ms, want from the moment at which it was locked, %d ms, after the revoke at %d ms",
					f.Cause, f.FirstMS, locked.Milliseconds(), revoked.Milliseconds())
			}
		case f.CausedBy == "withdraw":
			withdrawn := r.view.Steps["withdraw"]["k2"]
			bound := (withdrawn + history.Offset(r.limits.Wall(r.limits.G2()))).Milliseconds()
			if f.FirstMS < withdrawn.Milliseconds() || f.LastMS > bound {
				t.Errorf("%s: failed from %d to %d ms, want from the withdrawal at %d ms and within G2, until %d ms",
					f.Cause, f.FirstMS, f.LastMS, withdrawn.Milliseconds(), bound)
			}
		case f.Credential == "k2":
			learned := r.view.Holds[f.Validator]["k2"].Milliseconds()
			if f.FirstMS < emitted.Milliseconds() || f.LastMS > learned+second || f.LastMS < learned-second {
				t.Errorf("%s: failed from %d to %d ms, want from the emit at %d ms until it learned at %d ms, give or take a second",
					f.Cause, f.FirstMS, f.LastMS, emitted.Milliseconds(), learned)
			}
			bound := (r.view.Steps["accept"]["k2"] + history.Offset(r.limits.Wall(r.limits.G1(v))+v.Granule)).Milliseconds()
			if f.Cause != judge.CauseLatePublish && f.LastMS > bound {
				t.Errorf("%s: last at %d ms, want within G1, at %d ms", f.Cause, f.LastMS, bound)
			}
		default:
			emitter, limits := f.Presenter, r.limits // by itself, or of a client's tokens
			if client, ok := r.limits.Client(f.Presenter); ok {
				emitter, limits.LongestLife = client.From, max(limits.LongestLife, client.Life) // an exception's is longer
			}
			bound := (r.view.Switched[emitter]["k2"] + history.Offset(r.limits.Wall(limits.G2()))).Milliseconds()
			if f.FirstMS < revoked.Milliseconds() || f.Cause != judge.CauseNotSwitched && f.LastMS > bound {
				t.Errorf("%s: failed from %d to %d ms, want from the revoke at %d ms and within G2, until %d ms",
					f.Cause, f.FirstMS, f.LastMS, revoked.Milliseconds(), bound)
			}
		}
	}
}

// moment is when a service first told of something.
func (r *rehearsal) moment(kind history.Kind, service string) history.Offset {
	for _, e := range r.history.Events {
		if e.Kind == kind && e.Service == service {
			return e.At
		}
	}
	return -1
}

// wantNobodyHurt checks a run that a gate stopped: no failure, and a way back
// that is proven.
func (r *rehearsal) wantNobodyHurt(t *testing.T) {
	t.Helper()
	if got := r.verdict.Totals.AuthFailures; got != 0 {
		t.Errorf("auth failures: got %d, want 0", got)
	}
	if got := r.verdict.Rollback; !got.Happened || !got.Proven || got.AskedFor {
		t.Errorf("rollback: got %+v, want one that happened unasked and is proven", got)
	}
	wantRule(t, r.verdict, "rollback", judge.Pass)
}

// wantRule checks the outcome of one rule.
func wantRule(t *testing.T, v judge.Verdict, id string, want judge.Outcome) {
	t.Helper()
	i := slices.IndexFunc(v.Rules, func(r judge.Rule) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("rule %s: not in the verdict", id)
	}
	if got := v.Rules[i]; got.Outcome != want {
		t.Errorf("rule %s: got %s (%s), want %s", id, got.Outcome, got.Detail, want)
	}
}
