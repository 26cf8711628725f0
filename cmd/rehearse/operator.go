package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// terminalOperator is an operator at a terminal, who is asked before each phase and may
// roll back or abort in the middle of one.
type terminalOperator struct {
	to       io.Writer
	hold     bool          // asks before each phase, and not only before one
	confirm  history.Phase // that one
	commands chan world.Command
	// confirming says that an empty line does not answer the question.
	confirming atomic.Bool
}

var (
	_ world.Operator  = (*terminalOperator)(nil)
	_ world.Confirmer = (*terminalOperator)(nil)
)

// atTerminal is an operator at the command's terminal; without one it is an error of usage.
func atTerminal(command *cobra.Command, hold bool) (*terminalOperator, error) {
	file, ok := command.InOrStdin().(*os.File)
	switch terminal := ok && term.IsTerminal(int(file.Fd())); {
	case !terminal && hold:
		return nil, usage(fmt.Errorf("--hold asks on a terminal, and standard input is none"))
	case !terminal:
		return nil, usage(fmt.Errorf("the revoke at a system that runs already asks a person, and standard input is no terminal: say --yes to approve it now"))
	}
	return newAsking(file, command.ErrOrStderr(), hold), nil
}

// confirms is the phase that a person must approve in a system that the run did not make: the revoke
// or, where a rotator goes on by itself, its start; "" where there is none, or a flag waived it.
func (f *runFlags) confirms(p *plan.Plan) history.Phase {
	switch a := p.Rehearsal.Attach; {
	case a == nil || f.yes:
		return ""
	case a.Rotates(string(keyring.Revoke)):
		return history.Accept
	}
	return history.Revoke
}

func newAsking(from io.Reader, to io.Writer, hold bool) *terminalOperator {
	a := &terminalOperator{to: to, hold: hold, confirm: history.Revoke, commands: make(chan world.Command)}
	// A read of a terminal cannot be cancelled: this goroutine ends with the process or its input.
	go a.listen(from)
	return a
}

// answers are what may be typed.
var answers = map[string]world.Command{
	"": world.Approved, "y": world.Approved, "yes": world.Approved,
	"n": world.Wait, "no": world.Wait,
	"r": world.RollBack, "rollback": world.RollBack,
	"a": world.Abort, "abort": world.Abort,
}

func (a *terminalOperator) listen(from io.Reader) {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		command, known := answers[strings.ToLower(strings.TrimSpace(lines.Text()))]
		if !known {
			fmt.Fprintln(a.to, "y goes on, n waits, r rolls back, a aborts")
			continue
		}
		if command == world.Approved && strings.TrimSpace(lines.Text()) == "" && a.confirming.Load() {
			command = world.Wait
		}
		a.commands <- command
	}
}

// Approve asks, and waits for the answer or the end of ctx.
func (a *terminalOperator) Approve(ctx context.Context, next history.Phase) (world.Command, error) {
	if !a.hold && next != a.confirm {
		return world.GoOn, ctx.Err()
	}
	for {
		what := "begin " + string(next)
		if next == a.confirm && next != history.Revoke {
			what = "start the rotator, which goes on by itself from then on, the revoke included"
		}
		fmt.Fprintf(a.to, "%s? [Y]es, [r]oll back, [a]bort\n", what)
		if command, err := a.answer(ctx); err != nil || command != world.Wait {
			return command, err
		}
	}
}

// Confirm asks once more and says why the gate does not hold. An empty line counts as no.
func (a *terminalOperator) Confirm(ctx context.Context, next history.Phase, says string) (world.Command, error) {
	a.confirming.Store(true)
	defer a.confirming.Store(false)
	select {
	case early := <-a.commands: // typed before the question: no answer to it
		if early == world.RollBack || early == world.Abort {
			return early, nil
		}
	default:
	}
	fmt.Fprintf(a.to, "%s [y]es, [N]o, [r]oll back, [a]bort\n", plaintext.Line(console.Anyway(next, says)))
	return a.answer(ctx)
}

// answer waits for what is typed.
func (a *terminalOperator) answer(ctx context.Context) (world.Command, error) {
	select {
	case command := <-a.commands:
		return command, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Interrupt delivers what is typed in the middle of a phase.
func (a *terminalOperator) Interrupt() <-chan world.Command { return a.commands }
