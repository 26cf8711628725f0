package harness

import (
	"context"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/leak"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// controls are what an operator can do to a run whose services are up.
type controls struct {
	ctx    context.Context // of the rotation
	run    *run
	faults *fault.Schedule
}

var _ world.Controls = controls{}

// equip hands the controls to an operator who uses them.
func (r *run) equip(ctx context.Context, faults *fault.Schedule) {
	if operator, ok := r.o.Operator.(world.Equipped); ok {
		operator.Equip(controls{ctx, r, faults})
	}
}

// Note records what the operator did.
func (c controls) Note(did string) {
	e := history.Event{At: c.run.evidence.Offset(), Kind: history.KindOperator, Detail: did}
	c.run.evidence.See(func(v *history.View) { e.Phase = v.Phase })
	c.run.evidence.Record(e)
}

// Faults are those that can be injected now.
func (c controls) Faults() []world.Injectable { return c.faults.Injectable() }

// Inject injects one of them.
func (c controls) Inject(kind, target string) error {
	if err := c.faults.Inject(c.ctx, kind, target); err != nil {
		return err
	}
	c.Note(fmt.Sprintf("injected %s on %s", kind, target))
	return nil
}

// UndoFault takes back one that is under way.
func (c controls) UndoFault(kind, target string) error {
	if err := c.faults.CallOff(kind, target); err != nil {
		return err
	}
	c.Note(fmt.Sprintf("undid %s on %s", kind, target))
	return nil
}

// Log is the end of a service's log, with every secret of the run blacked out.
func (c controls) Log(service string, n int) []string { return c.run.tail(service, n) }

// tail is at most the last n lines of a service's log, with every secret of the run blacked out.
func (r *run) tail(service string, n int) []string {
	lines := r.logs.Tail(service, n)
	secrets := r.secrets
	if r.bound != nil { // the secret was made
		secrets = slices.Concat(secrets, r.bound.Secrets())
	}
	scanner := leak.New(secrets)
	for i, line := range lines {
		lines[i] = scanner.Mask(line)
	}
	return lines
}
