package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge/cause/authority"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// rollback holds when a rollback that was taken is proven: the old credential emitted and accepted
// everywhere, the new one withdrawn, failures flat again. A rollback that nobody asked for is never a
// pass, however well it went.
func rollback(e *judging) (judge.Outcome, string, []judge.Finding) {
	r := e.rollback()
	if !r.Happened && len(r.Left) > 0 {
		f := judge.Finding{
			Level: judge.Warning, Credential: e.Fresh, CausedBy: e.LastStep(e.End), FirstPhase: e.PhaseAt(e.End), FirstMS: e.End.Milliseconds(),
			LastMS: e.End.Milliseconds(), Count: int64(len(r.Left)),
			Message: fmt.Sprintf("the rotation was %s and left as it was, since the run cannot know when it may be taken back", e.Ended),
			Fix:     "take it back by hand, in this order: " + tellLeft(r.Left),
		}
		return judge.Inconclusive, f.Message, []judge.Finding{f}
	}
	if !r.Happened {
		return judge.Skipped, "none was needed", nil
	}
	missing, open, notes := e.unproven(), r.Agreement == judge.NotCompared, e.stillTaken(&r)
	f := judge.Finding{
		Level: judge.Error, Credential: e.Fresh, CausedBy: r.From, FirstPhase: string(history.Rollback),
		FirstMS: r.DecidedMS, LastMS: r.DoneMS, Count: 1,
	}
	switch {
	case len(missing) > 0:
		f.Message = "the rollback is not proven: " + strings.Join(missing, "; ")
		if r.Why != "" {
			f.Message = fmt.Sprintf("the rotation was turned back in %s (%s), and %s", r.From, r.Why, f.Message)
		}
		f.Fix = "bring authority, store and consumers together by hand before anything else"
		if len(r.Left) > 0 {
			f.Fix += "; still to be taken, in this order: " + tellLeft(r.Left)
		}
		if e.decidedFor(history.TriggerAnother) || len(e.Others) > 0 {
			f.Cause = judge.CauseOtherRotation
			f.Fix = "find out who else rotates the secret and let that end first; then " + f.Fix
		}
		e.citeWhatKept(&f)
		if left := e.notBack(); f.Consumer == "" && len(left) == 1 && len(missing) <= 2 {
			f.Consumer = left[0].Name
			if left[0].Refresh > 0 {
				f.Fix = fmt.Sprintf("make %s take what is published every %s as the page says; %s", left[0].Name, plan.Text(left[0].Refresh), f.Fix)
			}
		}
		return judge.Fail, f.Message, []judge.Finding{f}
	case judge.HasError(notes):
		return judge.Fail, notes[0].Message, notes
	case e.namesNone():
		return judge.Inconclusive, fmt.Sprintf("nothing shows whether %s is taken again: what clients present names no credential, and what the harness shows is nothing like it", e.Old), notes
	case open:
		return judge.Inconclusive, "nobody could say whether authority and store agree: " + e.Agreement.Why, nil
	case r.AskedFor, e.stoppedByGate():
		return judge.Pass, "taken back and proven", notes
	}
	f.Message = fmt.Sprintf("the rotation was turned back in %s: %s", r.From, r.Why)
	f.Fix = "mend what the other findings name, then rehearse again"
	if e.decidedFor(history.TriggerError) {
		f.Fix = "mend what kept the step from being taken, then rehearse again"
		e.citeWhatKept(&f)
	}
	return judge.Fail, "turned back without being asked to; the way back is proven", []judge.Finding{f}
}

// notBack are the emitters that still use or publish the new credential at the end.
func (e *judging) notBack() (left []plan.Emitter) {
	for _, m := range e.Limits.Emitters {
		if e.View.Emitting[m.Name] == e.Fresh || slices.Contains(e.View.Published[m.Name], e.Fresh) {
			left = append(left, m)
		}
	}
	return left
}

// citeWhatKept adds to a finding of the rollback the faults at the store, or at one of its parties,
// when a step failed or while it went on.
func (e *judging) citeWhatKept(f *judge.Finding) {
	parties := []string{history.Store}
	for _, m := range e.Limits.Emitters {
		parties = append(parties, m.Name)
	}
	for _, v := range e.Limits.Validators {
		parties = append(parties, v.Name)
	}
	from := history.Milliseconds(f.FirstMS)
	faults := slices.DeleteFunc(e.Near(from-evidence.Nearly, e.End, parties...), func(r judge.FaultReport) bool { return r.Kind == cause.CausedByOther })
	if len(faults) == 0 {
		return
	}
	f.Message += e.Cite(faults)
	f.Fix = fmt.Sprintf("mend %s first (here the fault %s); then %s", faults[0].Target, faults[0].Kind, f.Fix)
	if len(faults) == 1 {
		f.Consumer = faults[0].Target
	}
}

// decidedFor reports whether a trigger decided on the rollback.
func (e *judging) decidedFor(trigger history.Trigger) bool {
	return slices.ContainsFunc(e.Decisions, func(d history.Event) bool {
		return d.Decision.Action == history.ActionRollBack && d.Decision.Trigger == trigger
	})
}

// stoppedByGate reports whether a gate turned the run back; the rule gates has that finding.
func (e *judging) stoppedByGate() bool {
	return slices.ContainsFunc(e.Decisions, func(d history.Event) bool {
		return d.Decision.Action == history.ActionRollBack && d.Decision.Trigger == history.TriggerGate
	})
}

// rollback is the rollback as the report tells it.
func (e *judging) rollback() judge.RollbackReport {
	var r judge.RollbackReport
	for _, d := range e.Decisions {
		if d.Decision.Action != history.ActionRollBack || r.Happened {
			continue
		}
		asked := d.Decision.Trigger == history.TriggerOperator || d.Decision.Trigger == history.TriggerAsked
		r = judge.RollbackReport{
			Happened: true, Why: d.Decision.Why, AskedFor: asked, From: string(d.Phase),
			DecidedMS: d.At.Milliseconds(), DoneMS: e.End.Milliseconds(), DecisionMS: (d.At - d.Decision.Since).Milliseconds(),
			FlatMS: e.flatAgain(d.At),
		}
	}
	if !r.Happened && e.Ended == history.EndedRolledBack {
		r = judge.RollbackReport{Happened: true, Why: "the history does not say why", DoneMS: e.End.Milliseconds()}
	}
	r.Left = e.left()
	if !r.Happened {
		return r
	}
	r.Proven = len(e.unproven()) == 0 && !e.namesNone()
	r.Agreement, r.Differences = judge.NotCompared, e.Agreement.Differences
	switch {
	case len(r.Differences) > 0:
		r.Agreement = judge.Disagree
	case e.Agreement.Compared:
		r.Agreement = judge.Agree
	}
	for _, v := range e.Limits.Validators {
		if a := e.View.Said(v.Name, e.Fresh, history.Withdrawn); a.Last.Outcome == history.OK || e.Limits.Compromised && a.Taken > 0 && a.InARow < v.InARow() {
			r.StillTaken = append(r.StillTaken, v.Name)
		}
	}
	return r
}

// flatAgain is how long after a decision the last refusal came, in milliseconds;
// -1: refusals went on to the end.
func (e *judging) flatAgain(decided history.Offset) int64 {
	last := decided
	for _, key := range e.JudgedCells() {
		if sum := e.View.Sum(key, decided, e.End+1); sum.AuthFailures > 0 {
			last = max(last, sum.LastFailure)
		}
	}
	if last > decided && last > e.End-evidence.Nearly {
		return -1
	}
	return (last - decided).Milliseconds()
}

// stillTaken records who takes the withdrawn credential at the end. A validator that had it may keep it
// until it forgets; where it was withdrawn because it had leaked, the rollback fails at each that takes
// it after its bound.
func (e *judging) stillTaken(r *judge.RollbackReport) []judge.Finding {
	var notes []judge.Finding
	withdrawn, _ := e.Done(keyring.Withdraw, e.Fresh)
	for _, name := range r.StillTaken {
		v, _ := e.Limits.Validator(name)
		until := "nothing makes it forget"
		if g3 := e.Limits.G3(v); g3 != runbook.Forever {
			until = fmt.Sprintf("it may until %s after that", plan.Text(g3))
		}
		f := judge.Finding{
			Level: judge.Note, Validator: name, Consumer: name, Credential: e.Fresh, CausedBy: string(keyring.Withdraw),
			FirstPhase: string(history.Rollback), FirstMS: withdrawn.Milliseconds(), LastMS: e.End.Milliseconds(), Count: 1,
			Message: fmt.Sprintf("%s%s still took %s %s after it was withdrawn; %s", name, e.OffPage(name), e.Fresh, e.Page(e.End-withdrawn), until),
			Fix:     fmt.Sprintf("restart %s where %s must not be taken any more", name, e.Fresh),
		}
		if g3 := e.Limits.G3(v); e.Limits.Compromised && (g3 == runbook.Forever || e.End-withdrawn >= history.Offset(e.Limits.Wall(g3)+v.Granule)) {
			f.Level, f.Cause = judge.Error, judge.CauseKeptRevoked
			allowed := "nothing makes it forget"
			if g3 != runbook.Forever {
				allowed = fmt.Sprintf("the page allows %s", plan.Text(g3))
			}
			f.Message = fmt.Sprintf("%s%s still took %s %s after it was withdrawn (%s); %s is compromised, and whoever has it still gets in", name, e.OffPage(name), e.Fresh, e.Page(e.End-withdrawn), allowed, e.Fresh)
			f.Fix = fmt.Sprintf("make %s refuse %s now (check what the step withdraw did there; reload or restart it), and rehearse that", name, e.Fresh)
		}
		notes = append(notes, f)
	}
	return notes
}

// unproven lists what is missing from the proof of a rollback.
func (e *judging) unproven() []string {
	var missing []string
	if e.Ended != history.EndedRolledBack {
		missing = append(missing, "it did not come to its end")
	}
	if _, done := e.Done(keyring.Withdraw, e.Fresh); !done && !e.publishedAhead() {
		missing = append(missing, e.Fresh+" was not withdrawn")
	}
	for _, m := range e.Limits.Emitters {
		if e.View.Emitting[m.Name] == e.Fresh {
			missing = append(missing, fmt.Sprintf("%s still uses %s", m.Name, e.Fresh))
		}
		if slices.Contains(e.View.Published[m.Name], e.Fresh) && !e.publishedAhead() {
			missing = append(missing, fmt.Sprintf("%s still publishes %s", m.Name, e.Fresh))
		}
	}
	for _, v := range e.Limits.Validators {
		_, at, _ := e.lastProbe(v.Name, history.Restored)
		lock, locked := authority.LockedAt(e.Evidence, v.Name, at)
		switch answer, a := e.Limits.Answered(e.View, v.Name, e.Old, history.Restored); {
		case answer == plan.Unasked:
			missing = append(missing, fmt.Sprintf("%s was not asked whether it takes %s", v.Name, e.Old))
		case answer == plan.Takes:
		case answer == plan.Refuses && a.Taken == 0 && e.namesNone(): // what was shown is nothing like what it takes
		case locked:
			missing = append(missing, fmt.Sprintf("%s does not take %s: %s, it has locked the account since %s", v.Name, e.Old, a.Last.Status, e.Moment(lock.At)))
		case answer == plan.Silent && a.Unanswered == 0:
			missing = append(missing, fmt.Sprintf("%s does not take %s: %s", v.Name, e.Old, a.Unshown))
		case a.Taken > 0:
			missing = append(missing, fmt.Sprintf("%s does not take %s in %d of %d answers", v.Name, e.Old, a.Refused, a.Asked()))
		default:
			missing = append(missing, fmt.Sprintf("%s does not take %s: %s", v.Name, e.Old, a.Last.Status))
		}
	}
	for _, difference := range e.Agreement.Differences {
		missing = append(missing, "authority and store do not agree: "+difference)
	}
	for _, key := range e.JudgedCells() {
		if sum := e.View.Sum(key, e.End-evidence.Nearly, e.End+1); sum.AuthFailures > 0 {
			missing = append(missing, fmt.Sprintf("%s was refused %s by %s in its last second", key.Presenter, plan.Counted(sum.AuthFailures, "time"), key.Validator))
		}
	}
	return missing
}

// publishedAhead reports whether the new credential was published before the run, was never emitted,
// and cannot be withdrawn: everything is as it was, and there is nothing to take back.
func (e *judging) publishedAhead() bool {
	_, tried := e.View.Tried[string(keyring.Emit)][e.Fresh]
	_, cannot := e.Limits.Cannot[string(keyring.Withdraw)]
	return cannot && !tried
}

// lastProbe is the last probe of a purpose at a validator.
func (e *judging) lastProbe(validator string, purpose history.Purpose) (probe history.Probe, at history.Offset, asked bool) {
	for _, event := range slices.Backward(e.About(validator)) {
		if event.Kind == history.KindProbe && event.Probe.Purpose == purpose {
			return *event.Probe, event.At, true
		}
	}
	return history.Probe{}, 0, false
}
