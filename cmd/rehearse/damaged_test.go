package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
)

// parts are the keys of events that hold what a kind of event needs.
var parts = []string{"plan", "gate", "decision", "fault", "agreement", "logged", "probe", "counts", "totals", "leaks", "ledger", "machine", "set"}

// TestFoldersWithDamagedHistories takes the part of one event away, in each kind
// of event that has one: whoever is asked to read the folder says where it is
// damaged, and that the folder is what is wrong (exit code 2).
func TestFoldersWithDamagedHistories(t *testing.T) {
	good, _ := savedRun(t, "jwt-signing-key/stale-cache")
	events, err := os.ReadFile("../../harness/history/testdata/every-kind.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		t.Run(part, func(t *testing.T) {
			damaged, line := withoutPart(t, events, part)
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, harness.EventsFile)
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"judge", dir}, {"report", dir}, {"compare", good, dir}, {"compare", dir, good}} {
				code, said := failing(t, args...)
				if want := fmt.Sprintf("%s:%d: ", path, line); code != exitUsage || !strings.HasPrefix(said, want) || !strings.Contains(said, part) {
					t.Errorf("rehearse %s: got exit code %d and %q, want %d and %q with %q", args[0], code, said, exitUsage, want, part)
				}
			}
		})
	}
}

// withoutPart is a history whose first event with a part has lost it, and the line.
func withoutPart(t *testing.T, events []byte, part string) (damaged []byte, at int) {
	t.Helper()
	number := 0
	for line := range bytes.Lines(events) {
		number++
		var e map[string]json.RawMessage
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if _, has := e[part]; has && at == 0 {
			at = number
			delete(e, part)
			data, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			line = append(data, '\n')
		}
		damaged = append(damaged, line...)
	}
	if at == 0 {
		t.Fatalf("no event has %s", part)
	}
	return damaged, at
}

// failing runs a command that does not succeed, and what it says of it.
func failing(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(&bytes.Buffer{})
	root.SetErr(&bytes.Buffer{})
	err := root.ExecuteContext(t.Context())
	return exitCode(err), message(err)
}
