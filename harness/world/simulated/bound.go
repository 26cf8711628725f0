package simulated

import (
	"context"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// recording is the world.History of the simulated world.
type recording struct{ *World }

var (
	_ world.History = recording{}
	_ world.CatchUp = recording{}
)

// Record appends an event with the present offset. The beginning of a phase starts the timers that the
// options tie to it.
func (w recording) Record(e history.Event) {
	w.record(e)
	if e.Kind == history.KindPhase {
		w.begin(w.waiting, e.Phase)
	}
}

// See calls f with the live view.
func (w recording) See(f func(*history.View)) { w.recorder.See(f) }

// CatchUp brings the counts up to the present.
func (w recording) CatchUp() { w.catchUp() }

// Offset is the present offset.
func (w recording) Offset() history.Offset { return w.now() }

// operator approves everything unless the options say otherwise.
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
	if answer, ok := w.options.Answers[next]; ok {
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
