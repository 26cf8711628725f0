package rules_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// ofATeam makes the system one that is not the run's own.
func ofATeam(s *story) {
	s.limits.RuleSources = []plan.RuleSource{{Rule: "availability", From: "the load"}}
}

func TestStepOfATeamFails(t *testing.T) {
	t.Parallel()
	wantRule(t, judged(t, ofATeam), "steps", judge.Pass)
	failed := add(history.Event{At: at(20), Kind: history.KindStep, Phase: history.Accept, Step: "make", Credential: "k2", Detail: "exit status 3"})
	v := judged(t, ofATeam, failed)
	wantRule(t, v, "steps", judge.Fail)
	wantSaid(t, v, "steps", "the step make of k2 failed: exit status 3")
	for _, r := range judged(t, failed).Rules {
		if r.ID == "steps" {
			t.Error("steps of the run itself: got a rule, want its trouble told")
		}
	}
}

func TestLeftByAnInterrupt(t *testing.T) {
	t.Parallel()
	v := judged(t, ofATeam,
		add(history.Event{At: at(60), Kind: history.KindLeft, Step: "emit", Credential: "k1", Identifier: "kid-1", Detail: "command ./rotate.sh emit kid-1"}),
		add(history.Event{At: at(60), Kind: history.KindLeft, Step: "withdraw", Credential: "k2", Identifier: "kid-2", Detail: "command ./rotate.sh withdraw kid-2"}))
	wantRule(t, v, "rollback", judge.Inconclusive)
	if len(v.Rollback.Left) != 2 || v.Rollback.Left[0].Does != "command ./rotate.sh emit kid-1" {
		t.Errorf("left: got %+v, want both steps in their order", v.Rollback.Left)
	}
	said := ""
	for _, f := range v.Findings {
		said += f.Fix
	}
	if !strings.Contains(said, "1. emit k1, known as kid-1: command ./rotate.sh emit kid-1; 2. withdraw k2") {
		t.Errorf("got %q, want both steps", said)
	}
}

func TestWaived(t *testing.T) {
	t.Parallel()
	waive := func(s *story) { s.limits.Waived = map[string]string{"accounting": "staging counts by the hour"} }
	miscounts := totals(func(t *history.Totals) { t.Recorded-- })
	if v := judged(t, miscounts); v.Verdict != judge.Inconclusive {
		t.Fatalf("without a waiver: got %s, want inconclusive", v.Verdict)
	}
	v := judged(t, miscounts, waive)
	wantRule(t, v, "accounting", judge.Skipped)
	if got := rule(t, v, "accounting").Detail; !strings.Contains(got, "waived: staging counts by the hour; it would have been inconclusive") {
		t.Errorf("detail: got %q, want the reason and what it would have been", got)
	}
	if v.Verdict != judge.Pass {
		t.Errorf("verdict: got %s, want pass", v.Verdict)
	}
	wantRule(t, judged(t, waive), "accounting", judge.Pass)
}

// TestCountersOfATeam: each counter is held against what was sent to its own service.
func TestCountersOfATeam(t *testing.T) {
	t.Parallel()
	counts := func(change func(c *history.Counter)) change {
		return func(s *story) {
			var sent int64
			for _, e := range s.events {
				switch {
				case e.Kind == history.KindCounts && e.Counts.Source == s.limits.JudgedAt && e.Counts.Validator == "search":
					sent += e.Counts.Attempts + e.Counts.Retries
				case e.Kind == history.KindProbe && e.Service == "search" && e.Probe.Outcome != history.HarnessError:
					sent++
				}
			}
			c := history.Counter{Service: "search", From: "/stats", Served: sent}
			change(&c)
			s.counters = []history.Counter{c}
		}
	}
	for _, tt := range []struct {
		name   string
		change func(c *history.Counter)
		want   judge.Outcome
	}{
		{"as many", func(*history.Counter) {}, judge.Pass},
		{"fewer", func(c *history.Counter) { c.Served -= 5 }, judge.Inconclusive},
		{"more", func(c *history.Counter) { c.Served += 5 }, judge.Inconclusive},
		{"more, of others", func(c *history.Counter) { c.Served += 5; c.AtLeast = true }, judge.Pass},
		{"fewer, though others come too", func(c *history.Counter) { c.Served -= 5; c.AtLeast = true }, judge.Inconclusive},
		{"not to be read", func(c *history.Counter) { c.Missing = "answered 503" }, judge.Inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantRule(t, judged(t, ofATeam, counts(tt.change)), "accounting", tt.want)
		})
	}
}

// TestCountersOfAConsumer: one that presents a credential itself is sent what clients ask
// of it, and not what is checked elsewhere.
func TestCountersOfAConsumer(t *testing.T) {
	t.Parallel()
	for served, want := range map[int64]judge.Outcome{6050: judge.Pass, 6000: judge.Inconclusive, 6100: judge.Inconclusive} {
		wantRule(t, judged(t, ofATeam, limit(func(l *plan.Limits) { l.Validators = l.Validators[:1] }), func(s *story) {
			s.counters = []history.Counter{{Service: "search", From: "/stats", Served: served}}
		}, withoutKind(history.KindProbe, "search")), "accounting", want)
	}
}

func TestUnseenEmitter(t *testing.T) {
	t.Parallel()
	v := judged(t, ofATeam, add(history.Event{At: at(30), Kind: history.KindUnseen, Service: "auth", Detail: "connection refused"}))
	wantRule(t, v, "gates", judge.Inconclusive)
	if got := rule(t, v, "gates").Detail; !strings.Contains(got, "auth could not be looked at") {
		t.Errorf("detail: got %q, want who could not be looked at", got)
	}
}

// TestEmitterThatRestarts: what is seen again before the next gate leaves nothing open.
func TestEmitterThatRestarts(t *testing.T) {
	t.Parallel()
	blind := func(moment float64, why string) history.Event {
		return history.Event{At: at(moment), Kind: history.KindUnseen, Service: "auth", Detail: why}
	}
	for name, tt := range map[string]struct {
		events []history.Event
		want   judge.Outcome
	}{
		"seen again before the next gate": {[]history.Event{blind(12, "key set: 503"), blind(12.5, "token: 503"), blind(14, ""), blind(14.5, "")}, judge.Pass},
		"seen again after it":             {[]history.Event{blind(27, "key set: 503"), blind(29, "")}, judge.Inconclusive},
		"one of two things seen again":    {[]history.Event{blind(12, "key set: 503"), blind(12.5, "token: 503"), blind(14, "")}, judge.Inconclusive},
		"another one seen again":          {[]history.Event{blind(12, "key set: 503"), {At: at(14), Kind: history.KindUnseen, Service: "search"}}, judge.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) { wantRule(t, judged(t, ofATeam, add(tt.events...)), "gates", tt.want) })
	}
}
