package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/source"
)

func TestExitCode(t *testing.T) {
	problems := source.Problems{{Position: source.Position{File: "a.yaml", Line: 3, Column: 1}, Message: "is missing"}}
	failed := errors.New("no space left")
	tests := []struct {
		name    string
		err     error
		code    int
		message string
	}{
		{"nothing", nil, 0, ""},
		{"fail", verdictExit(judge.Fail), 1, ""},
		{"inconclusive", verdictExit(judge.Inconclusive), 3, ""},
		{"pass", verdictExit(judge.Pass), 0, ""},
		{"usage", usage(failed), 2, "rehearse: no space left"},
		{"a file", fmt.Errorf("load: %w", problems), 2, "a.yaml:3:1: is missing"},
		{"a folder in use", fmt.Errorf("out: %w", harness.ErrFolderInUse), 2, "rehearse: out: it holds another run"},
		{"could not run", failed, 4, "rehearse: no space left"},
		{"interrupted while starting", fmt.Errorf("start services: %w", context.Canceled), 130, "rehearse: start services: context canceled"},
		{
			"interrupted, and not cleaned up", errors.Join(context.Canceled, fmt.Errorf("%w: mount", harness.ErrCleanUp)), 4,
			"rehearse: context canceled\ncould not clean up: mount",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := exitCode(test.err); got != test.code {
				t.Errorf("got exit code %d, want %d", got, test.code)
			}
			if got := message(test.err); got != test.message {
				t.Errorf("got message %q, want %q", got, test.message)
			}
		})
	}
}

// What is wrong with a command line is said of every command, also of those
// that others start.
func TestUsageExit(t *testing.T) {
	for _, line := range []string{
		"serve bogus", "serve issuer more", "seed", "seed one", "turn", "turn http://127.0.0.1:1 path accept", "turn http://127.0.0.1:1 path jump kid",
		"run one two", "judge", "--nonsense",
	} {
		t.Run(line, func(t *testing.T) {
			root := rootCommand()
			root.SetArgs(strings.Fields(line))
			root.SetOut(io.Discard)
			if err := root.ExecuteContext(t.Context()); exitCode(err) != exitUsage {
				t.Errorf("got exit code %d (%v), want %d", exitCode(err), err, exitUsage)
			}
		})
	}
}

func TestRunExit(t *testing.T) {
	outcome := func(ended string, verdict judge.Outcome) *harness.Result {
		return &harness.Result{Ended: ended, Verdict: judge.Verdict{Verdict: verdict}}
	}
	timedOut, cancel := context.WithTimeoutCause(t.Context(), 0, errTimeout)
	defer cancel()
	<-timedOut.Done()
	tests := []struct {
		name    string
		ctx     context.Context
		outcome *harness.Result
		err     error
		want    int
	}{
		{"complete", t.Context(), outcome(history.EndedComplete, judge.Pass), nil, 0},
		{"rolled back", t.Context(), outcome(history.EndedRolledBack, judge.Fail), nil, 1},
		{"interrupted", t.Context(), outcome(history.EndedInterrupted, judge.Inconclusive), nil, 130},
		{"over its time", timedOut, outcome(history.EndedInterrupted, judge.Inconclusive), nil, 4},
		{"failed, and not cleaned up", t.Context(), outcome(history.EndedComplete, judge.Fail), harness.ErrCleanUp, 4},
		{"not started", t.Context(), nil, errors.New("no engine"), 4},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := exitCode(runExit(test.ctx, test.outcome, test.err)); got != test.want {
				t.Errorf("got exit code %d, want %d", got, test.want)
			}
		})
	}
}
