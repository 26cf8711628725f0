package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// A baseline that says too little is no fault of the rotation: nothing was tried.
func TestGateOfTheBaseline(t *testing.T) {
	t.Parallel()
	v := judged(t, add(history.Event{At: at(10), Kind: history.KindGate, Phase: history.Baseline,
		Gate: &history.Gate{Phase: history.Baseline, Mode: "enforce", Consumer: "search", Detail: "app made 3 attempts"}}))
	wantRule(t, v, "gates", judge.Inconclusive)
	if v.Verdict != judge.Inconclusive || len(failing(v)) != 0 {
		t.Errorf("verdict: got %s with %d errors, want inconclusive with none", v.Verdict, len(failing(v)))
	}
	wantSaid(t, v, "gates", "before anything was changed: app made 3 attempts")
}

// TestGateOfTheBaselineObserved: what fails before anything is changed is not cured by
// a credential that nobody has made yet.
func TestGateOfTheBaselineObserved(t *testing.T) {
	t.Parallel()
	v := judged(t, add(history.Event{At: at(10), Kind: history.KindGate, Phase: history.Baseline,
		Gate: &history.Gate{Phase: history.Baseline, Mode: "observe", Consumer: "search", Detail: "4 of 159 attempts of app at search failed"}}))
	for _, f := range v.Findings {
		if f.RuleID == "gates" && (f.Credential != "" || strings.Contains(f.Fix, "k2") || !strings.Contains(f.Fix, "mend what fails already")) {
			t.Errorf("got %s, %q, want that what fails is to be mended", text(f), f.Fix)
		}
	}
}

func TestGates(t *testing.T) {
	t.Parallel()
	// mode replaces that of all gates; one that observes does not stop a run.
	mode := func(mode string) change {
		return func(s *story) {
			s.limits.Gates = mode
			for _, e := range s.events {
				if e.Kind == history.KindGate {
					e.Gate.Mode = mode
				}
			}
		}
	}
	refuses := func(mode string, phase history.Phase, consumer string) change {
		return add(history.Event{At: at(40.5), Kind: history.KindGate, Phase: phase,
			Gate: &history.Gate{Phase: phase, Mode: mode, Consumer: consumer, Detail: consumer + " is not ready"}})
	}
	untold := func(consumer string) change {
		return add(history.Event{At: at(40.5), Kind: history.KindGate, Phase: history.Verify,
			Gate: &history.Gate{Phase: history.Verify, Mode: "enforce", Consumer: consumer, Detail: "it cannot be told whether " + consumer + " is not ready", Untold: true}})
	}
	off := limit(func(l *plan.Limits) { l.Gates = "off" })
	for _, tt := range []struct {
		name       string
		changes    []change
		want       judge.Outcome
		detail     string
		consumers  []string
		credential string
	}{
		{"all held", nil, judge.Pass, "5 gates held", nil, ""},
		{"one did not", []change{refuses("enforce", history.Verify, "search")}, judge.Fail, "a gate did not hold", []string{"search"}, "k2"},
		{"nobody can tell", []change{untold("")}, judge.Inconclusive, "nothing beyond the gate of verify was tried", []string{""}, "k2"},
		{"nobody can tell, because of an issuer", []change{untold("auth")}, judge.Inconclusive, "nothing beyond the gate of verify was tried", []string{"auth"}, "k2"},
		{"one did not for two", []change{refuses("enforce", history.Overlap, "app"), refuses("enforce", history.Overlap, "web")}, judge.Fail, "a gate did not hold", []string{"app", "web"}, "k1"},
		{"seen at the emit alone", []change{limit(func(l *plan.Limits) { l.Validators[0].Untold = true })}, judge.Pass, "was seen to take k2 only at the emit", nil, ""},
		{"seen by nothing", []change{limit(func(l *plan.Limits) { l.Validators[0].Untold = true }),
			without(func(e history.Event) bool {
				return e.Counts != nil && e.Counts.Credential == "k2" && e.Counts.Validator == "checkout"
			})}, judge.Inconclusive, "nothing tells whether checkout had taken k2", nil, ""},
		{"observed, and held", []change{mode("observe")}, judge.Skipped, "gates only observed; all held", nil, ""},
		{"observed, and would have stopped", []change{mode("observe"), refuses("observe", history.Verify, "search"), refuses("observe", history.Watch, "web")}, judge.Skipped, "the gate of verify would have stopped the rotation: search is not ready", []string{"search"}, "k2"},
		{"off", []change{off, withoutKind(history.KindGate, "")}, judge.Skipped, "no gate was evaluated", nil, ""},
		{"enforced, and none evaluated", []change{withoutKind(history.KindGate, "")}, judge.Inconclusive, "none was evaluated", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "gates", tt.want)
			if got := rule(t, v, "gates").Detail; !strings.Contains(got, tt.detail) {
				t.Errorf("detail: got %q, want it to say %q", got, tt.detail)
			}
			var consumers []string
			for _, f := range v.Findings {
				consumers = append(consumers, f.Consumer)
				if f.RuleID != "gates" || f.Level != map[judge.Outcome]judge.Level{judge.Fail: judge.Error, judge.Skipped: judge.Warning, judge.Inconclusive: judge.Warning}[tt.want] || f.Credential != tt.credential || f.CausedBy != f.FirstPhase || f.FirstMS != 40500 ||
					!strings.Contains(f.Message, f.Consumer+" is not ready") {
					t.Errorf("finding: got %s, want a gate's of %s", text(f), tt.credential)
				}
				if want := map[bool]string{true: f.Consumer}[f.Consumer == "search"]; f.Validator != want {
					t.Errorf("validator: got %q, want %q: only a validator is one", f.Validator, want)
				}
			}
			if strings.Join(consumers, " ") != strings.Join(tt.consumers, " ") {
				t.Errorf("consumers: got %v, want %v", consumers, tt.consumers)
			}
		})
	}
}

// TestAGateAboutALogThatNobodyUnderstands is about the log, not about a party.
func TestAGateAboutALogThatNobodyUnderstands(t *testing.T) {
	t.Parallel()
	v := judged(t, silent("app", 0, 61), silent("web", 0, 61), unread("search"), func(s *story) {
		i := slices.IndexFunc(s.events, func(e history.Event) bool { return e.Kind == history.KindGate && e.Gate.Phase == history.Overlap })
		g := *s.events[i].Gate
		g.Mode, g.Held, g.Untold, g.Detail = "enforce", false, true, "what search decides is not known"
		s.events[i].Gate = &g
	})
	f := v.Findings[slices.IndexFunc(v.Findings, func(f judge.Finding) bool { return f.RuleID == "gates" })]
	if f.Consumer != "" || f.Level != judge.Warning || !strings.HasPrefix(f.Fix, "have attach.decisions name the log that has the logins") || v.Verdict != judge.Inconclusive {
		t.Errorf("got %s and %s, want that nobody is named, and what to do about the log", v.Verdict, text(f))
	}
}

// TestGateCures says what to change where a gate does not hold: the figure, or who has
// to do what.
func TestGateCures(t *testing.T) {
	t.Parallel()
	for scenario, want := range map[string]string{
		"jwt-signing-key/stale-cache":           "rollout.lead: at least 16m15s; enforced (gates: enforce), this gate stops",
		"jwt-signing-key/stale-cache-gated":     "rollout.lead: at least 16m15s; then rehearse again",
		"jwt-signing-key/short-overlap-gated":   "overlap.window: at least",
		"jwt-signing-key/missed-consumer-gated": "put reports on the page, with how it comes by k2",
		"jwt-signing-key/missed-signer":         "put",
		"api-key/missed-consumer":               "put nightly on the page, with how it comes by k2",
	} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			v := rehearse(t, scenario, simulated.Options{}).verdict
			i := slices.IndexFunc(v.Findings, func(f judge.Finding) bool { return f.RuleID == "gates" })
			if i < 0 {
				t.Fatalf("findings: got %v, want one of a gate", v.Findings)
			}
			if fix := v.Findings[i].Fix; !strings.Contains(fix, want) {
				t.Errorf("fix: got %q, want %q in it, for %s", fix, want, v.Findings[i].Message)
			}
		})
	}
}

// TestGateCuresWhatExpires: where nobody revokes, the page is given the time that it took.
func TestGateCuresWhatExpires(t *testing.T) {
	t.Parallel()
	for expires, want := range map[time.Duration]string{
		10 * time.Minute: "k1 stays in the key set of auth for more than",
		0:                "make auth stop publishing k1 when it is revoked",
	} {
		v := judged(t, limit(func(l *plan.Limits) { l.Expires = expires }), add(history.Event{At: at(60), Kind: history.KindGate, Phase: history.Watch,
			Gate: &history.Gate{Phase: history.Watch, Mode: "enforce", Consumer: "auth", Detail: "auth still publishes k1 18m after the revoke"}}))
		i := slices.IndexFunc(v.Findings, func(f judge.Finding) bool { return f.RuleID == "gates" })
		if i < 0 || !strings.Contains(v.Findings[i].Fix, want) {
			t.Errorf("it expires %s after the emit: got %+v, want %q", expires, v.Findings, want)
		}
	}
}

// TestAWatchThatDidNotHold: the cure of the last gate is that of what was seen: who is dead is
// brought back, who got no set is given one, and who takes everything is asked how it refuses.
func TestAWatchThatDidNotHold(t *testing.T) {
	t.Parallel()
	unheld := func(s *story) {
		for i, e := range s.events {
			if e.Kind == history.KindGate && e.Gate.Phase == history.Watch {
				s.events[i].Gate = &history.Gate{Phase: history.Watch, Mode: "observe", Consumer: "search", Detail: "search still takes k1"}
			}
		}
	}
	keeps := still(0, 41, 60.4)
	for _, tt := range []struct {
		name          string
		changes       []change
		consumer, fix string
	}{
		{"it keeps the key", []change{keeps}, "search", "make search refuse k1"},
		{"it got no set", []change{keeps, add(fetched(at(30), "search", "auth", "k1", "k2"), history.Event{At: at(45), Kind: history.KindFetchFailed, Service: "search", From: "auth", Detail: "status 503"})}, "auth", "bring auth back"},
		{"it gives no answer", []change{still(0, 41), asks(60.4, history.OldAfter, history.Unavailable)}, "search", "bring search back"},
		{"it answers in other words", []change{still(0, 41), inStatus("400", asks(60.4, history.OldAfter, history.Unavailable)), asks(60.45, history.NewAfter, history.OK)}, "search", "find out what search means by 400"},
		{"it takes everything", []change{keeps, asks(60.45, history.MadeUp, history.OK)}, "search", "say how search refuses"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, f := range judged(t, append(tt.changes, unheld)...).Findings {
				if f.RuleID == "gates" && (f.Consumer != tt.consumer || !strings.Contains(f.Fix, tt.fix)) {
					t.Errorf("finding: got %s, fix %q, want %s to look at and %q", text(f), f.Fix, tt.consumer, tt.fix)
				}
			}
		})
	}
}

// TestAGateUnderAFault: who a fault kept from the new credential is not told to be quicker.
func TestAGateUnderAFault(t *testing.T) {
	t.Parallel()
	unheld := func(s *story) {
		for i, e := range s.events {
			if e.Kind == history.KindGate && e.Gate.Phase == history.Emit {
				s.events[i].Gate = &history.Gate{Phase: history.Emit, Mode: "observe", Consumer: "auth", Detail: "auth still uses k1"}
			}
		}
	}
	cut := func(s *story) {
		for _, e := range []history.Event{fault(at(20), "partition", "auth → store", history.FaultInjected, false), fault(at(20.1), "partition", "auth → store", history.FaultEvidence, true)} {
			e.Fault.From, e.Fault.To = "auth", "store"
			s.add(e)
		}
	}
	for name, tt := range map[string]struct {
		changes []change
		fix     string
	}{
		"under a fault": {[]change{unheld, cut}, "mend auth → store (here the fault partition)"},
		"under none":    {[]change{unheld}, "make auth use k2 within"},
	} {
		for _, f := range judged(t, tt.changes...).Findings {
			if f.RuleID == "gates" && !strings.Contains(f.Fix, tt.fix) {
				t.Errorf("%s: got fix %q, want %q", name, f.Fix, tt.fix)
			}
		}
	}
}

// TestCureOfAnAnswerThatIsNone: who answered the last proof with a limit of its own is not told
// to refuse the old credential.
func TestCureOfAnAnswerThatIsNone(t *testing.T) {
	t.Parallel()
	refusedGate := add(history.Event{At: at(60.47), Kind: history.KindGate, Phase: history.Watch, Gate: &history.Gate{Phase: history.Watch, Mode: "observe", Detail: "search gave no answer about k2 (429), which is no refusal", Consumer: "search"}})
	limited := add(history.Event{At: at(60.46), Kind: history.KindProbe, Service: "search", Credential: "k2", Probe: &history.Probe{Purpose: history.NewAfter, Outcome: history.Unavailable, Status: "429"}})
	for _, tt := range []struct {
		name    string
		changes []change
		says    bool
	}{
		{"a limit", []change{authority, limited, refusedGate}, true},
		{"a good answer", []change{authority, refusedGate}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, f := range judged(t, tt.changes...).Findings {
				if f.RuleID == "gates" && f.FirstPhase == "watch" {
					if strings.Contains(f.Fix, "answered 429 to rehearse itself") != tt.says {
						t.Errorf("got the cure %q; does it speak of the answer: %v", f.Fix, tt.says)
					}
					return
				}
			}
			t.Error("no finding of the gate")
		})
	}
}
