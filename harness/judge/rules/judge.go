package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// rule holds a history against one requirement. It returns an outcome and, where the requirement is
// broken, findings that name who broke it.
type rule struct {
	id    string
	judge func(*judging) (judge.Outcome, string, []judge.Finding)
	// attached says that it applies to attached systems only.
	attached bool
	// timeless says that a clock that was set does not affect it.
	timeless bool
}

// rules are all rules, in the order in which a reader wants them.
var rules = []rule{
	{id: "auth-failures-flat", judge: flat},
	{id: "availability", judge: availability},
	{id: "sessions", judge: sessions},
	{id: "distribution", judge: distribution},
	{id: "gates", judge: gates},
	{id: "rollback", judge: rollback},
	{id: "faults", judge: faults},
	{id: "steps", judge: steps, attached: true, timeless: true},
	{id: "revocation", judge: revocation},
	{id: "bounds", judge: bounds},
	{id: "ledger", judge: ledger, timeless: true},
	{id: "leaks", judge: leaks, timeless: true},
	{id: "logs", judge: logs, timeless: true},
	{id: "accounting", judge: accounting, timeless: true},
}

// ErrNoPlan says that a history does not begin with its plan.
var ErrNoPlan = errors.New("the history does not begin with a plan")

// Limits reads the plan's limits from the first event of a history. The error is
// a *history.Damaged.
func Limits(h *history.History) (plan.Limits, error) {
	var l plan.Limits
	if len(h.Events) == 0 || h.Events[0].Kind != history.KindPlan {
		return l, &history.Damaged{File: h.File, Line: 1, Err: ErrNoPlan}
	}
	if err := json.Unmarshal(h.Events[0].Plan, &l); err != nil {
		return l, &history.Damaged{File: h.File, Line: 1, Err: fmt.Errorf("read the plan: %w", err)}
	}
	if err := l.Check(); err != nil {
		return l, &history.Damaged{File: h.File, Line: 1, Err: fmt.Errorf("the plan cannot be: %w", err)}
	}
	return l, nil
}

// Judge judges a history under a plan's limits. It is deterministic, keeps nothing and changes neither
// of the two.
func Judge(h *history.History, l plan.Limits) judge.Verdict {
	e := &judging{Evidence: evidence.Gather(h, l)}
	v := judge.Verdict{
		Rules: []judge.Rule{}, Findings: []judge.Finding{},
		Phases: e.Phases, Cells: e.report(), Gates: e.Gates, Faults: e.FaultReports(),
		Validators: e.validators(), Pods: e.pods(), Rollback: e.rollback(), Ledger: e.ledgerFigures(),
		Leaks: e.Leaks, Totals: judge.Totals{Totals: e.Totals}, Operator: e.operator(),
	}
	v.Budget = e.budget(v.Cells)
	outcomes := map[string]judge.Outcome{}
	for _, r := range rules {
		if r.attached && !l.Attached() {
			continue
		}
		outcome, detail, findings := r.judge(e)
		switch why, lacks := l.Lacks(r.id); {
		case lacks && outcome == judge.Pass:
			outcome, detail = judge.Inconclusive, "there is no evidence: "+why
		case lacks && outcome == judge.Inconclusive:
			detail += "; there is no evidence: " + why
		}
		if !r.timeless {
			outcome, detail = e.underAnotherTime(outcome, detail, findings)
		}
		outcome, detail = waived(l, r.id, outcome, detail, findings)
		v.Rules = append(v.Rules, judge.Rule{ID: r.id, Outcome: outcome, Detail: detail})
		for i := range findings {
			findings[i].RuleID = r.id
		}
		v.Findings = append(v.Findings, findings...)
	}
	v.Rules, v.Findings = e.underTheMachine(v.Rules, v.Findings)
	nameTheBound(v.Rules, v.Findings)
	for _, r := range v.Rules {
		outcomes[r.ID] = r.Outcome
	}
	for _, c := range v.Cells {
		v.Totals.AuthFailures += c.AuthFailures
	}
	v.Verdict = overall(v.Rules)
	switch outcomes["auth-failures-flat"] {
	case judge.Fail:
		v.AuthFailures = judge.NotFlat
	case judge.Pass:
		v.AuthFailures = judge.Flat
	default:
		v.AuthFailures = judge.CannotTell
	}
	v.Why = why(&v, e)
	return v
}

// nameTheBound makes the first finding of the rule bounds an error where that rule alone fails a run:
// it is then the main finding, whatever was excused.
func nameTheBound(rules []judge.Rule, findings []judge.Finding) {
	failed := func(r judge.Rule) bool { return r.Outcome == judge.Fail }
	i := slices.IndexFunc(findings, func(f judge.Finding) bool { return f.RuleID == "bounds" })
	if at := slices.IndexFunc(rules, failed); i < 0 || at < 0 || rules[at].ID != "bounds" || slices.ContainsFunc(rules[at+1:], failed) {
		return
	}
	if !slices.ContainsFunc(findings, func(f judge.Finding) bool { return f.Level == judge.Error }) {
		findings[i].Level = judge.Error
	}
}

// overall is fail over inconclusive over pass; skipped rules do not count.
func overall(rules []judge.Rule) judge.Outcome {
	worst := judge.Pass
	for _, r := range rules {
		switch {
		case r.Outcome == judge.Fail:
			return judge.Fail
		case r.Outcome == judge.Inconclusive:
			worst = judge.Inconclusive
		}
	}
	return worst
}

// why is the one sentence that a tired reader reads.
func why(v *judge.Verdict, e *judging) string {
	var attempts, refused int64 // judged ones only, not those of users at the front
	for _, key := range e.JudgedCells() {
		sum := e.View.Sum(key, e.Start, e.End+1)
		attempts, refused = attempts+sum.Attempts, refused+sum.AuthFailures
	}
	switch v.Verdict {
	case judge.Fail:
		if i := slices.IndexFunc(v.Findings, func(f judge.Finding) bool { return f.Level == judge.Error }); i >= 0 {
			return v.Findings[i].Message
		}
	case judge.Inconclusive:
		if i := slices.IndexFunc(v.Rules, func(r judge.Rule) bool { return r.Outcome == judge.Inconclusive }); i >= 0 {
			return fmt.Sprintf("cannot tell (%s): %s", v.Rules[i].ID, v.Rules[i].Detail)
		}
	case judge.Pass:
		if e.Ended == history.EndedRolledBack {
			return fmt.Sprintf("the rotation was taken back as asked, and auth failures stayed flat: %d of %d attempts",
				refused, attempts)
		}
		validators := "1 validator"
		if n := len(e.Limits.Validators); n != 1 {
			validators = fmt.Sprintf("%d validators", n)
		}
		text := fmt.Sprintf("%s replaced %s at %s while auth failures stayed flat: %d of %d attempts", e.Fresh, e.Old, validators, refused, attempts)
		if blind := e.Limits.Untimed(); len(blind) > 0 {
			text += fmt.Sprintf("; no log says when %s fetches what is published, so its lead was checked against the page alone, not at the worst moment", strings.Join(blind, ", "))
			text += e.howToTime(blind)
		}
		return text
	}
	return ""
}

// judging is a case while the rules are applied to it.
type judging struct {
	*evidence.Evidence
	found map[string]ruling // outcomes of rules that others need too
}

// ruling is the result of a rule.
type ruling struct {
	outcome  judge.Outcome
	detail   string
	findings []judge.Finding
}

// once is the result of a rule, computed when it is first asked for. Callers may change the findings.
func (e *judging) once(rule string, find func(*judging) (judge.Outcome, string, []judge.Finding)) (judge.Outcome, string, []judge.Finding) {
	r, asked := e.found[rule]
	if !asked {
		r.outcome, r.detail, r.findings = find(e)
		if e.found == nil {
			e.found = map[string]ruling{}
		}
		e.found[rule] = r
	}
	return r.outcome, r.detail, slices.Clone(r.findings)
}

// howToTime says how to make the fetches of a run's own validators visible.
func (e *judging) howToTime(blind []string) string {
	var issuers []string
	for _, name := range blind {
		v, _ := e.Limits.Validator(name)
		if v.Reads || v.From == "" || e.Limits.Attached() {
			return ""
		}
		issuers = append(issuers, v.From)
	}
	slices.Sort(issuers)
	return fmt.Sprintf("; a relay before %s shows it (services: serve: relay, of: %s, and its address where they look for the key set)", strings.Join(slices.Compact(issuers), ", "), issuers[0])
}
