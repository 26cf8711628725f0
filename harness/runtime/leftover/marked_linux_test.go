package leftover

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

func TestSharedMemoryGoesWithItsFolder(t *testing.T) {
	segment := func() int {
		id, err := unix.SysvShmGet(unix.IPC_PRIVATE, 56, unix.IPC_CREAT|0o600)
		if err != nil {
			t.Skipf("there is no System V shared memory here: %v", err)
		}
		t.Cleanup(func() { _, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil) })
		return id
	}
	there := func(id int) bool {
		_, err := unix.SysvShmCtl(id, unix.IPC_STAT, &unix.SysvShmDesc{})
		return err == nil
	}
	killed, used := segment(), segment()
	memory, err := unix.SysvShmAttach(used, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.SysvShmDetach(memory) //nolint:errcheck // of a test
	for id, gone := range map[int]bool{killed: true, used: false} {
		folder := filepath.Join(t.TempDir(), "rehearse-over-db")
		must(t, os.MkdirAll(filepath.Join(folder, "data"), 0o700))
		lock := fmt.Sprintf("4711\n/data\n1764392000\n5432\n/tmp\nlocalhost\n  2094591    %d\nready   \n", id)
		must(t, os.WriteFile(filepath.Join(folder, "data", "postmaster.pid"), []byte(lock), 0o600))
		must(t, RemoveServed(folder))
		if there(id) == gone {
			t.Errorf("the segment is there: %v; want %v", there(id), !gone)
		}
	}
}
