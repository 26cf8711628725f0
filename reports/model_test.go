package reports

import (
	"bytes"
	"flag"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds what a writer wrote against a file in testdata.
func golden(t *testing.T, name string, write func(io.Writer) error) {
	t.Helper()
	var got bytes.Buffer
	if err := write(&got); err != nil {
		t.Fatalf("write %s: %v", name, err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with -update)", err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs from its golden file (see the difference after -update)\ngot:\n%s\nwant:\n%s", name, got.Bytes(), want)
	}
}

// models are those that every format is tested with.
func models() map[string]*Model {
	return map[string]*Model{"pass": passModel(), "fail": failModel(), "inconclusive": inconclusiveModel()}
}

func baseModel() *Model {
	return &Model{
		ToolVersion: "0.1.0", StartedAt: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC),
		Scenario: "jwt-signing-key/short-lead", Secret: "session-signing-key", ScenarioDigest: "5ce0", RunbookDigest: "b00c",
		Seed: 7, Runtime: "docker", Store: "vault 1.21.0", Speed: 60,
		Limits: plan.Limits{
			Family: "jwt-signing-key", Speed: 60, JudgedAt: history.FromLoad, Objective: 0.999, Gates: "observe",
			Lead: 16 * time.Minute, Propagation: 30 * time.Second, Window: 45 * time.Minute, Watch: 20 * time.Minute, LongestLife: 10 * time.Minute,
			Validators: []plan.Validator{{Name: "checkout", OnPage: true, Learns: 5 * time.Minute, Forgets: time.Hour, From: "auth"}},
			Emitters:   []plan.Emitter{{Name: "auth", OnPage: true, Refresh: 45 * time.Second}},
		},
		Runbook: testPage(), WrittenAt: time.Date(2026, 11, 23, 2, 5, 0, 0, time.UTC),
	}
}

func testPage() *runbook.Runbook {
	within := runbook.Duration(5 * time.Minute)
	return &runbook.Runbook{
		APIVersion: runbook.APIVersion, Kind: runbook.Kind,
		Scope:   runbook.Scope{Name: "session-signing-key", Family: "jwt-signing-key", Purpose: "signs the sessions issued by auth"},
		Storage: runbook.Storage{Store: "vault", Publish: runbook.Publish{Path: "secret/data/auth/key"}, Distribution: "jwks", JWKS: "/.well-known/jwks.json"},
		Consumers: []runbook.Consumer{
			{Name: "auth", Roles: []runbook.Role{runbook.Emits}, Refresh: runbook.Duration(45 * time.Second)},
			{Name: "checkout", Roles: []runbook.Role{runbook.Validates}, LearnsWithin: &within},
		},
		Format:  runbook.Format{Type: "ES256", Identifier: "kid", LongestLife: runbook.Duration(10 * time.Minute)},
		Rollout: runbook.Rollout{Lead: runbook.Duration(16 * time.Minute), Propagation: runbook.Duration(30 * time.Second), Watch: runbook.Duration(20 * time.Minute)},
		Overlap: runbook.Overlap{Window: runbook.Duration(45 * time.Minute), Exceptions: []runbook.Exception{
			{Client: "old-app", Until: runbook.Duration(24 * time.Hour), Because: "its release still rolls out"},
		}},
		Verification: runbook.Verification{SLO: runbook.SLO{Objective: percentOf("99.9%")}, Checks: []string{"auth-failures", "canary"}},
		Rollback:     runbook.Rollback{When: runbook.Trigger{AuthFailuresOver: percentOf("1%"), For: runbook.Duration(10 * time.Second)}, Decides: "identity on-call", Steps: []string{"restore-accept", "restore-emit"}},
		Schedule:     runbook.Schedule{Cadence: runbook.Duration(90 * 24 * time.Hour), Owner: "@identity-team", NextReview: "2027-02-01", Timebox: runbook.Duration(45 * time.Minute)},
	}
}

// percentOf is a percentage as a page has it.
func percentOf(text string) runbook.Percent {
	var p runbook.Percent
	if err := p.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return p
}

// historyOf is a history in which a model's cells were counted, in ten buckets
// for each phase and credential, failures first; the verdict of no judge. What
// else happened is appended.
func historyOf(m *Model, more ...history.Event) *history.History {
	h := &history.History{Events: []history.Event{{Kind: history.KindPlan}}}
	var end history.Offset
	for _, p := range m.Phases {
		from, to := history.Milliseconds(p.StartMS), history.Milliseconds(p.EndMS)
		h.Events = append(h.Events, history.Event{At: from, Kind: history.KindPhase, Phase: p.Name})
		for _, c := range m.Cells {
			if c.Phase != p.Name {
				continue
			}
			for _, credential := range slices.Sorted(maps.Keys(c.Credentials)) {
				n, failures := c.Credentials[credential].Attempts, c.Credentials[credential].AuthFailures
				for i := range history.Offset(10) {
					share := n / 10
					failed := min(share, failures)
					failures -= failed
					h.Events = append(h.Events, history.Event{At: from + (to-from)*i/10, Kind: history.KindCounts, Counts: &history.Counts{
						Source: c.Source, Presenter: c.Presenter, Validator: c.Validator, Credential: credential, Width: history.Offset(100 * time.Millisecond),
						Attempts: share, OK: share - failed, AuthFailures: failed, Latency: [][2]int64{{812, share - share/100 - 1}, {3456, share/100 + 1}},
					}})
				}
			}
		}
		end = to
	}
	h.Events = append(h.Events, more...)
	h.Events = append(h.Events, history.Event{At: end, Kind: history.KindEnd, Detail: history.EndedComplete})
	return h
}

func credential(name, identifier string) history.Event {
	return history.Event{Kind: history.KindCredential, Credential: name, Identifier: identifier}
}

func probe(ms int64, validator, credential string, purpose history.Purpose, outcome history.Outcome, status string) history.Event {
	return history.Event{At: history.Milliseconds(ms), Kind: history.KindProbe, Service: validator, Credential: credential,
		Probe: &history.Probe{Purpose: purpose, Outcome: outcome, Status: status, Presentation: "token made before the revoke"}}
}

func cell(validator string, phase history.Phase, attempts, failures int64, credentials map[string]judge.CredentialCounts) judge.Cell {
	statuses := map[string]int64{"200": attempts - failures}
	if failures > 0 {
		statuses["401"] = failures
	}
	return judge.Cell{
		Presenter: "web", Validator: validator, Phase: phase, Source: history.FromLoad,
		Attempts: attempts, AuthFailures: failures, Statuses: statuses, Credentials: credentials, P50MS: 0.812, P99MS: 3.4567,
	}
}

func passModel() *Model {
	m := baseModel()
	m.Scenario = "jwt-signing-key/healthy"
	m.Verdict = judge.Verdict{
		Verdict: judge.Pass, AuthFailures: judge.Flat,
		Why:   "No rotation credential was refused in 41,230 attempts.",
		Rules: []judge.Rule{{ID: "auth-failures-flat", Outcome: judge.Pass}, {ID: "ledger", Outcome: judge.Skipped, Detail: "nothing has effects here"}},
		Phases: []judge.PhaseSpan{
			{Name: history.Baseline, EndMS: 5000}, {Name: history.Accept, StartMS: 5000, EndMS: 5040},
			{Name: history.Verify, StartMS: 5040, EndMS: 21040}, {Name: history.Emit, StartMS: 21040, EndMS: 21500},
			{Name: history.Overlap, StartMS: 21500, EndMS: 66500}, {Name: history.Revoke, StartMS: 66500, EndMS: 66540},
			{Name: history.Watch, StartMS: 66540, EndMS: 86540},
		},
		Cells: []judge.Cell{
			cell("checkout", history.Baseline, 1000, 0, map[string]judge.CredentialCounts{"k1": {Attempts: 1000}}),
			cell("checkout", history.Overlap, 9000, 0, map[string]judge.CredentialCounts{"k1": {Attempts: 1000}, "k2": {Attempts: 8000}}),
		},
		Gates:      []history.Gate{{Phase: history.Verify, Mode: "observe", Held: true, Detail: "taken by checkout"}},
		Validators: []judge.ValidatorReport{{Name: "checkout", OnPage: true, LearnedAfterMS: 120, ForgotAfterMS: 14000, BoundMS: 1000, ForgetBoundMS: 61000}},
		Leaks:      history.Leaks{Searched: 4 << 20},
		Totals:     judge.Totals{Totals: history.Totals{Scheduled: 41230, Sent: 41236, Recorded: 41236, Served: 41236, Probes: 6, Complete: true}},
	}
	m.Timeline = TimelineOf(historyOf(m, passEvents()...), m.Limits)
	return m
}

// passEvents are those of a healthy rotation beside its counts.
func passEvents() []history.Event {
	return []history.Event{
		credential("k1", "kid-1"), credential("k2", "kid-2"),
		probe(20_900, "checkout", "k2", history.Canary, history.OK, "200"),
		{At: history.Milliseconds(21_050), Began: history.Milliseconds(21_040), Kind: history.KindStep, Phase: history.Emit, Step: "emit", Credential: "k2"},
		{At: history.Milliseconds(21_400), Kind: history.KindEmitting, Service: "auth", Credential: "k2"},
		probe(66_600, "checkout", "k1", history.OldAfter, history.OK, "200"),
		probe(80_540, "checkout", "k1", history.OldAfter, history.AuthFailure, "401"),
		probe(86_500, "checkout", "k2", history.NewAfter, history.OK, "200"),
	}
}

func failModel() *Model {
	m := passModel()
	m.Scenario = "jwt-signing-key/short-lead"
	m.Verdict.Verdict, m.AuthFailures = judge.Fail, judge.NotFlat
	m.Why = "search refused k2 for 9m50s: it learned it 14m50s after it was accepted, and the lead was 5m."
	m.Rules = []judge.Rule{
		{ID: "auth-failures-flat", Outcome: judge.Fail, Detail: "1,204 refusals in web → search"},
		{ID: "faults", Outcome: judge.Inconclusive, Detail: "the fault left no evidence"},
		{ID: "ledger", Outcome: judge.Skipped},
	}
	m.Findings = []judge.Finding{
		{RuleID: "faults", Level: judge.Warning, Message: "<b>partition</b> | left no evidence", CausedBy: "partition", Count: 1},
		{
			RuleID: "auth-failures-flat", Level: judge.Error, Message: "web was refused by search with k2", Presenter: "web", Validator: "search",
			Consumer: "search", Credential: "k2", CausedBy: "emit", Cause: judge.CauseStaleCache, FirstPhase: "emit", FirstMS: 10_120, LastMS: 19_950,
			Count: 1204, BudgetSpent: 4.1, Fix: "publish at least 15m30s before emitting",
		},
	}
	m.Cells = append(m.Cells,
		cell("search", history.Baseline, 1000, 0, map[string]judge.CredentialCounts{"k1": {Attempts: 1000}}),
		cell("search", history.Verify, 1000, 0, map[string]judge.CredentialCounts{"k1": {Attempts: 1000}}),
		cell("search", history.Emit, 100, 100, map[string]judge.CredentialCounts{"k2": {Attempts: 100, AuthFailures: 100}}),
		cell("search", history.Overlap, 9000, 1104, map[string]judge.CredentialCounts{"k2": {Attempts: 9000, AuthFailures: 1104}}))
	m.Gates = []history.Gate{{Phase: history.Verify, Mode: "observe", Detail: "search has not taken k2", Consumer: "search"}}
	m.Faults = []judge.FaultReport{{Kind: "partition", Target: "checkout → auth", InjectedMS: 5200, UndoneMS: 5700,
		Evidence: map[string]float64{"during.reads": 0, "before.reads": 12}, Detail: "the edge was already idle"}}
	m.Validators = append(m.Validators, judge.ValidatorReport{Name: "search", LearnedAfterMS: 14_830, ForgotAfterMS: -1, BoundMS: 5000, ForgetBoundMS: -1})
	m.Budget = judge.Budget{
		Objective: 0.999, Clients: []judge.BudgetSpan{{Presenter: "web", Attempts: 20_100, Allowed: 20.1, AuthFailures: 1204, SpentRatio: 59.9}},
		Total: judge.BudgetSpan{Attempts: 20_100, Allowed: 20.1, AuthFailures: 1204, SpentRatio: 59.9},
	}
	m.Rollback = judge.RollbackReport{Happened: true, Why: "budget: 12 % of attempts failed for 10s", From: "overlap", DecidedMS: 20_000, DoneMS: 24_000, Proven: true, DecisionMS: 620, FlatMS: 2_300, Agreement: judge.Agree}
	m.Operator = []judge.OperatorAction{{AtMS: 19_000, Phase: history.Verify, Did: "asked to roll back"}}
	m.Ledger = map[string]int64{"intents": 10, "effects": 10}
	m.Leaks = history.Leaks{Searched: 4096, Hits: 1, Where: []string{"logs/auth.log"}}
	m.Totals = judge.Totals{Totals: history.Totals{Scheduled: 20100, Sent: 20100, Recorded: 20100}, AuthFailures: 1204}
	m.Limits.Lead = 5 * time.Minute
	m.Runbook.Rollout.Lead = runbook.Duration(5 * time.Minute)
	m.Limits.Validators = append(m.Limits.Validators, plan.Validator{Name: "search", Learns: 15 * time.Minute, Forgets: runbook.Forever, From: "auth"})
	m.Timeline = TimelineOf(historyOf(m, append(passEvents(),
		probe(23_000, "search", "k2", history.Withdrawn, history.AuthFailure, "401"),
		probe(23_100, "search", "k1", history.Restored, history.OK, "200"),
	)...), m.Limits)
	return m
}

// inconclusiveModel has nothing but a header and a verdict: a run that ended early.
func inconclusiveModel() *Model {
	m := baseModel()
	m.Speed, m.Limits, m.Runbook = 1, plan.Limits{}, nil
	m.Verdict = judge.Verdict{
		Verdict: judge.Inconclusive, AuthFailures: judge.CannotTell, Why: "Nothing was attempted.",
		Rules: []judge.Rule{{ID: "auth-failures-flat", Outcome: judge.Inconclusive, Detail: "0 attempts in web → search"}},
	}
	return m
}
