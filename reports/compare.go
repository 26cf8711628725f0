package reports

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

// CompareSchema names the shape of a comparison's JSON.
const CompareSchema = "rehearse/compare/v1"

// ErrNotComparable is in the chain of Compare's error where two runs are of different secrets: their
// figures side by side would say nothing.
var ErrNotComparable = errors.New("the runs cannot be compared")

// Change is what became of something from one run to the next.
type Change string

// The changes. Only Worse and, of a finding of level error, Appeared count as a
// regression.
const (
	Same    Change = "same"
	Better  Change = "better"
	Worse   Change = "worse"
	Differs Change = "differs" // neither: such as a rule that did not apply in one of the runs

	Appeared     Change = "appeared"
	Gone         Change = "gone"
	NotExercised Change = "not exercised" // gone, because its client no longer calls its service
)

// Counted says what Compare counts as a regression.
const Counted = "A regression is: a worse verdict (pass, inconclusive, fail) · a worse rule · a finding of level error\n" +
	"that was not there before · auth failures, or attempts without service, of a client at a service that\n" +
	"rise by more than a tenth of what they were and what the objective allows. Latencies, warnings and\n" +
	"the times of validators are shown and do not count."

// Comparison is two runs side by side, before and after a change. Its JSON form
// is what `rehearse compare --format json` prints.
type Comparison struct {
	Schema string `json:"schema"`
	Before Side   `json:"before"`
	After  Side   `json:"after"`
	// Verdict is the change of the verdict.
	Verdict Change `json:"verdict"`
	// Regressions and Improvements are what got worse and better, a sentence
	// each; Notes are why the two may not be alike.
	Regressions  []string          `json:"regressions"`
	Improvements []string          `json:"improvements"`
	Notes        []string          `json:"notes"`
	Findings     []FindingChange   `json:"findings"`
	Rules        []RuleChange      `json:"rules"`
	Pairs        []PairChange      `json:"pairs"`
	Validators   []ValidatorChange `json:"validators"`
}

// Side is one of the two runs.
type Side struct {
	Scenario       string         `json:"scenario"`
	Secret         string         `json:"secret_name"`
	Family         string         `json:"family"`
	ScenarioDigest string         `json:"scenario_digest"`
	RunbookDigest  string         `json:"runbook_digest"`
	StartedAt      time.Time      `json:"started_at"`
	Runtime        string         `json:"runtime"`
	Store          string         `json:"store"`
	Gates          string         `json:"gates"`
	Speed          float64        `json:"speed"`
	Seed           int64          `json:"seed"`
	Objective      float64        `json:"objective"` // share of first attempts
	Verdict        judge.Outcome  `json:"verdict"`
	AuthFailures   judge.Flatness `json:"auth_failures"`
	Why            string         `json:"why"`
}

// RuleChange is one rule in both runs; an empty outcome: the run did not have it.
type RuleChange struct {
	ID     string        `json:"id"`
	Before judge.Outcome `json:"before"`
	After  judge.Outcome `json:"after"`
	Change Change        `json:"change"`
	Detail string        `json:"detail,omitempty"` // of the run after
}

// Compare puts two runs side by side. It is deterministic, and changes neither.
// Runs of different secrets are an error (ErrNotComparable).
func Compare(before, after *Model) (*Comparison, error) {
	if err := sameSecret(before, after); err != nil {
		return nil, err
	}
	c := &Comparison{
		Schema: CompareSchema, Before: side(before), After: side(after),
		Verdict:     outcomes(before.Verdict.Verdict, after.Verdict.Verdict),
		Regressions: []string{}, Improvements: []string{}, Notes: notes(before, after),
		Findings: findingChanges(before, after), Rules: ruleChanges(before, after),
		Pairs: pairChanges(before, after), Validators: validatorChanges(before, after),
	}
	c.weigh()
	return c, nil
}

// Regression reports whether anything got worse that counts.
func (c *Comparison) Regression() bool { return len(c.Regressions) > 0 }

// sameSecret refuses to compare runs of different secrets. A fix may change the page, the scenario and
// the parties: the secret must be the same, and at least one party.
func sameSecret(before, after *Model) error {
	differ := func(what, b, a string) error {
		return fmt.Errorf("%w: %s is %s in the first and %s in the second", ErrNotComparable, what, b, a)
	}
	if b, a := before.Limits.Family, after.Limits.Family; b != a && b != "" && a != "" {
		return differ("the family", b, a)
	}
	if b, a := before.Secret, after.Secret; b != a && b != "" && a != "" {
		return differ("the secret of the page", b, a)
	}
	had, has := pairs(before), pairs(after)
	if len(had) > 0 && len(has) > 0 && !slices.ContainsFunc(had, func(p pair) bool { return slices.Contains(has, p) }) {
		return fmt.Errorf("%w: no client calls the same service in both (%s in the first, %s in the second)", ErrNotComparable, had[0], has[0])
	}
	return nil
}

func side(m *Model) Side {
	return Side{
		Scenario: m.Scenario, Secret: m.Secret, Family: m.Limits.Family,
		ScenarioDigest: m.ScenarioDigest, RunbookDigest: m.RunbookDigest, StartedAt: m.StartedAt.UTC(),
		Runtime: m.Runtime, Store: m.Store, Gates: m.Limits.Gates, Speed: m.Speed, Seed: m.Seed, Objective: m.Limits.Objective,
		Verdict: m.Verdict.Verdict, AuthFailures: m.AuthFailures, Why: m.Why,
	}
}

// outcomes compares outcomes, which get worse from pass over inconclusive to fail. From fail to
// inconclusive is no improvement, and a rule that did not apply is neither.
func outcomes(before, after judge.Outcome) Change {
	rank := map[judge.Outcome]int{judge.Pass: 1, judge.Inconclusive: 2, judge.Fail: 3}
	b, a := rank[before], rank[after]
	switch {
	case b == a:
		return Same
	case a > max(b, 1): // a failure is news even where the rule did not apply before
		return Worse
	case a == 1 && b > 1:
		return Better
	}
	return Differs
}

// ruleChanges lists the rules in the order of the run after, then those that
// only the run before had.
func ruleChanges(before, after *Model) []RuleChange {
	changes := []RuleChange{}
	find := func(rules []judge.Rule, id string) (judge.Rule, bool) {
		i := slices.IndexFunc(rules, func(r judge.Rule) bool { return r.ID == id })
		if i < 0 {
			return judge.Rule{}, false
		}
		return rules[i], true
	}
	for _, a := range after.Rules {
		b, _ := find(before.Rules, a.ID)
		changes = append(changes, RuleChange{ID: a.ID, Before: b.Outcome, After: a.Outcome, Change: outcomes(b.Outcome, a.Outcome), Detail: a.Detail})
	}
	for _, b := range before.Rules {
		if _, ok := find(after.Rules, b.ID); !ok {
			changes = append(changes, RuleChange{ID: b.ID, Before: b.Outcome, Change: Differs})
		}
	}
	return changes
}

// notes say why two runs may differ beyond what was meant to change.
func notes(before, after *Model) []string {
	notes := []string{}
	add := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	for _, n := range []struct{ what, before, after, so string }{
		{"runtime", before.Runtime, after.Runtime, "their latencies are not alike"},
		{"store", before.Store, after.Store, ""},
		{"gates", before.Limits.Gates, after.Limits.Gates, "enforced gates stop a rotation that others only watch"},
		{"speed", fmt.Sprintf("%g", before.Speed), fmt.Sprintf("%g", after.Speed), "times are told in page time"},
		{"objective", percent(before.Limits.Objective), percent(after.Limits.Objective), "the stricter one is held against both"},
		{"version of rehearse", before.ToolVersion, after.ToolVersion, ""},
	} {
		if n.before == n.after {
			continue
		}
		text := fmt.Sprintf("%s: %s before, %s after", n.what, dash(n.before), dash(n.after))
		if n.so != "" {
			text += ": " + n.so
		}
		notes = append(notes, text)
	}
	if before.RunbookDigest == after.RunbookDigest && before.ScenarioDigest == after.ScenarioDigest {
		add("page and scenario are the same in both")
	}
	if after.StartedAt.Before(before.StartedAt) {
		add("the second run was started before the first: the first argument is the run before the change")
	}
	if after.Rollback.Happened && !before.Rollback.Happened {
		add("the second run was rolled back: what comes after %s was not rehearsed in it", cmp.Or(after.Rollback.From, "that"))
	}
	if before.Rollback.Happened && !after.Rollback.Happened {
		add("the first run was rolled back: what comes after %s was not rehearsed in it", cmp.Or(before.Rollback.From, "that"))
	}
	return notes
}

// percent is an objective as pages have it: "99.9 %".
func percent(share float64) string {
	if share == 0 {
		return ""
	}
	return fmt.Sprintf("%.6g %%", 100*share)
}
