package main

import (
	"context"
	"errors"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// The exit codes. That something could not be done goes over all others.
const (
	exitFail         = 1
	exitUsage        = 2
	exitInconclusive = 3
	exitCannot       = 4
	exitInterrupted  = 130 // 128 + SIGINT, as shells have it
)

// exitError is an error with the exit code of the process. Without an error behind it, everything was
// printed already.
type exitError struct {
	code int
	err  error
}

// Error is the text of the error behind it; empty: everything was printed.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// Unwrap is the error behind it.
func (e *exitError) Unwrap() error { return e.err }

// usage marks an error of the command line.
func usage(err error) error { return &exitError{exitUsage, err} }

// exitCode is the exit code for an error: its own code, 2 for an invalid file or a folder in use, else
// 4.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, harness.ErrCleanUp) {
		return exitCannot
	}
	if exit, ok := errors.AsType[*exitError](err); ok {
		return exit.code
	}
	if _, ok := errors.AsType[source.Problems](err); ok || errors.Is(err, harness.ErrFolderInUse) || errors.Is(err, harness.ErrNotSimulated) || errors.Is(err, harness.ErrOnlySimulated) {
		return exitUsage
	}
	if _, ok := errors.AsType[*history.Damaged](err); ok {
		return exitUsage
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	return exitCannot
}

// message is the text printed for an error: problems of files as they are, so that editors find their
// places, anything else after the program's name.
func message(err error) string { return plaintext.Lines(messageOf(err)) }

func messageOf(err error) string {
	if err == nil || err.Error() == "" {
		return ""
	}
	if problems, ok := errors.AsType[source.Problems](err); ok {
		return problems.Error()
	}
	if damaged, ok := errors.AsType[*history.Damaged](err); ok && damaged.File != "" {
		return damaged.Error()
	}
	return "rehearse: " + err.Error()
}

// verdictExit is the exit code of a verdict, as an error.
func verdictExit(verdict judge.Outcome) error {
	switch verdict {
	case judge.Pass:
		return nil
	case judge.Fail:
		return &exitError{code: exitFail}
	}
	return &exitError{code: exitInconclusive}
}
