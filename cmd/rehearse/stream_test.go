package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/source/schematest"
	"github.com/rehearse-dev/rehearse/reports"
)

// TestStream wants every line of --ui json to be one that the schema of a stream allows,
// the plan first and what it came to last, and the result's file to be one of its own schema.
func TestStream(t *testing.T) {
	stream, err := console.StreamSchema()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]judge.Outcome{"jwt-signing-key/healthy": judge.Pass, "jwt-signing-key/stale-cache": judge.Fail} {
		dir := t.TempDir()
		code, out := command(t, "simulate", "--ui", "json", "--out", filepath.Join(dir, "run"), name)
		if wantCode := exitCode(verdictExit(want)); code != wantCode {
			t.Errorf("%s: exit code %d, want %d", name, code, wantCode)
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		var first, last console.Line
		kinds := map[history.Kind]bool{}
		for i, line := range lines {
			var l console.Line
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatalf("%s, line %d: %v", name, i+1, err)
			}
			if i == 0 {
				first = l
			}
			if l.Kind == console.ResultKind && i < len(lines)-1 {
				t.Errorf("%s: line %d of %d is the result, want it last", name, i+1, len(lines))
			}
			if last = l; !kinds[l.Kind] { // one of each kind: a line takes its time
				kinds[l.Kind] = true
				file := filepath.Join(dir, "line.json")
				if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
					t.Fatal(err)
				}
				schematest.Allows(t, stream, file)
			}
		}
		if first.Kind != history.KindPlan || last.Kind != console.ResultKind {
			t.Fatalf("%s: it begins with %s and ends with %s, want plan and result", name, first.Kind, last.Kind)
		}
		r := last.Result
		if r.Verdict != want || r.Why == "" || r.Ended != history.EndedComplete || r.Folder != filepath.Join(dir, "run") || len(r.Files) != 4 {
			t.Errorf("%s: got %+v, want verdict %s, why, and four reports", name, r, want)
		}
		if named := len(r.Findings) > 0 && r.Findings[0].Consumer == "search"; named != (want == judge.Fail) {
			t.Errorf("%s: got findings %+v", name, r.Findings)
		}
		of, err := reports.ResultSchema()
		if err != nil {
			t.Fatal(err)
		}
		schematest.Allows(t, of, filepath.Join(r.Folder, "result.json"))
	}
	schematest.Refuses(t, stream, map[string]string{
		"a kind that is none":  `{"at_ms": 0, "kind": "surprise"}`,
		"a time in words":      `{"at_ms": "1s", "kind": "end"}`,
		"a verdict that is no": `{"at_ms": 0, "kind": "result", "result": {"verdict": "fine"}}`,
	})
}

// A stream that somebody kept is a history like any other: its last line is passed over.
func TestStreamIsJudged(t *testing.T) {
	dir := t.TempDir()
	_, out := command(t, "simulate", "--ui", "json", "--out", filepath.Join(dir, "run"), "jwt-signing-key/stale-cache")
	if err := os.WriteFile(filepath.Join(dir, "run", "events.jsonl"), []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, text := command(t, "judge", filepath.Join(dir, "run")); code != exitFail || !strings.Contains(text, "search") {
		t.Errorf("exit code %d, want %d, and search named: %s", code, exitFail, text)
	}
}
