package simulated

import (
	"context"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// evidence is the world's recorder.
type evidence struct{ *World }

var _ world.Evidence = evidence{}

// Record appends an event with the present offset. A phase that begins starts
// what the options time from it.
func (w evidence) Record(e history.Event) {
	w.record(e)
	if e.Kind == history.KindPhase {
		w.begin(w.waiting, e.Phase)
	}
}

// See calls f with the live view.
func (w evidence) See(f func(*history.View)) { w.recorder.See(f) }

// Offset is the present offset.
func (w evidence) Offset() history.Offset { return w.now() }

// operator approves everything but what the options say otherwise.
type operator struct{ *World }

var (
	_ world.Operator  = operator{}
	_ world.Confirmer = operator{}
)

// Approve answers at once, or after the hold of the options.
func (w operator) Approve(ctx context.Context, next history.Phase) (world.Command, error) {
	if err := w.clock.Sleep(ctx, w.options.Holds[next]); err != nil {
		return "", err
	}
	if answer, there := w.options.Answers[next]; there {
		return answer, nil
	}
	if w.options.Holds[next] > 0 {
		return world.Approved, nil
	}
	return world.GoOn, nil
}

// Confirm answers at once as the options say.
func (w operator) Confirm(ctx context.Context, _ history.Phase, _ string) (command world.Command, err error) {
	command = world.Approved
	if len(w.confirms) > 0 {
		command, w.confirms = w.confirms[0], w.confirms[1:]
	}
	return command, ctx.Err()
}

// Interrupt delivers the commands of the options when they are due.
func (w operator) Interrupt() <-chan world.Command { return w.commands }

// faults are the stretches in which services are down.
type faults struct{ *World }

var _ world.Faults = faults{}

// Begin times the faults of a phase.
func (w faults) Begin(_ context.Context, phase history.Phase) {
	w.begin(w.faults, phase)
}

// Undo brings everything up that is still down, and keeps what has not begun
// from beginning.
func (w faults) Undo(context.Context) error {
	w.undone = true
	for _, name := range w.order {
		w.bringUp(name)
	}
	return nil
}

func (w *World) takeDown(name string, span Span) {
	if w.undone {
		return
	}
	w.down[name] = true
	w.fault(name, history.FaultInjected, false)
	w.fault(name, history.FaultEvidence, true)
	if span.For > 0 {
		w.clock.at(w.now()+history.Offset(span.For), func() { w.bringUp(name) })
	}
}

func (w *World) bringUp(name string) {
	if w.down[name] {
		w.down[name] = false
		w.fault(name, history.FaultUndone, false)
	}
}

func (w *World) fault(name, stage string, took bool) {
	w.record(history.Event{Kind: history.KindFault, Fault: &history.Fault{Kind: "down", Target: name, Stage: stage, Took: took}})
}
