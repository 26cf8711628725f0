package rules_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// behindBy is that what search presents at the authority behind it is refused, with which
// credential; locksFor that the authority is a pooler which lets nobody in for that.
func behindBy(credential string) []change {
	return []change{atTheAuthority, unavailable("app", 45, 61), add(history.Event{At: at(45.1), Kind: history.KindCounts, Counts: &history.Counts{
		Source: history.FromAuthority, Presenter: "search", Validator: "provider", Credential: credential, Width: at(0.1), Attempts: 1, AuthFailures: 1, FirstFailure: at(45.1), LastFailure: at(45.1), Statuses: map[string]int64{"401": 1}}})}
}

func locksFor(credential string) change {
	return add(history.Event{At: at(45.1), Kind: history.KindLocked, Service: "provider", Reader: "provider", Credential: credential, Count: 1, What: contract.LoginRetry, Detail: "no"})
}

func TestAvailability(t *testing.T) {
	t.Parallel()
	exit := add(history.Event{At: at(45), Kind: history.KindExit, Service: "search", Detail: "exit status 2"})
	killed := []change{
		add(fault(at(45), "kill", "search", "injected", false), fault(at(45.2), "kill", "search", "evidence", true)),
		unavailable("app", 45, 61),
	}
	undone := func(moment float64) change { return add(fault(at(moment), "kill", "search", "undone", false)) }
	odd := func(s *story) { // where a refusal has a status of its own
		s.buckets("app", "", 45, 47, func(_ history.Offset, c *history.Counts) { c.Statuses = map[string]int64{"502": c.Attempts} })
	}
	bad := func(s *story) {
		s.buckets("app", "", 46, 47, func(_ history.Offset, c *history.Counts) {
			c.Statuses = map[string]int64{"502": c.Attempts - 1, "timeout": 1}
		})
	}
	delivered := func(what string, moment float64) change {
		return add(history.Event{At: at(moment), Kind: history.KindDelivered, Service: "search", What: what, Credential: "k2"})
	}
	between := func(stage string, moment float64, took bool) history.Event {
		e := fault(at(moment), "cut", "search → provider", stage, took)
		e.Fault.From, e.Fault.To = "search", "provider"
		return e
	}
	refusedBehind := []change{atTheAuthority, refuse("search", "k2", 45, 61, 10), unavailable("app", 45, 61)}
	for _, tt := range []struct {
		name     string
		changes  []change
		want     judge.Outcome
		says     string
		consumer string
		cause    judge.Cause
		causedBy string
	}{
		{"healthy", nil, judge.Pass, "12100 of 12100 first attempts got an answer", "", "", ""},
		{"a refusal is an answer", []change{refuse("app", "k2", 45, 61, 10)}, judge.Pass, "12100 of 12100", "", "", ""},
		{"a hiccup inside the objective", []change{objective(0.95), unavailable("app", 45, 45.2)}, judge.Pass, "12080 of 12100", "", "", ""},
		{"a hiccup beyond the objective", []change{unavailable("app", 45, 45.1)}, judge.Fail, "app got no good answer from search for 10 of 6050 first attempts", "search", judge.CauseServiceDown, "revoke"},
		{"down", []change{unavailable("app", 45, 47)}, judge.Fail, "app got no good answer from search for 200 of 6050 first attempts (refused: 200): nothing in the history says why", "search", judge.CauseServiceDown, "revoke"},
		{"down in two ways", []change{unavailable("app", 45, 47), bad}, judge.Fail, "first attempts (502: 90, refused: 100, timeout: 10): nothing", "search", judge.CauseServiceDown, "revoke"},
		{"down with who knows what", []change{unavailable("app", 45, 46), odd}, judge.Fail, "first attempts: nothing in the history", "search", judge.CauseServiceDown, "revoke"},
		{"down from the start", []change{unavailable("app", 0, 61)}, judge.Fail, "6050 of 6050", "search", judge.CauseServiceDown, "baseline"},
		{"crashed by itself", []change{exit, unavailable("app", 45, 61)}, judge.Fail, "it ended at 45m", "search", judge.CauseServiceDown, "revoke"},
		{"killed", append(killed, undone(60.5)), judge.Fail, "it was under the fault kill", "search", judge.CauseServiceDown, "kill"},
		{"killed, which cannot be undone", append(killed, exit, undone(45.3)), judge.Fail, "it was under the fault kill", "search", judge.CauseServiceDown, "kill"},
		{"down long after a fault was undone", append(killed[:1:1], undone(45.3), unavailable("app", 55, 61)), judge.Fail, "nothing in the history says why", "search", judge.CauseServiceDown, "revoke"},
		{"down before a fault", append(killed[:1:1], undone(60), unavailable("app", 42, 61)), judge.Fail, "nothing in the history says why", "search", judge.CauseServiceDown, "revoke"},
		{"a fault elsewhere", []change{add(fault(at(45), "kill", "checkout", "injected", false)), unavailable("app", 45, 61)}, judge.Fail, "nothing in the history says why", "search", judge.CauseServiceDown, "revoke"},
		{"what it presented was refused, and fitted none that is known", []change{atTheAuthority, unavailable("app", 45, 61), add(history.Event{At: at(45.1), Kind: history.KindCounts, Counts: &history.Counts{
			Source: history.FromAuthority, Presenter: "search", Validator: "provider", Credential: "unknown", Width: at(0.1), Attempts: 1, AuthFailures: 1, FirstFailure: at(45.1), LastFailure: at(45.1), Statuses: map[string]int64{"401": 1}}})},
			judge.Fail, "provider refused what search presented: something that its log does not name", "search", judge.CauseRefusedBehind, "revoke"},
		{"its own credential was refused", refusedBehind, judge.Fail, "provider refused the credential that search presented", "search", judge.CauseRefusedBehind, "revoke"},
		{"most of it was before its credential was refused", append(slices.Clip(refusedBehind), unavailable("app", 5, 30)), judge.Fail, "nothing in the history says why", "search", judge.CauseServiceDown, "baseline"},
		{"some of it was before its credential was refused, by a log that may be late", append(slices.Clip(refusedBehind), unavailable("app", 40, 42), ofATeam), judge.Fail, "have another cause, unless its log is written late", "search", judge.CauseRefusedBehind, "emit"},
		{"some of it was before its credential was refused", append(slices.Clip(refusedBehind), unavailable("app", 40, 42)), judge.Fail, "200 attempts of these came before it was refused there, and have another cause", "search", judge.CauseRefusedBehind, "emit"},
		{"it went on with what was revoked, and locked the pooler by that", append(slices.Clip(behindBy("k1")), locksFor("k1")), judge.Fail, "provider refused the credential that search presented", "search", judge.CauseRefusedBehind, "revoke"},
		{"the pooler was locked by what is not revoked", append(slices.Clip(behindBy("k2")), locksFor("k2")), judge.Fail, "then lets nobody in", "provider", judge.CausePoisonedPool, "revoke"},
		{"the authority behind it gave no answer", []change{atTheAuthority, unavailable("search", 45, 61), unavailable("app", 45, 61)}, judge.Fail, "provider, to which search presents the credential, gave no answer", "provider", judge.CauseServiceDown, "revoke"},
		{"the authority behind it answered errors", []change{atTheAuthority, unavailable("search", 5, 61), answeredWith("503"), unavailable("app", 5, 61)}, judge.Fail, "provider, to which search presents the credential, answered 503 to", "provider", judge.CauseFailing, "baseline"},
		{"the authority behind it had a limit", []change{atTheAuthority, unavailable("search", 5, 61), answeredWith("429"), unavailable("app", 5, 61)}, judge.Fail, "provider, to which search presents the credential, answered 429 to", "provider", judge.CauseTurnedAway, "baseline"},
		{"the way to the authority behind it was cut", []change{atTheAuthority, add(between("injected", 45, false), between("evidence", 45.2, true)), unavailable("search", 45, 61), unavailable("app", 45, 61)},
			judge.Fail, "gave no answer: the way there was under the fault cut", "search → provider", judge.CauseServiceDown, "cut"},
		{"stopped itself, and so without an answer from the authority", []change{atTheAuthority, add(fault(at(45), "pause", "search", "injected", false)), unavailable("search", 45, 46), unavailable("app", 45, 46)},
			judge.Fail, "it was under the fault pause", "search", judge.CauseServiceDown, "pause"},
		{"disturbed in another way, with no answer from the authority", []change{atTheAuthority, add(fault(at(45), "hold-back", "search", "injected", false)), unavailable("search", 45, 46), unavailable("app", 45, 46)},
			judge.Fail, "provider, to which search presents the credential, gave no answer", "provider", judge.CauseServiceDown, "hold-back"},
		{"started anew", []change{delivered("env", 46), unavailable("app", 45, 45.1)}, judge.Fail, "it was restarted at 46m, to take what was published", "search", judge.CauseServiceDown, "revoke"},
		{"made to reload", []change{delivered(history.Reload, 45), unavailable("app", 45, 45.1)}, judge.Fail, "it was made to reload at", "search", judge.CauseServiceDown, "revoke"},
		{"started anew long before", []change{delivered("env", 40), unavailable("app", 45, 45.1)}, judge.Fail, "nothing in the history says why", "search", judge.CauseServiceDown, "revoke"},
		{"given a file", []change{delivered("file", 45), unavailable("app", 45, 45.1)}, judge.Fail, "nothing in the history says why", "search", judge.CauseServiceDown, "revoke"},
		{"no attempts", []change{silent("app", 0, 61)}, judge.Inconclusive, "app had 0 answers", "", "", ""},
		{"attempts that ended", []change{silent("app", 50, 61)}, judge.Inconclusive, "app had", "", "", ""},
		{"no client", []change{limit(func(l *plan.Limits) { l.Clients = nil })}, judge.Skipped, "no client", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			wantRule(t, v, "availability", tt.want)
			if tt.want != judge.Fail {
				wantSaid(t, v, "availability", "")
				if got := rule(t, v, "availability").Detail; !strings.Contains(got, tt.says) {
					t.Errorf("detail: got %q, want it to say %q", got, tt.says)
				}
				return
			}
			wantSaid(t, v, "availability", tt.says)
			for _, f := range v.Findings {
				if f.RuleID == "availability" && (f.Consumer != tt.consumer || f.Cause != tt.cause || f.CausedBy != tt.causedBy || f.Presenter != "app" || f.Validator != "search") {
					t.Errorf("finding: got %s, want app at search, consumer %s, cause %s, caused by %s", text(f), tt.consumer, tt.cause, tt.causedBy)
				}
			}
		})
	}
}

// TestStalled: one that was frozen answered what waited when it went on. At the speed
// of the rehearsal that was in time, and at the page's pace it was not.
func TestStalled(t *testing.T) {
	t.Parallel()
	frozen := func(from, to float64) change {
		return add(fault(at(from), "pause", "search", "injected", false), fault(at(from+0.1), "pause", "search", "evidence", true), fault(at(to), "pause", "search", "undone", false))
	}
	all := func(from, to float64) change { // nobody is answered by search
		return func(s *story) {
			for _, presenter := range []string{"app", "search"} {
				silent(presenter, from, to)(s)
			}
		}
	}
	for _, tt := range []struct {
		name    string
		changes []change
		want    string // "": nothing
	}{
		{"frozen for four minutes of the page", []change{frozen(45, 49), all(45, 49)}, "search answered app nothing for 4m, under the fault pause, and then "},
		{"for less than a time-out, at the page's pace", []change{frozen(45, 49), all(45, 49), func(s *story) { s.limits.Speed = 1 }}, ""},
		{"a client that waits for five minutes", []change{frozen(45, 49), all(45, 49), func(s *story) {
			for i := range s.limits.Clients {
				s.limits.Clients[i].Timeout = 5 * time.Minute
			}
		}}, ""},
		{"it answered meanwhile", []change{frozen(45, 49)}, ""},
		{"quiet, and under no fault", []change{all(45, 49)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := judged(t, tt.changes...)
			i := slices.IndexFunc(v.Findings, func(f judge.Finding) bool { return f.RuleID == "availability" && f.Cause == judge.CauseServiceDown })
			switch {
			case tt.want == "" && i >= 0:
				t.Errorf("got a finding that nobody wants: %s", text(v.Findings[i]))
			case tt.want != "" && i < 0:
				t.Errorf("no finding, want %q", tt.want)
			case tt.want != "":
				if f := v.Findings[i]; !strings.HasPrefix(f.Message, tt.want) || f.Consumer != "search" || f.CausedBy != "pause" || f.Level != judge.Error || v.Verdict != judge.Fail {
					t.Errorf("got %s, verdict %s; want a failure by the pause of search: %q", text(f), v.Verdict, tt.want)
				}
			}
		})
	}
}

// TestNotTakenOnTheWay: where a pooler did not take the new credential from rehearse itself
// before the emit, and the database behind it did, the pooler is to be looked at.
func TestNotTakenOnTheWay(t *testing.T) {
	t.Parallel()
	canary := func(validator string, outcome history.Outcome) change {
		return add(probe(at(27), validator, "k2", history.Canary, outcome), probe(at(27.1), validator, "k2", history.Canary, outcome))
	}
	setUp := func(s *story) {
		atTheAuthority(s)
		s.limits.Validators = append(s.limits.Validators, plan.Validator{Name: "pooler", OnPage: true, Authority: true})
		unavailable("app", 29, 40)(s)
		s.buckets("app", "", 29, 40, func(_ history.Offset, c *history.Counts) { c.Statuses = map[string]int64{"500": c.Attempts} })
	}
	asPooler := func(s *story) { // whose logins have no name, so that they are the pooler's
		s.buckets("search", "", 0, 61, func(_ history.Offset, c *history.Counts) { c.Presenter = "pooler" })
	}
	for _, tt := range []struct {
		name             string
		pooler, provider history.Outcome
		logins           change
		want             string
	}{
		{"the pooler did not", history.Unavailable, history.OK, add(), "pooler"},
		{"the pooler refused it", history.AuthFailure, history.OK, add(), "pooler"},
		{"the pooler refused it, under whose name all logs in", history.AuthFailure, history.OK, asPooler, "pooler"},
		{"both did", history.OK, history.OK, add(), "search"},
		{"both did, under the name of the pooler", history.OK, history.OK, asPooler, "search"},
		{"neither did", history.AuthFailure, history.AuthFailure, add(), "search"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var looked []string
			for _, f := range judged(t, setUp, tt.logins, canary("pooler", tt.pooler), canary("provider", tt.provider)).Findings {
				if f.RuleID == "availability" && f.Presenter == "app" {
					looked = append(looked, f.Consumer)
				}
			}
			if !slices.Equal(looked, []string{tt.want}) {
				t.Errorf("got to look at %q, want %s", looked, tt.want)
			}
		})
	}
}

// answeredWith gives what the provider had no good answer to a status.
func answeredWith(status string) change {
	return func(s *story) {
		s.buckets("search", "", 5, 61, func(_ history.Offset, c *history.Counts) { c.Statuses = map[string]int64{status: c.Unavailable} })
	}
}

// TestSlowWithTheNewOne: an authority that takes the new credential and is slow with it is to be looked at, and not
// the service that gave up waiting; one that is slow with both is not named for the switch.
func TestSlowWithTheNewOne(t *testing.T) {
	t.Parallel()
	took := func(fresh, old float64) change {
		return func(s *story) {
			s.add(probe(at(27), "provider", "k2", history.Canary, history.OK))
			for i, e := range s.events {
				if e.Kind == history.KindProbe && e.Service == "provider" {
					p := *e.Probe
					if p.Latency = at(old); e.Credential == "k2" {
						p.Latency = at(fresh)
					}
					s.events[i].Probe = &p
				}
			}
		}
	}
	for _, tt := range []struct {
		name       string
		fresh, old float64
		want       string
		cause      judge.Cause
	}{
		{"with the new one", 4, 0.01, "provider", judge.CauseTimedOut},
		{"with both", 4, 3, "search", judge.CauseFailing},
		{"with neither", 0.1, 0.01, "search", judge.CauseFailing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			setUp := func(s *story) {
				atTheAuthority(s)
				unavailable("app", 29, 40)(s)
				s.buckets("app", "", 29, 40, func(_ history.Offset, c *history.Counts) { c.Statuses = map[string]int64{"500": c.Attempts} })
			}
			for _, f := range judged(t, setUp, took(tt.fresh, tt.old)).Findings {
				if f.RuleID == "availability" && f.Consumer == tt.want && f.Cause == tt.cause {
					return
				}
			}
			t.Errorf("got no finding that names %s for %s", tt.want, tt.cause)
		})
	}
}
