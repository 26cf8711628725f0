package leftover

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rehearse-dev/rehearse/harness/peer"
)

// wanderer starts a shell with a mark, whose child leaves its group and session
// and outlives it, and says who that is.
func wanderer(t *testing.T, mark string) Identity {
	return wandererBy(t, mark, "setsid sh -c 'echo $$; exec sleep 60 >/dev/null 2>&1'  & wait $!")
}

// wandererBy is one that a line for a shell starts, and that says its number.
func wandererBy(t *testing.T, mark, line string) Identity {
	t.Helper()
	shell := exec.Command("sh", "-c", line)
	shell.Env = append(os.Environ(), peer.MarkVariable+"="+mark)
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(out).ReadString('\n')
	pid, bad := strconv.Atoi(strings.TrimSpace(said))
	if err != nil || bad != nil {
		t.Fatalf("the shell said %q, %v", said, err)
	}
	who, err := Identify(pid)
	if err != nil {
		t.Fatal(err)
	}
	_ = shell.Process.Kill()
	_ = shell.Wait() // killed
	t.Cleanup(func() { _ = unix.Kill(pid, unix.SIGKILL) })
	return who
}

// TestWanderersAreFound: whoever has left the group of those that a dead run
// started is found by the mark, and nobody else is.
func TestWanderersAreFound(t *testing.T) {
	dir := t.TempDir()
	var of string
	bequeath(t, dir, "over", func(s *state) { s.Harness = dead(t); of = s.mark("payments") })
	wanders, others := wanderer(t, of), wanderer(t, strings.Replace(of, "over@", "under@", 1))
	if !wanders.Alive() {
		t.Fatal("the child ended with its parent: the test shows nothing")
	}
	report, err := Sweep(t.Context(), dir, Places{})
	if err != nil || wanders.Alive() || len(report.Removed) != 1 || report.Removed[0] != fmt.Sprintf("process %d", wanders.PID) {
		t.Errorf("got %+v, %v, alive=%v; want the child of a child ended", report, err, wanders.Alive())
	}
	if !others.Alive() {
		t.Error("what another run started was ended")
	}
}

// TestChildrenOfWanderersAreFound: whoever has left the group, and was started without any
// environment, is found by who started it.
func TestChildrenOfWanderersAreFound(t *testing.T) {
	dir := t.TempDir()
	var of string
	bequeath(t, dir, "over", func(s *state) { s.Harness = dead(t); of = s.mark("payments") })
	const line = "setsid sh -c 'env -i sh -c \"echo \\$\\$; exec sleep 60 >/dev/null 2>&1\"; :' & wait $!"
	child, others := wandererBy(t, of, line), wandererBy(t, strings.Replace(of, "over@", "under@", 1), line)
	if mark, _ := peer.MarkOf(child.PID); mark != "" || !child.Alive() {
		t.Fatalf("its mark is %q, alive=%v: the test shows nothing", mark, child.Alive())
	}
	if report, err := Sweep(t.Context(), dir, Places{}); err != nil || child.Alive() {
		t.Errorf("got %+v, %v, alive=%v; want it ended with who started it", report, err, child.Alive())
	}
	if !others.Alive() {
		t.Error("what another run started was ended")
	}
}

func TestAnotherWithThatNumberLives(t *testing.T) {
	dir := t.TempDir()
	_, other := sleeper(t) // it has an environment, and no mark in it
	bequeath(t, dir, "over", func(s *state) { s.Harness, s.Processes = dead(t), []Identity{other} })
	if report, err := Sweep(t.Context(), dir, Places{}); err != nil || !other.Alive() {
		t.Errorf("got %+v, %v, alive=%v; want a process without the mark left alone", report, err, other.Alive())
	}
}
