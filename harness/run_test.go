package harness

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// ruleOf is the outcome of one rule.
func ruleOf(t *testing.T, v judge.Verdict, id string) judge.Rule {
	t.Helper()
	i := slices.IndexFunc(v.Rules, func(r judge.Rule) bool { return r.ID == id })
	if i < 0 {
		t.Fatalf("got rules %v, want %s among them", v.Rules, id)
	}
	return v.Rules[i]
}

// passed fails where a rule did not pass. A run that says that the machine kept
// it from running can tell nothing of what was measured, and is no failure of it.
func passed(t *testing.T, v judge.Verdict, id string) {
	t.Helper()
	starved := slices.ContainsFunc(v.Rules, func(r judge.Rule) bool { return r.ID == "machine" && r.Outcome == judge.Inconclusive })
	switch r := ruleOf(t, v, id); {
	case r.Outcome == judge.Pass:
	case starved && r.Outcome == judge.Inconclusive:
		t.Logf("%s cannot be told: %s", id, ruleOf(t, v, "machine").Detail)
	default:
		t.Errorf("got %s %s: %s; want pass", id, r.Outcome, r.Detail)
	}
}

// records are the records of runs in the folder of o: all but the lock, which
// stays for the next sweep.
func records(t *testing.T, o Options) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(o.Runs, "[^.]*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

// nothingLeft fails where a run of o has left its record behind.
func nothingLeft(t *testing.T, o Options) {
	t.Helper()
	if left := records(t, o); len(left) > 0 {
		t.Errorf("got records of runs %v, want none left", left)
	}
}

func TestRun(t *testing.T) {
	tests := []struct {
		name, page, scenario string
		reads                string // what is read, of the readers
		want                 func(history.Event) bool
	}{
		{
			"jwt signing key", plantest.JWTPage, plantest.JWTScenario, "auth secret/data/auth/key, edge jwks",
			func(e history.Event) bool {
				return e.Kind == history.KindFetched && e.Service == "checkout" && e.From == "edge" && slices.Equal(e.Holds, []string{"k1"})
			},
		},
		{
			"api key", plantest.APIKeyPage, plantest.APIKeyScenario, "billing secret/data/billing/key",
			func(e history.Event) bool {
				c := e.Counts
				return e.Kind == history.KindCounts && c.Source == history.FromAuthority && c.Presenter == "billing" &&
					c.Validator == "payments" && c.Credential == "k2" && c.OK > 0
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := inProcesses(t)
			outcome, err := Run(t.Context(), plantest.Plan(t, test.page, test.scenario), o)
			if err != nil {
				t.Fatal(err)
			}
			nothingLeft(t, o)
			if outcome.Ended != history.EndedComplete {
				t.Errorf("got ended %q, want complete", outcome.Ended)
			}
			if outcome.Runtime != "process" || outcome.Store != "embedded" {
				t.Errorf("got runtime %q and store %q, want process and embedded", outcome.Runtime, outcome.Store)
			}
			for _, id := range []string{"accounting", "leaks"} {
				passed(t, outcome.Verdict, id)
			}
			if totals := outcome.Verdict.Totals; !totals.Complete || totals.Served == 0 || totals.Probes == 0 {
				t.Errorf("got totals %+v, want them complete, with probes", totals)
			}
			if !slices.ContainsFunc(outcome.History.Events, test.want) {
				t.Error("an event that is wanted is not in the history")
			}
			view := history.ViewOf(outcome.History)
			for want := range strings.SplitSeq(test.reads, ", ") {
				if view.Readers[want] == nil {
					t.Errorf("got readers %v, want %q", view.Readers, want)
				}
			}
			saved(t, outcome)
		})
	}
}

// saved wants the folder to hold the same history, and a log of every service.
func saved(t *testing.T, outcome *Result) {
	t.Helper()
	file, err := os.Open(filepath.Join(outcome.Folder, EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	h, err := history.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(h.Events), len(outcome.History.Events); got != want {
		t.Errorf("got %d events in %s, want %d", got, EventsFile, want)
	}
	if got, want := rules.Judge(h, outcome.Limits).Verdict, outcome.Verdict.Verdict; got != want {
		t.Errorf("got %s for the saved history, want %s", got, want)
	}
	names := []string{"load", "store"}
	for _, s := range outcome.Plan.Services {
		names = append(names, s.Name)
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(outcome.Folder, LogsFolder, name+".log")); err != nil || info.Size() == 0 {
			t.Errorf("log of %s: got %v, %v; want lines", name, info, err)
		}
	}
}

// TestRunFindsLeaksInReports plants a bearer token in a report.
func TestRunFindsLeaksInReports(t *testing.T) {
	t.Parallel()
	o := inProcesses(t)
	written := 0
	o.Report = func(outcome *Result) error {
		written++
		token := "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw"
		return os.WriteFile(filepath.Join(outcome.Folder, "report.md"), []byte(token), 0o600)
	}
	outcome, err := Run(t.Context(), plantest.Plan(t, plantest.APIKeyPage, plantest.APIKeyScenario), o)
	if err != nil {
		t.Fatal(err)
	}
	if r := ruleOf(t, outcome.Verdict, "leaks"); r.Outcome != judge.Fail || written != 2 {
		t.Errorf("got leaks %s after %d reports, want fail after 2", r.Outcome, written)
	}
	if got := outcome.Verdict.Leaks; got.Hits != 1 || !slices.Equal(got.Where, []string{"report.md"}) {
		t.Errorf("got %+v, want one hit in report.md", got)
	}
	saved(t, outcome)
}

// interrupting ends the run's context before a phase.
type interrupting struct {
	before history.Phase
	end    context.CancelFunc
}

func (o interrupting) Approve(ctx context.Context, next history.Phase) (world.Command, error) {
	if next == o.before {
		o.end()
	}
	return world.GoOn, ctx.Err()
}

func (interrupting) Interrupt() <-chan world.Command { return nil }

func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := inProcesses(t)
	o.Operator = interrupting{history.Verify, cancel}
	outcome, err := Run(ctx, plantest.Plan(t, plantest.APIKeyPage, plantest.APIKeyScenario), o)
	if err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, o)
	if outcome.Ended != history.EndedInterrupted {
		t.Errorf("got ended %q, want interrupted", outcome.Ended)
	}
	passed(t, outcome.Verdict, "accounting")
}

func TestRunThatCannotStart(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "rehearse")
	tests := []struct {
		name   string
		change func(*testing.T, *Options)
		want   string
	}{
		{"no executable", func(_ *testing.T, o *Options) { o.Executable = missing }, "start store: "},
		{"unknown runtime", func(_ *testing.T, o *Options) { o.Runtime = "moon" }, `unknown runtime "moon"`},
		{"unknown store", func(_ *testing.T, o *Options) { o.Store = "drawer" }, `unknown store "drawer"`},
		{"no vault", func(_ *testing.T, o *Options) { o.VaultAddr = "http://127.0.0.1:1" }, "open the store: "},
		{"a folder in use", func(t *testing.T, o *Options) {
			if err := os.MkdirAll(o.Folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(o.Folder, EventsFile), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "it holds another run"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := inProcesses(t)
			test.change(t, &o)
			outcome, err := Run(t.Context(), plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario), o)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q in it", err, test.want)
			}
			if errors.Is(err, ErrCleanUp) || outcome != nil {
				t.Errorf("got %v and %v, want no outcome and all cleaned up", outcome, err)
			}
			if left := records(t, o); len(left) > 0 {
				t.Errorf("got records of runs %v, want none left", left)
			}
		})
	}
}

func TestApproving(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	if command, err := (approving{}).Approve(ctx, history.Emit); command != world.GoOn || err != nil {
		t.Errorf("got %q, %v; want go-on", command, err)
	}
	cancel()
	if _, err := (approving{}).Approve(ctx, history.Emit); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's end", err)
	}
}

// TestFaultPlaceWithoutAStore: a run that is attached to a system has consumers,
// and no store to read what they are to have from.
func TestFaultPlaceWithoutAStore(t *testing.T) {
	r := &run{plan: plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario)}
	if err := r.prepareDelivery(); err != nil {
		t.Fatal(err)
	}
	if r.faultPlace().Published != nil {
		t.Error("got a way to read what is published, want none")
	}
	r.store = &store.Store{}
	if r.faultPlace().Published == nil {
		t.Error("with a store: got no way to read what is published")
	}
}
