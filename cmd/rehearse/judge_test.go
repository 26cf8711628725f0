package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
	"github.com/rehearse-dev/rehearse/harness/world/simulated/simulatedtest"
	"github.com/rehearse-dev/rehearse/reports"
)

// savedRun is the folder of a rehearsal of a built-in scenario, that took place
// in the simulated world.
func savedRun(t *testing.T, name string) (dir string, outcome *harness.Result) {
	t.Helper()
	p, err := planOf(name, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	outcome = &harness.Result{
		Plan: p, Folder: t.TempDir(), Runtime: harness.Process, Store: harness.Embedded,
		StartedAt: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC),
	}
	ended := simulatedtest.Rehearse(t, p, simulated.Options{})
	outcome.Ended, outcome.History = ended.How, ended.History
	var events bytes.Buffer
	for _, e := range outcome.History.Events {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		events.Write(append(line, '\n'))
	}
	if err := os.WriteFile(filepath.Join(outcome.Folder, harness.EventsFile), events.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if outcome.Limits, err = rules.Limits(outcome.History); err != nil {
		t.Fatal(err)
	}
	outcome.Verdict = rules.Judge(outcome.History, outcome.Limits)
	if err := reports.WriteFolder(outcome.Folder, modelOf(outcome)); err != nil {
		t.Fatal(err)
	}
	return outcome.Folder, outcome
}

// written is the moment at which a report was written, in each format.
var written = regexp.MustCompile(`(Written by rehearse .* on <time>|· written )[0-9: UTC-]+`)

// reportsIn are the reports of a folder, without the time of their writing.
func reportsIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, name := range []string{"result.json", "report.html", "report.md", "junit.xml"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		if told := written.MatchString(text); told != strings.HasPrefix(name, "report.") {
			t.Errorf("%s: tells when it was written: %t", name, told)
		}
		found[name] = written.ReplaceAllString(text, "")
	}
	return found
}

func command(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var b bytes.Buffer
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(&b)
	root.SetErr(io.Discard)
	return exitCode(root.ExecuteContext(t.Context())), b.String()
}

func TestJudgeOfASavedRunComesToTheSame(t *testing.T) {
	for name, want := range map[string]int{"jwt-signing-key/healthy": 0, "jwt-signing-key/stale-cache": exitFail} {
		t.Run(name, func(t *testing.T) {
			dir, outcome := savedRun(t, name)
			before := reportsIn(t, dir)
			code, out := command(t, "judge", dir)
			if code != want || !strings.Contains(out, reports.Headline(outcome.Verdict)) {
				t.Errorf("got exit code %d and %q, want %d and %q", code, out, want, reports.Headline(outcome.Verdict))
			}
			for file, after := range reportsIn(t, dir) {
				if after != before[file] {
					t.Errorf("%s of the saved run differs from the first one\ngot:\n%s\nwant:\n%s", file, after, before[file])
				}
			}
		})
	}
}

// What result.json says is not believed: the history is judged.
func TestJudgeReadsTheHistory(t *testing.T) {
	dir, outcome := savedRun(t, "jwt-signing-key/stale-cache")
	want := reportsIn(t, dir)
	outcome.Verdict = judge.Verdict{Verdict: judge.Pass, AuthFailures: judge.Flat}
	if err := reports.WriteFolder(dir, modelOf(outcome)); err != nil {
		t.Fatal(err)
	}
	if got := reportsIn(t, dir); got["report.html"] == want["report.html"] {
		t.Fatal("a report of another verdict is the same: this test can see nothing")
	}
	if code, _ := command(t, "judge", dir); code != exitFail {
		t.Errorf("got exit code %d, want %d", code, exitFail)
	}
	for file, got := range reportsIn(t, dir) {
		if got != want[file] {
			t.Errorf("%s is not that of the history", file)
		}
	}
}

func TestReportWithPictures(t *testing.T) {
	dir, _ := savedRun(t, "jwt-signing-key/stale-cache")
	before := reportsIn(t, dir)
	code, out := command(t, "report", dir, "--png")
	var want []string
	for _, name := range []string{"report.html", "before-after.png", "over-time.png"} {
		want = append(want, filepath.Join(dir, name))
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		if strings.HasSuffix(name, ".png") && !bytes.HasPrefix(data, []byte("\x89PNG")) {
			t.Errorf("%s is no PNG", name)
		}
	}
	if code != 0 || strings.TrimSpace(out) != strings.Join(want, "\n") {
		t.Errorf("got exit code %d and %q, want 0 and the names of the files", code, out)
	}
	for file, after := range reportsIn(t, dir) {
		if after != before[file] {
			t.Errorf("%s differs from the first one", file)
		}
	}
}

// A run that was cut off before its end has events and no result.
func TestJudgeOfARunWithoutAResult(t *testing.T) {
	dir, _ := savedRun(t, "jwt-signing-key/healthy")
	for _, name := range []string{"result.json", "report.html"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if code, out := command(t, "judge", dir); code != 0 || strings.Contains(out, "report.html") {
		t.Errorf("got exit code %d and %q, want %d and no report", code, out, 0)
	}
	if _, err := os.Stat(filepath.Join(dir, "report.html")); err == nil {
		t.Error("a report was written without anything that says what was run")
	}
	if code, _ := command(t, "report", dir); code != exitUsage {
		t.Errorf("report: got exit code %d, want %d", code, exitUsage)
	}
}
