// Package program runs a command of a team's own, and ends it with all that it has started.
package program

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// pipeDelay is how long a leftover child may hold a program's output open.
	pipeDelay = 2 * time.Second
	// askedToEnd is how long a program that took too long has to end in order, and release its locks,
	// before it is killed.
	askedToEnd = 2 * time.Second
	// killedWithin bounds the wait until what was killed is gone.
	killedWithin = 5 * time.Second
	// EndsWithin bounds the time from when a program is asked to end until it is gone.
	EndsWithin = askedToEnd + killedWithin
	// markVariable marks a program and all that it starts with a unique text in the environment:
	// processes that left the group are found by it.
	markVariable = "REHEARSE_ACT"
)

// Program is a command of the team's. It and all that it starts stand in a
// process group of their own: a Ctrl-C at the terminal does not reach them, and
// when the time is over all of them are ended.
//
// What is started elsewhere for it is not found: a process in a container that
// `docker exec` began goes on there.
type Program struct {
	Words       []string
	Dir         string
	Environment []string // over that of this process
}

// ErrSurvived says that something which a program had started could not be ended.
var ErrSurvived = errors.New("something that it started could not be ended, and may still act")

// Output is what a program wrote to its standard output and error.
type Output struct{ Out, Complaints bytes.Buffer }

// Run runs a program until it ends. When ctx ends before, it and all that it
// started are asked to end, then killed, and the error is that of ctx, with
// ErrSurvived where something of it is still there.
func (p Program) Run(ctx context.Context, into *Output) error {
	mark := rand.Text()
	c := exec.Command(p.Words[0], p.Words[1:]...)
	c.Dir, c.WaitDelay = p.Dir, pipeDelay
	c.Env = append(append(withoutVault(os.Environ()), p.Environment...), markVariable+"="+mark)
	c.Stdout, c.Stderr = &into.Out, &into.Complaints
	isolate(c)
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	started := tree{leader: c.Process.Pid, mark: markVariable + "=" + mark}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		if errors.Is(err, exec.ErrWaitDelay) { // it succeeded, and left a child running
			err = nil
		}
		return err
	case <-ctx.Done():
	}
	started.signal(ask)
	left := started.gone(askedToEnd)
	if left {
		started.signal(kill)
		left = started.gone(killedWithin)
	}
	<-ended
	if left {
		return errors.Join(ErrSurvived, ctx.Err())
	}
	return ctx.Err()
}

// gone waits until no process of a tree is left, and reports whether one is.
func (t tree) gone(within time.Duration) (left bool) {
	const look = 20 * time.Millisecond
	for end := time.Now().Add(within); t.alive(); time.Sleep(look) {
		if time.Now().After(end) {
			return true
		}
	}
	return false
}

// withoutVault removes VAULT_* of the shell: the only Vault is the one that was named.
func withoutVault(environment []string) []string {
	var kept []string
	for _, variable := range environment {
		if !strings.HasPrefix(variable, "VAULT_") {
			kept = append(kept, variable)
		}
	}
	return kept
}
