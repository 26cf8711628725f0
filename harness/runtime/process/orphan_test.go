//go:build unix

package process

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// harnessRole makes the test binary a harness that waits to be killed.
const harnessRole = "TEST_HARNESS_RECORDS"

// beHarness starts three services, freezes one, says who they are and waits.
// vault is a command that knows of no lifeline.
func beHarness() {
	record, err := leftover.Create(os.Getenv(harnessRole), "orphans")
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	r := New(os.Getenv("TEST_STANDIN"), launch.Options{Record: record})
	err = r.Start(context.Background(), []world.Spec{
		{Name: "auth", Serve: "issuer"},
		{Name: "frozen", Serve: "issuer"},
		{
			Name: "vault", Command: []string{os.Getenv("TEST_STANDIN")}, Health: "/healthz",
			Environment: map[string]string{"REHEARSE_LISTEN": "{{ .vault.host }}:{{ .vault.port }}", "REHEARSE_CONFIG": "{}"},
		},
	})
	if err == nil {
		err = r.Pause(context.Background(), "frozen")
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for _, name := range []string{"auth", "frozen", "vault"} {
		fmt.Println(name, r.service(name).life().cmd.Process.Pid)
	}
	select {}
}

func TestNothingOutlivesAKilledHarness(t *testing.T) {
	records := t.TempDir()
	harness := exec.Command(os.Args[0])
	harness.Env = append(os.Environ(), harnessRole+"="+records, "TEST_STANDIN="+standin)
	out, err := harness.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	harness.Stderr = os.Stderr
	if err := harness.Start(); err != nil {
		t.Fatal(err)
	}
	children := map[string]leftover.Identity{}
	scanner := bufio.NewScanner(out)
	for len(children) < 3 && scanner.Scan() {
		name, pid, _ := strings.Cut(scanner.Text(), " ")
		n, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatalf("the harness said %q", scanner.Text())
		}
		if children[name], err = leftover.Identify(n); err != nil {
			t.Fatal(err)
		}
	}
	report, err := leftover.Sweep(t.Context(), records, leftover.Places{})
	if err != nil || len(report.Removed) != 0 || !slices.Equal(report.Live, []string{"orphans"}) {
		t.Fatalf("sweep beside a live harness: got %+v, %v; want it left alone", report, err)
	}
	if err := harness.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = harness.Wait() // killed: its exit is no news

	eventually(t, "the lifeline has ended auth", func() bool { return !children["auth"].Alive() })
	// The kernel hangs up a process group that lost its parent while it was
	// stopped (setpgid(2)).
	eventually(t, "the frozen child has ended", func() bool { return !children["frozen"].Alive() })
	if !children["vault"].Alive() {
		t.Fatal("vault ended by itself: the test shows nothing of the sweep")
	}
	report, err = leftover.Sweep(t.Context(), records, leftover.Places{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{fmt.Sprintf("process %d", children["vault"].PID)}
	if !slices.Equal(report.Removed, want) || !slices.Equal(report.Runs, []string{"orphans"}) {
		t.Errorf("sweep: got %+v; want %v removed of run orphans", report, want)
	}
	if children["vault"].Alive() {
		t.Error("vault is still there after the sweep")
	}
	if left, err := filepath.Glob(filepath.Join(records, "*.json")); err != nil || len(left) != 0 {
		t.Errorf("records after the sweep: %v, %v; want none", left, err)
	}
}
