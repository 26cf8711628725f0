package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/reports/junittest"
)

// came is a result with a verdict and its differences from what was expected.
func came(name string, verdict judge.Outcome, differences ...string) result {
	p := &plan.Plan{Name: name, Speed: 1, Rehearsal: scenario.Scenario{Expect: &scenario.Expect{}}}
	return result{
		plan: p, differences: differences, took: 61 * time.Second,
		outcome: &harness.Result{
			Plan: p, History: &history.History{}, Folder: "runs/" + name,
			Verdict: judge.Verdict{Verdict: verdict},
		},
	}
}

func TestVoid(t *testing.T) {
	expecting := func(r result, verdict judge.Outcome) result {
		r.plan.Rehearsal.Expect.Verdict = string(verdict)
		return r
	}
	set := func(r result) result {
		r.outcome.History.Events = append(r.outcome.History.Events, history.Event{Kind: history.KindClockSet, Detail: "the clock was set"})
		return r
	}
	starved := func(r result) result {
		r.outcome.Verdict.Rules = []judge.Rule{{ID: "machine", Outcome: judge.Inconclusive, Detail: "the load was not held"}}
		return r
	}
	full := func(r result, share float64) result {
		r.outcome.History.Events = append(r.outcome.History.Events,
			history.Event{Kind: history.KindMachine, Machine: &history.Machine{What: history.MachineSum, Shares: map[string]float64{"cpu": share}}})
		return r
	}
	const others = "it came to other findings, and somebody waited for a processor 86% of the time"
	for _, tt := range []struct {
		name string
		of   result
		want string
	}{
		{"fails as it should, by other findings, on a full machine", full(expecting(came("a", judge.Fail, "finding"), judge.Fail), 0.86), others},
		{"fails as it should, by other findings, on one with room", full(expecting(came("a", judge.Fail, "finding"), judge.Fail), 0.3), ""},
		{"fails as it should, on a full machine", full(expecting(came("a", judge.Fail), judge.Fail), 0.86), ""},
		{"fails and should pass, on a full machine", full(expecting(came("a", judge.Fail, "verdict"), judge.Pass), 0.86), ""},
		{"cannot tell, since the machine did not keep up", starved(expecting(came("a", judge.Inconclusive, "verdict"), judge.Pass)), "the load was not held"},
		{"cannot tell, as expected of that machine", starved(expecting(came("a", judge.Inconclusive), judge.Inconclusive)), ""},
		{"as expected, though the clock was set", set(expecting(came("a", judge.Pass), judge.Pass)), ""},
		{"cannot tell, since the clock was set", set(expecting(came("a", judge.Inconclusive, "verdict"), judge.Pass)), "the clock was set"},
		{"cannot tell, for another reason", expecting(came("a", judge.Inconclusive, "verdict"), judge.Pass), ""},
		{"fails before the clock was set", set(expecting(came("a", judge.Fail, "verdict"), judge.Pass)), ""},
		{"fails as it should, and lacks a finding", set(expecting(came("a", judge.Fail, "finding"), judge.Fail)), "the clock was set"},
		{"was not rehearsed", result{plan: &plan.Plan{}, err: errors.New("no engine")}, ""},
	} {
		if got := void(tt.of); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestLeaves: a team's own system is not rehearsed once more from where a bad rehearsal left it.
func TestLeaves(t *testing.T) {
	attached := func(change func(*judge.Verdict)) result {
		r := came("a", judge.Inconclusive, "verdict")
		r.plan.Rehearsal.Attach = &scenario.Attach{}
		change(&r.outcome.Verdict)
		return r
	}
	fails := []judge.Finding{{Level: judge.Error}}
	made := came("a", judge.Fail, "finding")
	made.outcome.Verdict.Findings = fails
	for _, tt := range []struct {
		name string
		of   result
		want string
	}{
		{"of the run's own services", made, ""},
		{"nothing was found", attached(func(*judge.Verdict) {}), ""},
		{"taken back", attached(func(v *judge.Verdict) {
			v.Findings, v.Rollback = fails, judge.RollbackReport{Happened: true, Proven: true}
		}), ""},
		{"not proven", attached(func(v *judge.Verdict) { v.Rollback = judge.RollbackReport{Happened: true} }), "its way back is not proven"},
		{"steps are left", attached(func(v *judge.Verdict) {
			v.Rollback = judge.RollbackReport{Happened: true, Proven: true, Left: []judge.LeftStep{{Step: "emit"}}}
		}), "steps of its way back are left"},
		{"went through, and failed", attached(func(v *judge.Verdict) { v.Findings = fails }), "it was rotated to the end, and findings stand against that"},
	} {
		if got := leaves(tt.of); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTestExit(t *testing.T) {
	good, known := came("a/good", judge.Pass), came("a/known-bad", judge.Fail)
	unclear, bad := came("a/unclear", judge.Inconclusive, "verdict"), came("a/bad", judge.Fail, "verdict")
	broken := result{plan: &plan.Plan{Name: "a/broken"}, err: errors.New("no engine")}
	skipped := result{plan: &plan.Plan{Name: "a/container"}, skipped: "no engine"}
	tests := []struct {
		name    string
		results []result
		want    int
	}{
		{"one skipped", []result{good, skipped}, 0},
		{"one skipped and one unexpected", []result{skipped, bad}, 1},
		{"all as expected", []result{good, known}, 0},
		{"one unexpected", []result{good, bad}, 1},
		{"one inconclusive", []result{good, unclear}, 3},
		{"inconclusive and unexpected", []result{unclear, bad}, 1},
		{"unexpected and inconclusive", []result{bad, unclear}, 1},
		{"one could not run", []result{bad, broken, good}, 4},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := exitCode(testExit(test.results)); got != test.want {
				t.Errorf("got exit code %d, want %d", got, test.want)
			}
		})
	}
}

func TestRow(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a/good", "a/bad"} {
		if err := os.MkdirAll(filepath.Join("runs", name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("runs", name, "report.html"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	broken := result{plan: &plan.Plan{Name: "a/broken"}, err: errors.New("no engine\nand no wish"), took: time.Second}
	stopped := result{plan: &plan.Plan{Name: "a/stopped"}, err: errInterrupted}
	tests := []struct {
		name   string
		result result
		want   console.Row
	}{
		{"as expected", came("a/good", judge.Pass), console.Row{
			Name: "a/good", Came: "pass", Expected: true, Took: 61 * time.Second, Report: filepath.Join("runs", "a", "good", "report.html"),
		}},
		{"not as expected", came("a/bad", judge.Fail, "verdict is fail, want pass"), console.Row{
			Name: "a/bad", Came: "fail", Took: 61 * time.Second, Report: filepath.Join("runs", "a", "bad", "report.html"),
			Reasons: []string{"verdict is fail, want pass"},
		}},
		{"as expected, and its report could not be written", came("a/unkept", judge.Pass), console.Row{Name: "a/unkept", Came: "pass", Expected: true, Took: 61 * time.Second}},
		{"could not run", broken, console.Row{Name: "a/broken", Came: "could not run", Took: time.Second, Reasons: []string{"no engine", "and no wish"}}},
		{"interrupted", stopped, console.Row{Name: "a/stopped", Came: "interrupted", Reasons: []string{"interrupted"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.result.row(); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// expecting is a result of a scenario that expects findings of a rule.
func expecting(r result, rule string) result {
	r.plan.Rehearsal.Expect.Findings = []scenario.ExpectedFinding{{RuleID: rule}}
	return r
}

func TestSuites(t *testing.T) {
	dir := t.TempDir()
	own, asked := filepath.Join(dir, "out", junitFile), filepath.Join(dir, "asked.xml")
	files, err := openSuites(own, asked)
	if err != nil {
		t.Fatal(err)
	}
	err = files.write([]result{
		came("a/good", judge.Pass), expecting(came("a/known-bad", judge.Fail), "gates"), came("a/bad", judge.Pass, "verdict is pass, want fail"),
		came("a/unclear", judge.Inconclusive, "verdict is inconclusive, want pass"),
		{plan: &plan.Plan{Name: "a/broken"}, err: errors.New("no engine")},
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := os.ReadFile(asked); err != nil || !bytes.Equal(data, other) {
		t.Errorf("got %d bytes and %v where it was asked for, want the same as in the folder of the test", len(other), err)
	}
	var file struct {
		Suites []struct {
			Name     string `xml:"name,attr"`
			Failures int    `xml:"failures,attr"`
			Errors   []struct {
				Type string `xml:"type,attr"`
			} `xml:"testcase>error"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var red []string
	for _, s := range file.Suites {
		if s.Failures > 0 {
			red = append(red, s.Name+" failed")
		}
		for _, e := range s.Errors {
			red = append(red, s.Name+" "+e.Type)
		}
	}
	if want := []string{"a/bad failed", "a/unclear inconclusive", "a/broken could not run"}; len(file.Suites) != 5 || !slices.Equal(red, want) {
		t.Errorf("got %d suites, red %q; want 5, red %q", len(file.Suites), red, want)
	}
	junittest.Validate(t, data)
}

func TestSuitesThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there", junitFile)
	if err := os.Mkdir(filepath.Dir(there), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, own, asked, want string }{
		{"another test's folder", there, "", "holds no other test"},
		{"a folder that is a file", filepath.Join(there, junitFile), "", "not a directory"},
		{"nowhere", filepath.Join(dir, "new", junitFile), filepath.Join(dir, "no", "such.xml"), "no such file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := openSuites(test.own, test.asked)
			if err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error of usage with %q", err, test.want)
			}
			if _, err := os.Stat(test.own); test.asked != "" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got %v, want nothing left behind", err)
			}
		})
	}
}

func TestOnce(t *testing.T) {
	var said []string
	say := once(func(text string) { said = append(said, text) })
	for _, text := range []string{"a", "b", "a"} {
		say(text)
	}
	if !slices.Equal(said, []string{"a", "b"}) {
		t.Errorf("got %v, want each text once", said)
	}
}

func TestScenariosAt(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"runbook.yaml": "kind: Runbook\n", "pages/other.yml": "kind: Runbook\n",
		"healthy.yaml": "kind: Scenario\nexpect: {verdict: pass}\n", "bad/broken.yml": "kind: [", "notes.txt": "kind: Scenario\n",
		"compose.yml": "services: {web: {image: acme/web}}\n", "ci.yml": "on: push\njobs: {}\n", "deployment.yaml": "apiVersion: apps/v1\nkind: Deployment\n",
		"no-kind.yaml": "apiVersion: rehearse/v1\nrunbook: runbook.yaml\n", "forgotten.yaml": "extends: healthy.yaml\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	tests := []struct {
		path string
		want []string
	}{
		{".", []string{filepath.Join("bad", "broken.yml"), "forgotten.yaml", "healthy.yaml", "no-kind.yaml"}},
		{"healthy.yaml", []string{"healthy.yaml"}},
		{"jwt-signing-key/healthy", []string{"jwt-signing-key/healthy"}},
		{"pages", nil},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			got, err := scenariosAt(test.path)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %v, %v; want %v", got, err, test.want)
			}
		})
	}
	builtIns, err := scenariosAt(builtIn)
	if err != nil || !slices.Contains(builtIns, "jwt-signing-key/healthy") {
		t.Errorf("got %v, %v; want those that are built in", builtIns, err)
	}
	if err := os.Mkdir(builtIn, 0o700); err != nil {
		t.Fatal(err)
	}
	if own, err := scenariosAt(builtIn); err != nil || len(own) != 0 {
		t.Errorf("got %v, %v; want those of the folder: none", own, err)
	}
}

func TestTwice(t *testing.T) {
	tests := []struct {
		name  string
		names []string
		want  string
	}{
		{"different", []string{"a/b", "a/c", "b/b"}, ""},
		{"the same", []string{"a/b", "a/c", "a/b"}, "two scenarios are called a/b"},
		{"one folder", []string{"a/b-c", "a-b/c"}, "a/b-c and a-b/c would have one folder, a-b-c"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var plans []*plan.Plan
			for _, name := range test.names {
				plans = append(plans, &plan.Plan{Name: name})
			}
			err := twice(plans)
			if test.want == "" && err != nil {
				t.Errorf("got %v, want no error", err)
			}
			if test.want != "" && (err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want an error of usage with %q", err, test.want)
			}
		})
	}
}

// TestSkipped: what this machine cannot run is told as that, and is an error
// where it was promised.
func TestSkipped(t *testing.T) {
	notHere := fmt.Errorf("%w: orders is an image", harness.ErrNotHere)
	tests := []struct {
		name    string
		err     error
		require string
		skipped bool
	}{
		{"cannot be run here", notHere, "", true},
		{"cannot be run here, and was promised", notHere, "1", false},
		{"left something besides", errors.Join(notHere, harness.ErrCleanUp), "", false},
		{"another error", errors.New("boom"), "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(requireDocker, tt.require)
			r := result{plan: &plan.Plan{Name: "a/container"}, err: tt.err}
			r.hold()
			if got := r.skipped != ""; got != tt.skipped || r.asExpected() {
				t.Errorf("got skipped %q, as expected %t; want skipped %t and nothing known", r.skipped, r.asExpected(), tt.skipped)
			}
			if tt.skipped {
				if row := r.row(); !row.Skipped || row.Came != "skipped" || !strings.Contains(row.Reasons[0], "orders is an image") {
					t.Errorf("got %+v, want a skipped row with the reason", row)
				}
				if c := r.suite().Cases[0]; c.Outcome != judge.Skipped || c.Message != r.skipped {
					t.Errorf("got %+v, want a skipped case with the reason", c)
				}
			}
		})
	}
}

// TestShardOf has each scenario in one part, and says what is no part.
func TestShardOf(t *testing.T) {
	var plans []*plan.Plan
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		plans = append(plans, &plan.Plan{Name: name})
	}
	for _, tt := range []struct{ shard, want, err string }{
		{"", "abcde", ""},
		{"1/1", "abcde", ""},
		{"1/2", "ace", ""},
		{"2/2", "bd", ""},
		{"5/5", "e", ""},
		{"6/6", "", "5 scenarios have no part 6/6"},
		{"0/2", "", `"0/2" is not part/of, as 1/2`},
		{"3/2", "", `"3/2" is not part/of, as 1/2`},
		{"2", "", `"2" is not part/of, as 1/2`},
		{"a/b", "", `"a/b" is not part/of, as 1/2`},
	} {
		got, err := shardOf(tt.shard, plans)
		names := ""
		for _, p := range got {
			names += p.Name
		}
		if names != tt.want || (tt.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%q: got %q, %v; want %q, %q", tt.shard, names, err, tt.want, tt.err)
		}
	}
}

// TestEveryScenarioOfTheFolderCanBePlanned: what others extend, and expects nothing itself,
// is none.
func TestEveryScenarioOfTheFolderCanBePlanned(t *testing.T) {
	plans, leftOut, err := plansToTest([]string{filepath.Join("..", "..", "scenarios")}, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(plans) < 100 || len(leftOut) == 0 {
		t.Errorf("%d scenarios to rehearse, %d left out, want both, and the catalogue", len(plans), len(leftOut))
	}
}

// TestWhatOthersExtend: it is left out where it expects nothing, and only then.
func TestWhatOthersExtend(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("apiVersion: rehearse/v1\nkind: Scenario\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("base.yaml", "speed: 60\n")
	healthy := write("healthy.yaml", "extends: base.yaml\nexpect: {verdict: pass}\n")
	deep := write("one/deep.yaml", "extends: ../healthy.yaml\nexpect: {verdict: fail}\n")
	lonely := write("lonely.yaml", "speed: 60\n") // which nobody extends: that it expects nothing is a mistake
	got, err := scenariosAt(folder)
	if want := []string{healthy, lonely, deep}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

func TestFew(t *testing.T) {
	names := strings.Split("abcdefgh", "")
	for n, want := range map[int]string{0: "", 1: "a", 6: "a, b, c, d, e, f", 7: "a, b, c, d, e, and 2 more", 8: "a, b, c, d, e, and 3 more"} {
		if got := few(names[:n]); got != want {
			t.Errorf("%d names: got %q, want %q", n, got, want)
		}
	}
}
