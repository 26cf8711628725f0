//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

// playedPage is a rotation of some four seconds beside the holds.
const (
	playedPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: session-key, family: jwt-signing-key}
storage: {store: vault, publish: {path: secret/data/auth/key}, distribution: jwks, jwks: /.well-known/jwks.json}
consumers:
  - {name: auth, roles: [emit], refresh: 50s}
  - {name: checkout, roles: [validate], library: go-oidc}
format: {type: ES256, identifier: kid, longest_life: 10m}
rollout: {lead: 1m20s, propagation: 10s, watch: 1m40s}
overlap: {window: 1m}
verification: {slo: {objective: 99%}, checks: [auth-failures, canary]}
rollback: {when: {auth_failures_over: 50%, for: 10m}}
schedule: {}
`
	playedScenario = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
gates: observe
speed: 100
baseline: 1m
services: {auth: {serve: issuer}, checkout: {serve: verifier}}
load: [{client: web, to: checkout, rate: 20/s, sessions: 5, token: {life: 10m}}]
`
)

// multiplexer is a real terminal, with a rehearsal in it that was started by a
// shell.
type multiplexer struct {
	t      *testing.T
	socket string
	folder string // of the run
	pid    string // file with the rehearsal's process
}

// played is a folder with the page and the scenario that are played.
func played(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"page.yaml": playedPage, "scenario.yaml": playedScenario} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("XDG_CACHE_HOME", dir)
	return dir
}

// inTmux starts a rehearsal in a terminal of 80×24.
func inTmux(t *testing.T, flags string) *multiplexer {
	t.Helper()
	return onTerminal(t, "run --runtime process "+flags)
}

// onTerminal starts a command about the scenario that is played in such a terminal.
func onTerminal(t *testing.T, does string) *multiplexer {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		if os.Getenv("REHEARSE_REQUIRE_TMUX") == "1" {
			t.Fatal("tmux is not installed, and REHEARSE_REQUIRE_TMUX wants it")
		}
		t.Skip("tmux is not installed: no real terminal to play in")
	}
	dir := played(t)
	m := &multiplexer{t: t, socket: filepath.Join(dir, "tmux"), folder: filepath.Join(dir, "run"), pid: filepath.Join(dir, "pid")}
	t.Setenv("LC_ALL", "C.UTF-8")
	script := fmt.Sprintf(`cd %s; echo "before=$(stty -g)"
sh -c 'echo $$ >pid; exec rehearse %s --out run scenario.yaml'
echo "code=$?"; echo "after=$(stty -g)"; exec cat`, dir, does)
	m.tmux("-f", os.DevNull, "new-session", "-d", "-s", "s", "-x", "80", "-y", "24", "sh", "-c", script)
	t.Cleanup(func() { m.tmux("kill-server") })
	return m
}

func (m *multiplexer) tmux(args ...string) string {
	m.t.Helper()
	command := exec.Command("tmux", append([]string{"-S", m.socket}, args...)...)
	out, err := command.CombinedOutput()
	if err != nil {
		m.t.Fatalf("tmux %s: %v: %s", args[0], err, out)
	}
	return string(out)
}

// await waits until all texts are on the screen, and returns it.
func (m *multiplexer) await(texts ...string) string {
	m.t.Helper()
	const patience = 40 * time.Second
	var shown string
next:
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		shown = m.tmux("capture-pane", "-p", "-t", "s")
		for _, text := range texts {
			if !strings.Contains(shown, text) {
				continue next
			}
		}
		return shown
	}
	m.t.Fatalf("%q was not shown within %s; the screen is\n%s", texts, patience, shown)
	return ""
}

// awaitTimes waits until a text is on the screen so many times.
func (m *multiplexer) awaitTimes(text string, times int) {
	m.t.Helper()
	for deadline := time.Now().Add(40 * time.Second); strings.Count(m.await(text), text) < times; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.t.Fatalf("%q was not shown %d times within 40 s", text, times)
		}
	}
}

func (m *multiplexer) press(keys ...string) {
	m.t.Helper()
	m.tmux(append([]string{"send-keys", "-t", "s"}, keys...)...)
}

// left wants the terminal as it was before, and returns the exit code.
func (m *multiplexer) left() int {
	m.t.Helper()
	m.await("code=", "after=")
	if got := strings.TrimSpace(m.tmux("display-message", "-p", "-t", "s", "#{alternate_on} #{cursor_flag}")); got != "0 1" {
		m.t.Errorf("other screen and cursor: got %q, want the first off and the cursor on", got)
	}
	values := map[string]string{}
	for line := range strings.Lines(m.tmux("capture-pane", "-p", "-J", "-S", "-", "-t", "s")) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[name] = value
		}
	}
	if values["before"] == "" || values["before"] != values["after"] {
		m.t.Errorf("the terminal is set to %q, want %q as before", values["after"], values["before"])
	}
	code, err := strconv.Atoi(values["code"])
	if err != nil {
		m.t.Fatalf("exit code: %v", err)
	}
	return code
}

// process is the rehearsal's.
func (m *multiplexer) process() int {
	m.t.Helper()
	text, err := os.ReadFile(m.pid)
	if err != nil {
		m.t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		m.t.Fatal(err)
	}
	return pid
}

// nothingLeft wants the run to have cleaned up after itself.
func (m *multiplexer) nothingLeft() {
	m.t.Helper()
	left, err := filepath.Glob(filepath.Join(filepath.Dir(m.folder), "rehearse", "runs", "[^.]*"))
	if err != nil || len(left) > 0 {
		m.t.Errorf("got records of runs %q, %v; want none left", left, err)
	}
}

// result is what the run came to.
func (m *multiplexer) result() judge.Verdict {
	m.t.Helper()
	data, err := os.ReadFile(filepath.Join(m.folder, "result.json"))
	if err != nil {
		m.t.Fatal(err)
	}
	var v judge.Verdict
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&v); err != nil {
		m.t.Fatal(err)
	}
	return v
}

// TestSimulationOnAScreen shows a simulation again, which nobody can change any more.
func TestSimulationOnAScreen(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	m := onTerminal(t, "simulate --speed 20 --ui tui")
	m.await("SIMULATED", "VERIFY")
	m.press("r")
	m.await("this is a simulation shown again")
	m.await("SIMULATED, NOT RUN", "Fail") // when all its time has gone by
	m.press("q")
	if code := m.left(); code != 1 {
		t.Errorf("exit code: got %d, want 1: the window is too short", code)
	}
	if v := m.result(); !v.Totals.Simulated {
		t.Error("the result does not say that it was simulated")
	}
}

// TestGameDay plays one by keys alone, in a terminal that is resized meanwhile.
func TestGameDay(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	m := inTmux(t, "--hold --speed 100 --ui tui")
	m.await("ON HOLD", "before baseline: g goes on")
	if found := regexp.MustCompile(`\x1b\[([0-9]+;)*(3|4|9|10)[0-7](;[0-9]+)*m`).FindString(m.tmux("capture-pane", "-e", "-p", "-t", "s")); found != "" {
		t.Errorf("with NO_COLOR there is colour: %q", found)
	}
	m.press("g")
	m.await("before accept")
	m.press("i")
	m.await("pause on checkout")
	m.press("Down", "Down", "Down", "Down", "Down") // from garbage-kids on checkout
	m.await("▸ pause on checkout")
	m.press("Enter")
	m.await("took effect")
	m.press("u")
	m.await("undone")
	m.tmux("resize-window", "-t", "s", "-x", "160", "-y", "50")
	m.await("─ gates", "─ faults", "budget left")
	m.press("g")
	m.await("before verify")
	m.press("g")
	m.await("before emit")
	m.press("Down", "Enter")
	m.await("validates with go-oidc", "log, the newest last", "fetched")
	m.press("Escape")
	m.await("who → whom") // a key right behind it would be taken for a sequence
	m.tmux("resize-window", "-t", "s", "-x", "80", "-y", "24")
	m.press("g")
	m.await("before overlap")
	m.press("g")
	m.await("before the revoke of k1: y approves it")
	m.press("r")
	m.await("k1 comes back everywhere, k2 is withdrawn?")
	m.press("y")
	m.await("── verdict")
	m.press("q")
	code := m.left()
	m.await("report  run/report.html") // told plainly, where it stays
	v := m.result()
	if want := map[judge.Outcome]int{judge.Pass: 0, judge.Fail: 1, judge.Inconclusive: 3}[v.Verdict]; code != want {
		t.Errorf("exit code: got %d for %s, want %d", code, v.Verdict, want)
	}
	if !v.Rollback.Happened || !v.Rollback.AskedFor {
		t.Errorf("rollback: got %+v, want one that was asked for", v.Rollback)
	}
	if len(v.Faults) != 1 || v.Faults[0].By != "operator" || v.Faults[0].UndoneMS < 0 {
		t.Errorf("faults: got %+v, want the operator's, undone", v.Faults)
	}
	var did []string
	for _, a := range v.Operator {
		what, _, _ := strings.Cut(a.Did, ", after")
		did = append(did, what)
	}
	want := "went on to baseline; injected pause on checkout; undid pause on checkout; went on to accept; went on to verify; " +
		"went on to emit; went on to overlap; asked to roll back"
	if got := strings.Join(did, "; "); got != want {
		t.Errorf("the operator: got  %s\nwant %s", got, want)
	}
}

// TestARevokeOverItsGate approves one whose gate says no, on the screen and in lines:
// it is asked once more, and the answers are in the history and in the report.
func TestARevokeOverItsGate(t *testing.T) {
	const question = "Revoke anyway?"
	for _, tt := range []struct {
		ui, asks string
		goOn     []string
		yes, no  []string
	}{
		{"tui", "before the revoke of k1: y approves it", []string{"g"}, []string{"y"}, []string{"n"}},
		{"plain", "begin revoke?", []string{"y", "Enter"}, []string{"y", "Enter"}, []string{"Enter"}},
	} {
		t.Run(tt.ui, func(t *testing.T) {
			m := inTmux(t, "--hold --speed 100 --ui "+tt.ui)
			m.tmux("resize-window", "-t", "s", "-x", "160", "-y", "50")
			for _, phase := range []string{"baseline", "accept", "verify", "emit", "overlap"} {
				m.await(map[string]string{"tui": "before " + phase + ": g goes on", "plain": "begin " + phase + "?"}[tt.ui])
				m.press(tt.goOn...)
			}
			m.await(tt.asks)
			m.press(tt.yes...)
			m.await("the gate says no: ", question)
			m.press(tt.no...)
			m.await("did not approve the revoke of k1 after all", tt.asks)
			m.press(tt.yes...)
			m.awaitTimes(question, map[string]int{"tui": 1, "plain": 2}[tt.ui])
			m.press(tt.yes...)
			m.await(map[string]string{"tui": "before watch: g goes on", "plain": "begin watch?"}[tt.ui])
			m.press(tt.goOn...)
			if tt.ui == "tui" {
				m.await("╭─ verdict")
				m.press("q")
			}
			m.left()
			var did []string
			for _, a := range m.result().Operator {
				did = append(did, a.Did)
			}
			report, err := os.ReadFile(filepath.Join(m.folder, "report.md"))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"did not approve the revoke of k1 after all, since the gate says no: ", "approved the revoke of k1 although the gate said no ("} {
				if got := strings.Join(did, "; "); !strings.Contains(got, want) {
					t.Errorf("the operator: got %s, want %q in it", got, want)
				}
				if !strings.Contains(string(report), want) {
					t.Errorf("report.md has nothing of %q", want)
				}
			}
		})
	}
}

// TestEndsOfAScreen interrupts a run in every way that there is: it is undone,
// cleaned up, and the terminal is whole again.
func TestEndsOfAScreen(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(m *multiplexer)
	}{
		{"Ctrl-C", func(m *multiplexer) { m.press("C-c") }},
		{"Ctrl-C in a menu", func(m *multiplexer) {
			m.press("i")
			m.await("inject a fault")
			m.press("C-c")
		}},
		{"SIGTERM", func(m *multiplexer) {
			if err := syscall.Kill(m.process(), syscall.SIGTERM); err != nil {
				m.t.Fatal(err)
			}
		}},
		{"abort", func(m *multiplexer) {
			m.press("a")
			m.await("y yes")
			m.press("y")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := inTmux(t, "--hold --speed 100 --ui tui")
			m.await("ON HOLD", "before baseline")
			tt.end(m)
			if code := m.left(); code != exitInterrupted {
				t.Errorf("exit code: got %d, want %d", code, exitInterrupted)
			}
			m.nothingLeft()
		})
	}
}

// TestAClosedWindow loses its terminal: the run is undone and cleaned up, as
// where it is told to end.
func TestAClosedWindow(t *testing.T) {
	m := inTmux(t, "--hold --speed 100 --ui tui")
	m.await("ON HOLD", "before baseline")
	pid := m.process()
	m.tmux("new-session", "-d", "-s", "other", "cat") // keeps the server up
	m.tmux("kill-session", "-t", "s")
	for deadline := time.Now().Add(40 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the process did not end within 40 s")
		}
	}
	m.nothingLeft()
}
