package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// asking is an operator at a terminal, who is asked before each phase and may
// roll back or abort in the middle of one.
type asking struct {
	to       io.Writer
	hold     bool // asks before each phase, and not only before the revoke
	commands chan world.Command
}

var _ world.Operator = (*asking)(nil)

// atTerminal is an operator at the command's terminal; an error of usage where
// there is none.
func atTerminal(command *cobra.Command, hold bool) (*asking, error) {
	file, ok := command.InOrStdin().(*os.File)
	switch terminal := ok && term.IsTerminal(int(file.Fd())); {
	case !terminal && hold:
		return nil, usage(fmt.Errorf("--hold asks on a terminal, and standard input is none"))
	case !terminal:
		return nil, usage(fmt.Errorf("the revoke at a system that runs already asks a person, and standard input is no terminal: say --yes to approve it now"))
	}
	return newAsking(file, command.ErrOrStderr(), hold), nil
}

// confirms reports whether a person must approve the revoke: at a system that
// the run did not make, unless that was said to be needless.
func (f *runFlags) confirms(p *plan.Plan) bool { return p.Rehearsal.Attach != nil && !f.yes }

func newAsking(from io.Reader, to io.Writer, hold bool) *asking {
	a := &asking{to: to, hold: hold, commands: make(chan world.Command)}
	// A read of a terminal cannot be called off: this goroutine ends with the
	// process, or with its input.
	go a.listen(from)
	return a
}

// answers are what may be typed.
var answers = map[string]world.Command{
	"": world.Approved, "y": world.Approved, "yes": world.Approved,
	"r": world.RollBack, "rollback": world.RollBack,
	"a": world.Abort, "abort": world.Abort,
}

func (a *asking) listen(from io.Reader) {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		command, known := answers[strings.ToLower(strings.TrimSpace(lines.Text()))]
		if !known {
			fmt.Fprintln(a.to, "y goes on, r rolls back, a aborts")
			continue
		}
		a.commands <- command
	}
}

// Approve asks, and waits for the answer or the end of ctx.
func (a *asking) Approve(ctx context.Context, next history.Phase) (world.Command, error) {
	if !a.hold && next != history.Revoke {
		return world.GoOn, ctx.Err()
	}
	fmt.Fprintf(a.to, "begin %s? [Y]es, [r]oll back, [a]bort\n", next)
	select {
	case command := <-a.commands:
		return command, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Interrupt delivers what is typed in the middle of a phase.
func (a *asking) Interrupt() <-chan world.Command { return a.commands }
