package reports

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// page is the runbook, field by field, beside what this run found.
func page(m *Model) table {
	t := table{Title: "The runbook page, filled"}
	if m.Runbook == nil {
		t.Note = "The page is not in this run's folder."
		return t
	}
	t.Note = "What the page says beside what this run found. Durations are page time."
	t.Head = []column{words("Field"), words("The page says"), words("This run found"), state("Holds")}
	f := pageBuilder{Model: m, page: m.Runbook}
	for _, fill := range []func(){f.scope, f.storage, f.consumers, f.format, f.rollout, f.overlap, f.verification, f.rollback, f.schedule} {
		fill()
	}
	t.Rows = f.rows
	return t
}

// pageBuilder fills the table that holds the page against what was found.
type pageBuilder struct {
	*Model
	page *runbook.Runbook
	rows [][]string
}

// row adds a line; what cannot hold or not hold has "–" in its last column.
func (f *pageBuilder) row(field, says, found, holds string) {
	f.rows = append(f.rows, []string{field, dash(says), dash(found), holds})
}

func (f *pageBuilder) scope() {
	says := join(", ", f.page.Scope.Name, f.page.Scope.Family)
	if f.page.Scope.Purpose != "" {
		says += ": " + f.page.Scope.Purpose
	}
	var found []string
	for _, c := range f.credentials() {
		found = append(found, strings.TrimSpace(c.Name+" "+c.Identifier))
	}
	f.row("scope", says, strings.Join(found, ", then "), "–")
}

func (f *pageBuilder) credentials() []Credential {
	if f.Timeline == nil {
		return nil
	}
	return f.Timeline.Credentials
}

func (f *pageBuilder) storage() {
	s := f.page.Storage
	f.row("storage", join(", ", s.Store, s.Publish.Path, "distribution by "+s.Distribution, s.JWKS), f.Store, "–")
}

func (f *pageBuilder) consumers() {
	onPage := map[string]bool{}
	for _, c := range f.page.Consumers {
		onPage[c.Name] = true
		says := make([]string, 0, 5)
		for _, r := range c.Roles {
			says = append(says, string(r))
		}
		if c.Refresh > 0 {
			says = append(says, "refresh "+c.Refresh.String())
		}
		says = append(says, c.Library)
		if c.LearnsWithin != nil {
			says = append(says, "learns within "+c.LearnsWithin.String())
		}
		if c.ForgetsWithin != nil {
			says = append(says, "forgets within "+c.ForgetsWithin.String())
		}
		found, holds := f.party(c.Name)
		f.row("consumers: "+c.Name, join(", ", says...), found, holds)
	}
	for _, v := range f.Validators {
		if !v.OnPage && !onPage[v.Name] {
			found, _ := f.party(v.Name)
			f.row("consumers: "+v.Name, "not on the page", found, "no")
		}
	}
	for _, e := range f.Limits.Emitters {
		if _, validates := f.Limits.Validator(e.Name); !e.OnPage && !onPage[e.Name] && !validates {
			found, _ := f.party(e.Name)
			f.row("consumers: "+e.Name, "not on the page", found, "no")
		}
	}
}

// party is what was measured of a consumer, and whether it kept its bounds.
func (f *pageBuilder) party(name string) (found, holds string) {
	var parts []string
	holds = "–"
	if f.Timeline != nil {
		for _, s := range f.Timeline.Switches {
			if s.Emitter == name {
				parts = append(parts, fmt.Sprintf("used %s %s after it was told to", s.Credential, f.inPage(s.After)))
			}
		}
	}
	i := slices.IndexFunc(f.Validators, func(v judge.ValidatorReport) bool { return v.Name == name })
	if i >= 0 {
		v := f.Validators[i]
		holds = "yes"
		for _, side := range []struct {
			did, not      string
			tookMS, bound int64
			due           bool
		}{
			{"learned after", "did not learn", v.LearnedAfterMS, v.BoundMS, f.reached(history.Emit)},
			{"forgot after", "did not forget", v.ForgotAfterMS, v.ForgetBoundMS, f.reached(history.Watch)},
		} {
			switch {
			case side.tookMS >= 0:
				parts = append(parts, fmt.Sprintf("%s %s", side.did, f.inPage(history.Milliseconds(side.tookMS))))
				if side.bound >= 0 && side.tookMS > side.bound {
					holds = "no"
				}
			case side.due:
				parts = append(parts, side.not)
				holds = "no"
			default:
				parts = append(parts, side.not+": it was not due in this run")
				if holds == "yes" {
					holds = "–"
				}
			}
		}
	}
	return strings.Join(parts, "; "), holds
}

// reached reports whether a run came to a phase.
func (m *Model) reached(phase history.Phase) bool {
	return slices.ContainsFunc(m.Phases, func(p judge.PhaseSpan) bool { return p.Name == phase })
}

// began is when a phase began; the start of the run where it never did.
func (m *Model) began(phase history.Phase) history.Offset {
	for _, p := range m.Phases {
		if p.Name == phase {
			return history.Milliseconds(p.StartMS)
		}
	}
	return 0
}

// inPage is wall time as page time alone.
func (f *pageBuilder) inPage(wall history.Offset) string { return PageTime(f.Speed, wall.Duration()) }

func (f *pageBuilder) format() {
	t := f.page.Format
	life := ""
	if t.LongestLife > 0 {
		life = "longest life " + t.LongestLife.String()
	}
	f.row("format", join(", ", t.Type, t.Identifier, life), "", "–")
}

// needed is the largest of a bound over all validators, and whose it is.
func (f *pageBuilder) needed(bound func(plan.Validator) time.Duration) (most time.Duration, whose string) {
	for _, v := range f.Limits.Validators {
		if b := bound(v); b > most {
			most, whose = b, v.Name
		}
	}
	return most, whose
}

// measured is the longest that a validator took for something, and which.
func (f *pageBuilder) measured(took func(judge.ValidatorReport) int64) (longest time.Duration, whose string) {
	for _, v := range f.Validators {
		if ms := took(v); ms > 0 && pageTime(f.Speed, history.Milliseconds(ms)) > longest {
			longest, whose = pageTime(f.Speed, history.Milliseconds(ms)), v.Name
		}
	}
	return longest, whose
}

// bounded compares a duration of the page with its bound, and with the measured value where that is
// larger.
func (f *pageBuilder) bounded(field string, says runbook.Duration, most time.Duration, whose string, took time.Duration, who string) {
	switch {
	case most == runbook.Forever:
		f.row(field, says.String(), strings.TrimSpace("no time is enough "+whose), "no")
	case took > most && took > says.Duration():
		f.row(field, says.String(), fmt.Sprintf("needs %s by the page, and %s took %s", plan.Text(most), who, plan.Text(took.Round(time.Second))), "no")
	case most == 0:
		f.row(field, says.String(), "nothing to wait for", "yes")
	default:
		f.row(field, says.String(), strings.TrimSpace(fmt.Sprintf("needs %s %s", plan.Text(most), whose)), yesNo(says.Duration() >= most))
	}
}

func (f *pageBuilder) rollout() {
	most, whose := f.needed(f.Limits.G1)
	took, who := f.measured(func(v judge.ValidatorReport) int64 { return v.LearnedAfterMS })
	f.bounded("rollout: lead", f.page.Rollout.Lead, most, forWhom(whose), took, who)
	f.row("rollout: propagation", f.page.Rollout.Propagation.String(), f.switched(), "–")
	most, whose = f.needed(f.Limits.G3)
	took, who = f.measured(func(v judge.ValidatorReport) int64 { return v.ForgotAfterMS })
	f.bounded("rollout: watch", f.page.Rollout.Watch, most, forWhom(whose), took, who)
}

// switched is how long the slowest emitter took, and which emitters on the page did not switch.
func (f *pageBuilder) switched() string {
	if f.Timeline == nil || len(f.Timeline.Switches) == 0 {
		return ""
	}
	var slowest history.Offset
	did := map[string]bool{}
	for _, s := range f.Timeline.Switches {
		slowest, did[s.Emitter] = max(slowest, s.After), true
	}
	found := "the last emitter switched after " + f.inPage(slowest)
	for _, e := range f.Limits.Emitters {
		if e.OnPage && !did[e.Name] && f.reached(history.Overlap) {
			found += ", and " + e.Name + " did not"
		}
	}
	return found
}

func forWhom(name string) string {
	if name == "" {
		return ""
	}
	return "for " + name
}

func (f *pageBuilder) overlap() {
	f.bounded("overlap: window", f.page.Overlap.Window, f.Limits.G2(), "after the last emitter's switch", 0, "")
	for _, e := range f.page.Overlap.Exceptions {
		f.row("overlap: exception", fmt.Sprintf("%s until %s: %s", e.Client, e.Until, e.Because), "", "–")
	}
}

// checked names the rule that answers for each check of a page.
var checked = map[string]string{
	"auth-failures": "auth-failures-flat", "availability": "availability", "distribution": "distribution", "logs": "logs",
}

func (f *pageBuilder) verification() {
	var whole judge.Cell
	for _, c := range f.Cells {
		if f.judged(c) {
			tallyUp(&whole, c)
		}
	}
	f.row("verification: objective", f.page.Verification.SLO.Objective.String()+" of first attempts",
		Share(whole.Attempts-whole.AuthFailures, whole.Attempts)+" were no auth failures", f.held("auth-failures-flat"))
	for _, check := range f.page.Verification.Checks {
		if check == "canary" {
			f.canary()
			continue
		}
		rule := f.answer(checked[check])
		f.row("verification: check", check, rule.Detail, f.held(rule.ID))
	}
}

func (f *pageBuilder) answer(id string) judge.Rule {
	if i := slices.IndexFunc(f.Rules, func(r judge.Rule) bool { return r.ID == id }); i >= 0 {
		return f.Rules[i]
	}
	return judge.Rule{}
}

// held words a rule's outcome as one of holds, does not hold, cannot be told.
func (f *pageBuilder) held(id string) string {
	switch f.answer(id).Outcome {
	case judge.Pass:
		return "yes"
	case judge.Fail:
		return "no"
	case judge.Inconclusive:
		return "cannot tell"
	}
	return "–"
}

func (f *pageBuilder) canary() {
	proofs := proofsOf(f.Model, history.Canary)
	var refused []string
	for _, p := range proofs {
		if taken(p) != "yes" {
			refused = append(refused, p.Validator)
		}
	}
	switch {
	case len(proofs) == 0:
		f.row("verification: check", "canary", "was shown to nobody", "–")
	case len(refused) > 0:
		f.row("verification: check", "canary", "not taken by "+strings.Join(refused, ", "), "no")
	default:
		f.row("verification: check", "canary", "taken by each that was asked, "+plan.Counted(int64(len(proofs)), "validator"), "yes")
	}
}

func (f *pageBuilder) rollback() {
	r := f.page.Rollback
	decides := r.Decides
	if decides != "" {
		decides += " decides"
	}
	says := join("; ", fmt.Sprintf("over %s auth failures for %s", r.When.AuthFailuresOver, r.When.For), decides, strings.Join(r.Steps, ", then "))
	if !f.Rollback.Happened {
		f.row("rollback", says, "was not taken", "–")
		return
	}
	found := fmt.Sprintf("taken in %s: %s", dash(f.Rollback.From), dash(f.Rollback.Why))
	if f.Rollback.Proven {
		found += "; proven"
	}
	f.row("rollback", says, found, yesNo(f.Rollback.Proven))
}

func (f *pageBuilder) schedule() {
	s := f.page.Schedule
	parts := []string{}
	if s.Cadence > 0 {
		parts = append(parts, "every "+s.Cadence.String())
	}
	parts = append(parts, s.Owner)
	if s.NextReview != "" {
		parts = append(parts, "next review "+s.NextReview)
	}
	if s.Timebox > 0 {
		parts = append(parts, "hands-on "+s.Timebox.String())
	}
	f.row("schedule", join(", ", parts...), "rehearsed "+f.StartedAt.UTC().Format("2006-01-02"), "–")
}

// join puts what is not empty together.
func join(by string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return s == "" }), by)
}
