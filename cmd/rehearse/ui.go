package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui"
	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// How a run is told.
const (
	uiAuto  = "auto" // a screen on a person's terminal, else lines
	uiTUI   = "tui"
	uiPlain = "plain"
	uiJSON  = "json"
)

// terminal is the terminal on both sides of a command, or the reason why there is none.
func terminal(in io.Reader, out io.Writer, getenv func(string) string) (from, to *os.File, err error) {
	for _, side := range []struct {
		name string
		end  any
		file **os.File
	}{{"standard input", in, &from}, {"standard output", out, &to}} {
		file, ok := side.end.(*os.File)
		if !ok || !term.IsTerminal(int(file.Fd())) {
			return nil, nil, fmt.Errorf("%s is none", side.name)
		}
		*side.file = file
	}
	if getenv("TERM") == "dumb" {
		return nil, nil, errors.New("this one (TERM=dumb) cannot be drawn on")
	}
	return from, to, nil
}

// runListener shows a run while it goes on. Close ends what it shows.
type runListener interface {
	history.Listener
	io.Closer
}

// runDisplay is a run's listener with what it writes to.
type runDisplay struct {
	runListener
	screen *tui.UI       // nil: it is told in lines
	replay *replay       // of what is over when the screen shows it; nil: it is shown as it goes on
	stream *console.JSON // nil: it is not told as JSON
	out    io.Writer     // for what comes after the run
	look   console.Options
}

// tell chooses how a run is shown, and sets its operator and listener. end ends the run in order.
func (f *runFlags) tell(command *cobra.Command, p *plan.Plan, o *harness.Options, end func()) (*runDisplay, error) {
	out := command.OutOrStdout()
	t := &runDisplay{out: out, look: lookOf(out)}
	t.look.Verbose, t.look.Baseline = f.verbose, p.Rehearsal.Baseline.Duration()
	o.Progress = func(text string) { command.PrintErrln(plaintext.Line(text)) }
	// A screen stays until somebody leaves it, which nobody would in CI, terminal or not. All CI
	// systems set CI.
	if simulates := o.Simulates(p); f.ui == uiTUI || f.ui == uiAuto && os.Getenv("CI") == "" && !simulates {
		in, to, err := terminal(command.InOrStdin(), out, os.Getenv)
		switch {
		case err == nil:
			look := tui.Options{
				Run: board.Run{Name: p.Name, Limits: p.Limits, Baseline: p.Rehearsal.Baseline.Duration(), OnPage: onPage(p)},
				In:  in, Out: to, Console: t.look, Hold: f.hold, Confirm: f.confirms(p), Interrupt: func() { raiseInterrupt(end) },
			}
			if simulates {
				t.replay = newReplay()
				look.Now, look.Replay = t.replay.now, true
			}
			t.screen = tui.New(look)
			t.runListener, t.out = t.screen, t.screen.Writer()
			if simulates { // it is over before a screen is drawn
				return t, nil
			}
			o.Operator, o.Progress = t.screen, t.screen.Say
			o.Listeners = []history.Listener{t.screen}
			return t, nil
		case f.ui == uiTUI:
			return nil, usage(fmt.Errorf("--ui tui draws on a terminal, and %w: use --ui plain or json", err))
		}
	}
	if f.hold || f.confirms(p) != "" && !o.Simulates(p) {
		operator, err := atTerminal(command, f.hold)
		if err != nil {
			return nil, err
		}
		operator.confirm = f.confirms(p)
		o.Operator = operator
		t.look.Terminal = false // a redrawn line would overwrite the question
	}
	t.runListener = console.New(out, p.Limits, t.look)
	if f.ui == uiJSON {
		t.stream = console.NewJSON(out)
		t.runListener = t.stream
	}
	o.Listeners = []history.Listener{t.runListener}
	return t, nil
}

// onPage are the names of the consumers of a plan's page.
func onPage(p *plan.Plan) (names []string) {
	for _, c := range p.Runbook.Consumers {
		names = append(names, c.Name)
	}
	return names
}

// start begins to show a run.
func (t *runDisplay) start(ctx context.Context) error {
	if t.screen == nil || t.replay != nil {
		return nil
	}
	return t.screen.Start(ctx)
}

// showAgain shows a run that is over before a screen is drawn.
func (t *runDisplay) showAgain(ctx context.Context, outcome *harness.Result) error {
	if t.replay == nil || outcome == nil {
		return nil
	}
	if err := t.screen.Start(ctx); err != nil {
		return err
	}
	t.replay.play(ctx, outcome.History, t.screen, t.screen.Left())
	return nil
}

// end ends the display. A screen stays with the verdict until somebody leaves it, unless the run was
// interrupted or nobody is to be asked.
func (t *runDisplay) end(outcome *harness.Result, stay bool) error {
	if t.screen != nil && stay && outcome != nil && outcome.Ended != history.EndedInterrupted {
		t.screen.Conclude(outcome.Verdict)
	}
	if t.stream != nil && outcome != nil {
		t.stream.Conclude(resultOf(outcome))
	}
	return t.Close()
}

// raiseInterrupt sends the process the signal of Ctrl-C, which is an ordinary key on a screen: the next
// one then ends the process at once. Where a process cannot signal itself, it calls end.
func raiseInterrupt(end func()) {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(os.Interrupt)
	}
	if err != nil {
		end()
	}
}
