// Package tui shows a run on a terminal while it goes on, and takes what a
// person decides: it is a listener of the history and the operator of the
// rotation. Nothing measured waits for it: events are folded into a board as
// they come, and the screen is drawn from there as often as the terminal takes it.
//
//	history ──► board ──► screen ──► terminal
//	rotation ◄── operator ◄── keys ◄────────┘
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// leaveWithin is how long a terminal gets for the last that is written to it.
// One that takes nothing any more is given back as it was, and left.
const leaveWithin = 2 * time.Second

// mostFrames is how often a second the terminal is written to, at most: the
// services that are measured need the processor more.
const mostFrames = 15

// errStuck says that a terminal takes nothing any more.
var errStuck = errors.New("the terminal takes nothing any more")

// Options say what is shown, and where.
type Options struct {
	board.Run
	// In and Out are the terminal.
	In, Out *os.File
	// Console is how the run is told in lines: among the events on the screen,
	// and on the terminal once the screen was left.
	Console console.Options
	// Hold makes the run stop before each phase until a person goes on.
	Hold bool
	// Confirm is the phase before which it stops in any case: the revoke at a system
	// that the run did not make.
	Confirm history.Phase
	// Interrupt is called for Ctrl-C, when the terminal is whole again.
	Interrupt func()
	// Now is the clock by which events come; nil: time.Now.
	Now func() time.Time
	// Replay says that the run is over, and only shown again: nothing of it can be changed.
	Replay bool
}

// UI is the screen of one run. Make one with New, Start it, and Close it
// whatever happens.
type UI struct {
	*operator
	o       Options
	board   *board.Board
	story   *console.Console // the events on the screen
	after   *console.Console // what is told when the screen was left
	gate    *gate            // in front of the terminal
	model   *model
	program *tea.Program
	before  *term.State // of the terminal

	interrupted atomic.Bool // by Ctrl-C
	told        atomic.Bool // all is, that is to be
	ending      atomic.Bool // the run is
	broken      atomic.Pointer[error]
	giveBack    sync.Once
	left        chan struct{} // closed when the terminal is whole again
	stop        func() bool   // the watch on the context
}

var (
	_ history.Listener = (*UI)(nil)
	_ world.Operator   = (*UI)(nil)
	_ world.Equipped   = (*UI)(nil)
)

// New is the screen of a run.
func New(o Options) *UI {
	if o.Interrupt == nil {
		o.Interrupt = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	u := &UI{
		operator: newOperator(o.Hold, o.Confirm, time.Now), o: o, board: board.New(o.Run, o.Now),
		gate: &gate{to: o.Out}, left: make(chan struct{}), stop: func() bool { return true },
	}
	told := &lines{}
	u.story = console.New(told, o.Limits, console.Options{Verbose: o.Console.Verbose, Baseline: o.Baseline, NoProgress: true})
	u.after = console.New(u.gate, o.Limits, o.Console)
	u.model = &model{
		board: u.board, operator: u.operator, story: told, now: time.Now, help: newHelp(), replay: o.Replay,
		interrupt: func() { u.interrupted.Store(true) },
	}
	u.draw(u.model)
	return u
}

// draw makes the program that draws a model on the terminal. Signals are the
// caller's.
func (u *UI) draw(m tea.Model) {
	u.program = tea.NewProgram(guard{m, u.broke}, tea.WithInput(u.o.In), tea.WithOutput(u.o.Out), tea.WithoutSignalHandler(), tea.WithFPS(mostFrames))
}

// broke ends the screen, which has a defect; the first one is told.
func (u *UI) broke(err error) {
	if u.broken.CompareAndSwap(nil, &err) {
		go u.program.Quit() // it ends with the program
	}
}

// Start takes the terminal. It is given back when the screen is left by a key,
// when ctx ends, and by Close.
func (u *UI) Start(ctx context.Context) error {
	var err error
	if u.before, err = term.GetState(int(u.o.In.Fd())); err != nil {
		return fmt.Errorf("take the terminal: %w", err)
	}
	go func() { // leave waits for it, as long as a terminal can be waited for
		_, err := u.program.Run()
		u.whole(err)
	}()
	u.stop = context.AfterFunc(ctx, func() {
		u.ending.Store(true)
		u.leave()
	})
	return nil
}

// Event folds an event into what is shown.
func (u *UI) Event(e history.Event) {
	u.board.Event(e)
	u.story.Event(e)
	u.after.Event(e)
}

// Dropped says that events are missing from what is shown; the history has them.
func (u *UI) Dropped(n int64) {
	u.board.Dropped(n)
	u.story.Dropped(n)
	u.after.Dropped(n)
}

// Say is what goes on before the first event and after the last, in a sentence.
func (u *UI) Say(text string) {
	u.board.Say(text)
	u.gate.say(text)
}

// Conclude shows what the run came to, and returns when the screen was left.
func (u *UI) Conclude(v judge.Verdict) {
	u.told.Store(true)
	u.board.Conclude(v)
	<-u.left
}

// Left is closed when the screen was left.
func (u *UI) Left() <-chan struct{} { return u.left }

// Writer is where to print from now on: the terminal, unless it is stuck.
func (u *UI) Writer() io.Writer { return u.gate }

// Close gives the terminal back, where that was not done, and ends what is told
// on it. It returns the first error of writing there.
func (u *UI) Close() error {
	u.told.Store(true)
	u.stop()
	if u.before != nil {
		u.leave()
	}
	return u.after.Close()
}

// leave ends the screen and returns when the terminal is whole.
func (u *UI) leave() {
	go u.program.Quit() // it ends with the program
	patience := time.NewTimer(leaveWithin)
	defer patience.Stop()
	select {
	case <-u.left:
	case <-patience.C:
		// What is being written cannot be called off: the program ends when the
		// terminal takes it or is gone, and nothing waits for that.
		u.whole(errStuck)
	}
}

// whole gives the terminal back as it was, once, and goes on without a screen.
func (u *UI) whole(err error) {
	u.giveBack.Do(func() {
		// The program has done so itself, unless it could not any more.
		restoring := term.Restore(int(u.o.In.Fd()), u.before)
		if !u.interrupted.Load() { // what is on hold ends with the run's context then
			u.operator.leave()
		}
		u.gate.opened.Store(!errors.Is(err, errStuck))
		if broken := u.broken.Load(); broken != nil {
			err = errors.Join(err, *broken)
		}
		switch err = errors.Join(err, restoring); {
		case err != nil:
			u.gate.say("the screen failed, and the run goes on without it")
			_, _ = fmt.Fprintln(u.gate, plaintext.Lines(err.Error())) // with the stack of a panic, in lines
		case u.interrupted.Load() || u.ending.Load():
			u.gate.say("ending: faults are undone and everything is cleaned up; Ctrl-C ends it at once")
		case u.o.Replay:
		case !u.told.Load():
			u.gate.say("the screen was left: the run goes on, told in lines")
		}
		close(u.left)
		if u.interrupted.Load() {
			u.o.Interrupt()
		}
	})
}

// gate lets nothing through to the terminal while the screen is on it.
type gate struct {
	to     io.Writer
	opened atomic.Bool
}

// Write writes through an open gate; what comes before is gone.
func (g *gate) Write(p []byte) (int, error) {
	if !g.opened.Load() {
		return len(p), nil
	}
	return g.to.Write(p)
}

// say prints a line. One that cannot be printed is missed by nobody: the
// console meets the same error, and tells of it.
func (g *gate) say(text string) { _, _ = fmt.Fprintln(g, plaintext.Line(text)) }
