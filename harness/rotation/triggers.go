package rotation

import (
	"errors"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// halt ends the way forward; it is an error so that it passes through every wait.
type halt struct{ decision history.Decision }

// Error says what ended the way forward, and why.
func (h *halt) Error() string { return string(h.decision.Trigger) + ": " + h.decision.Why }

// errAborted says that the operator wants to end the run here.
var errAborted = errors.New("aborted by the operator")

// obey turns an operator's command into what the way forward does about it.
func (r *rotation) obey(command world.Command) error {
	switch command {
	case world.RollBack:
		r.record(history.Event{Kind: history.KindOperator, Phase: r.phase, Detail: "asked to roll back"})
		return r.decide(history.TriggerOperator, "the operator asked for it", r.world.History.Offset())
	case world.Abort:
		r.record(history.Event{Kind: history.KindOperator, Phase: r.phase, Detail: "aborted"})
		return errAborted
	}
	return nil
}

// decide records the decision to go back, or to stop where nothing was changed.
func (r *rotation) decide(trigger history.Trigger, why string, since history.Offset) error {
	d := history.Decision{Action: history.ActionRollBack, Trigger: trigger, Why: why, Since: since}
	switch {
	case trigger != history.TriggerError && r.unheld():
		return r.unturned(d)
	case r.stranded():
		d.Action, d.Why = history.ActionStop, why+"; attach.rotator has no way back, and the rotation is left as it is"
	case !r.made:
		d.Action = history.ActionStop
	}
	r.record(history.Event{Kind: history.KindDecision, Phase: r.phase, Decision: &d})
	return &halt{d}
}

// tooLate refuses an operator who asks for the way back when the old credential
// is destroyed.
func (r *rotation) tooLate() {
	select {
	case command := <-r.world.Operator.Interrupt():
		if command == world.RollBack {
			r.record(history.Event{Kind: history.KindOperator, Phase: r.phase, Detail: "asked to roll back: refused, since " + Old +
				" was destroyed and there is nothing to go back to; only another rotation helps"})
		}
	default:
	}
}

// enforced reports whether gates stop the run.
func (r *rotation) enforced() bool { return r.plan.Gates == scenario.Enforce }
