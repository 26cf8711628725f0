package judge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// rollback holds when a way back that was taken is proven: the old credential
// emitted and accepted everywhere, the new one withdrawn, failures flat again.
// A rollback that nobody asked for is never a pass, however well it went.
func rollback(e *evidence) (Outcome, string, []Finding) {
	r := e.rollback()
	if !r.Happened && len(r.Left) > 0 {
		f := Finding{
			Level: Warning, Credential: e.fresh, CausedBy: e.lastStep(e.end), FirstPhase: e.phaseAt(e.end), FirstMS: e.end.Milliseconds(),
			LastMS: e.end.Milliseconds(), Count: int64(len(r.Left)),
			Message: fmt.Sprintf("the rotation was %s and left as it was, since the run cannot know when it may be taken back", e.ended),
			Fix:     "take it back by hand, in this order: " + tellLeft(r.Left),
		}
		return Inconclusive, f.Message, []Finding{f}
	}
	if !r.Happened {
		return Skipped, "none was needed", nil
	}
	missing, open := e.unproven(), r.Agreement == NotCompared
	f := Finding{
		Level: Error, Credential: e.fresh, CausedBy: r.From, FirstPhase: string(history.Rollback),
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
		if e.decidedFor(history.TriggerAnother) || len(e.others) > 0 {
			f.Cause = CauseOtherRotation
			f.Fix = "find out who else rotates the secret and let that end first; then " + f.Fix
		}
		return Fail, f.Message, []Finding{f}
	case open:
		return Inconclusive, "nobody could say whether authority and store agree: " + e.agreement.Why, nil
	case r.AskedFor, e.stoppedByGate():
		return Pass, "taken back and proven", e.stillTaken(&r)
	}
	f.Message = fmt.Sprintf("the rotation was turned back in %s: %s", r.From, r.Why)
	f.Fix = "mend what the other findings name, then rehearse again"
	if e.decidedFor(history.TriggerError) {
		f.Fix = "mend what kept the step from being taken, then rehearse again"
	}
	return Fail, "turned back without being asked to; the way back is proven", []Finding{f}
}

// decidedFor reports whether something called for the way back.
func (e *evidence) decidedFor(trigger history.Trigger) bool {
	return slices.ContainsFunc(e.decisions, func(d history.Event) bool {
		return d.Decision.Action == history.ActionRollBack && d.Decision.Trigger == trigger
	})
}

// stoppedByGate reports whether a gate turned the run back, which is a finding
// of its own rule.
func (e *evidence) stoppedByGate() bool {
	return slices.ContainsFunc(e.decisions, func(d history.Event) bool {
		return d.Decision.Action == history.ActionRollBack && d.Decision.Trigger == history.TriggerGate
	})
}

// rollback is the way back as it is told in the report.
func (e *evidence) rollback() RollbackReport {
	var r RollbackReport
	for _, d := range e.decisions {
		if d.Decision.Action != history.ActionRollBack || r.Happened {
			continue
		}
		asked := d.Decision.Trigger == history.TriggerOperator || d.Decision.Trigger == history.TriggerAsked
		r = RollbackReport{
			Happened: true, Why: d.Decision.Why, AskedFor: asked, From: string(d.Phase),
			DecidedMS: d.At.Milliseconds(), DoneMS: e.end.Milliseconds(), DecisionMS: (d.At - d.Decision.Since).Milliseconds(),
			FlatMS: e.flatAgain(d.At),
		}
	}
	if !r.Happened && e.ended == history.EndedRolledBack {
		r = RollbackReport{Happened: true, Why: "the history does not say why", DoneMS: e.end.Milliseconds()}
	}
	r.Left = e.left()
	if !r.Happened {
		return r
	}
	r.Proven = len(e.unproven()) == 0
	r.Agreement, r.Differences = NotCompared, e.agreement.Differences
	switch {
	case len(r.Differences) > 0:
		r.Agreement = Disagree
	case e.agreement.Compared:
		r.Agreement = Agree
	}
	for _, v := range e.limits.Validators {
		if probe, _, asked := e.lastProbe(v.Name, history.Withdrawn); asked && probe.Outcome == history.OK {
			r.StillTaken = append(r.StillTaken, v.Name)
		}
	}
	return r
}

// flatAgain is how long after a decision the last refusal came, in milliseconds;
// -1: refusals went on to the end.
func (e *evidence) flatAgain(decided history.Offset) int64 {
	last := decided
	for _, key := range e.hop() {
		if sum := e.view.Sum(key, decided, e.end+1); sum.AuthFailures > 0 {
			last = max(last, sum.LastFailure)
		}
	}
	if last > decided && last > e.end-history.Offset(nearly) {
		return -1
	}
	return (last - decided).Milliseconds()
}

// stillTaken notes who takes the withdrawn credential at the end. Whoever had it
// before may keep it until it forgets; where it was withdrawn because it had got
// into wrong hands, that is to be known.
func (e *evidence) stillTaken(r *RollbackReport) []Finding {
	var notes []Finding
	withdrawn, _ := e.done(string(keyring.Withdraw), e.fresh)
	for _, name := range r.StillTaken {
		v, _ := e.limits.Validator(name)
		until := "nothing makes it forget"
		if g3 := e.limits.G3(v); g3 != runbook.Forever {
			until = fmt.Sprintf("it may until %s after that", plan.Text(g3))
		}
		notes = append(notes, Finding{
			Level: Note, Validator: name, Consumer: name, Credential: e.fresh, CausedBy: string(keyring.Withdraw),
			FirstPhase: string(history.Rollback), FirstMS: withdrawn.Milliseconds(), LastMS: e.end.Milliseconds(), Count: 1,
			Message: fmt.Sprintf("%s%s still took %s %s after it was withdrawn; %s", name, e.offPage(name), e.fresh, e.page(e.end-withdrawn), until),
			Fix:     fmt.Sprintf("restart %s where %s must not be taken any more", name, e.fresh),
		})
	}
	return notes
}

// unproven lists what is missing from the proof of a rollback.
func (e *evidence) unproven() []string {
	var missing []string
	if e.ended != history.EndedRolledBack {
		missing = append(missing, "it did not come to its end")
	}
	if _, done := e.done(string(keyring.Withdraw), e.fresh); !done && !e.publishedAhead() {
		missing = append(missing, e.fresh+" was not withdrawn")
	}
	for _, m := range e.limits.Emitters {
		if e.view.Emitting[m.Name] == e.fresh {
			missing = append(missing, fmt.Sprintf("%s still uses %s", m.Name, e.fresh))
		}
		if slices.Contains(e.view.Published[m.Name], e.fresh) && !e.publishedAhead() {
			missing = append(missing, fmt.Sprintf("%s still publishes %s", m.Name, e.fresh))
		}
	}
	for _, v := range e.limits.Validators {
		_, at, _ := e.lastProbe(v.Name, history.Restored)
		lock, locked := e.lockedAt(v.Name, at)
		switch answer, a := e.limits.Answered(e.view, v.Name, e.old, history.Restored); {
		case answer == plan.Unasked:
			missing = append(missing, fmt.Sprintf("%s was not asked whether it takes %s", v.Name, e.old))
		case answer == plan.Takes:
		case locked:
			missing = append(missing, fmt.Sprintf("%s does not take %s: %s, it has locked the account since %s", v.Name, e.old, a.Last.Status, lock.At))
		case answer == plan.Silent && a.Unanswered == 0:
			missing = append(missing, fmt.Sprintf("%s does not take %s: %s", v.Name, e.old, a.Unshown))
		case a.Taken > 0:
			missing = append(missing, fmt.Sprintf("%s does not take %s in %d of %d answers", v.Name, e.old, a.Refused, a.Asked()))
		default:
			missing = append(missing, fmt.Sprintf("%s does not take %s: %s", v.Name, e.old, a.Last.Status))
		}
	}
	for _, difference := range e.agreement.Differences {
		missing = append(missing, "authority and store do not agree: "+difference)
	}
	for _, key := range e.hop() {
		if sum := e.view.Sum(key, e.end-history.Offset(nearly), e.end+1); sum.AuthFailures > 0 {
			missing = append(missing, fmt.Sprintf("%s was refused %s by %s in its last second", key.Presenter, plan.Counted(sum.AuthFailures, "time"), key.Validator))
		}
	}
	return missing
}

// publishedAhead reports whether the new credential had been published before the
// run began, never became the one to emit, and cannot be withdrawn: it is what it
// was, and there is nothing to take back.
func (e *evidence) publishedAhead() bool {
	_, tried := e.view.Tried[string(keyring.Emit)][e.fresh]
	_, cannot := e.limits.Cannot[string(keyring.Withdraw)]
	return cannot && !tried
}

// lastProbe is the last probe of a purpose at a validator.
func (e *evidence) lastProbe(validator string, purpose history.Purpose) (probe history.Probe, at history.Offset, asked bool) {
	for _, event := range slices.Backward(e.events) {
		if event.Kind == history.KindProbe && event.Service == validator && event.Probe.Purpose == purpose {
			return *event.Probe, event.At, true
		}
	}
	return history.Probe{}, 0, false
}
