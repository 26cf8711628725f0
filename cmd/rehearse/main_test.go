package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"rehearse": func() {
		tellConfig() // of a stand-in, where a test looks for what it was told
		main()
	}})
}

// TestScripts runs the command line as users do. The scripts start no service.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			// Where a run that was started would leave its record.
			e.Setenv("XDG_CACHE_HOME", e.WorkDir+"/cache")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "generate": generate,
		},
	})
}

// exits runs a command and wants its exit code: exits CODE COMMAND ARG….
func exits(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("got exit code %d, want %d", got, want)
	}
}

// generate writes a file that is too unwieldy for a script: generate long|binary FILE.
func generate(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		ts.Fatalf("usage: generate long|binary FILE")
	}
	data := bytes.Repeat([]byte{0x7f, 'E', 'L', 'F', 0, 1, 0xff}, 1000)
	if args[0] == "long" {
		data = []byte("apiVersion: rehearse/v1\nkind: Runbook\nconsumers:\n")
		for i := range 100_000 {
			data = append(data, "  - {name: c"+strconv.Itoa(i)+", roles: [validate], library: jwx}\n"...)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}
