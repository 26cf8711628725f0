//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

// awaitFile waits until a file is there.
func awaitFile(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
	}
	t.Fatalf("%s was not written within a minute", path)
}

// TestRunInATerminalThatNeverReads rehearses on a screen that nobody reads from
// its first seconds on: the run comes to its end, is judged, cleans up, and the
// process ends when it is told to.
func TestRunInATerminalThatNeverReads(t *testing.T) {
	dir := played(t)
	keyboard, tty, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo-terminal here: %v", err)
	}
	var filling sync.WaitGroup
	defer filling.Wait()
	defer keyboard.Close() // ends the filling
	defer tty.Close()
	command := exec.Command("rehearse", "run", "--ui", "tui", "--runtime", "process", "--out", "run", "scenario.yaml")
	command.Dir, command.Stdin, command.Stdout = dir, tty, tty
	var told bytes.Buffer
	command.Stderr = &told
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	defer func() { _ = command.Process.Kill() }() // where the test failed before its end
	awaitFile(t, filepath.Join(dir, "run", "events.jsonl"))
	filling.Go(func() {
		if _, err := tty.Write(make([]byte, 1<<20)); err == nil {
			t.Error("a terminal that nobody reads took a megabyte")
		}
	})
	result := filepath.Join(dir, "run", "result.json")
	awaitFile(t, result)
	if err := command.Process.Signal(syscall.SIGTERM); err != nil { // nobody can press q
		t.Fatal(err)
	}
	code := 0
	select {
	case err := <-ended:
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("the process did not end within a minute")
	}
	data, err := os.ReadFile(result)
	if err != nil {
		t.Fatal(err)
	}
	var v judge.Verdict
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if want := map[judge.Outcome]int{judge.Pass: 0, judge.Fail: 1, judge.Inconclusive: 3}[v.Verdict]; code != want {
		t.Errorf("exit code: got %d for %s, want %d; it said %s", code, v.Verdict, want, told.String())
	}
	// Not the rule accounting: on a busy machine that says that the load was not held.
	if n := v.Totals; n.Sent == 0 || n.Recorded != n.Sent || !n.Complete {
		t.Errorf("of %d requests %d are recorded, complete is %v; want all", n.Sent, n.Recorded, n.Complete)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "rehearse", "runs", "[^.]*")); err != nil || len(left) > 0 {
		t.Errorf("got records of runs %s, %v; want none left", strings.Join(left, ", "), err)
	}
}
