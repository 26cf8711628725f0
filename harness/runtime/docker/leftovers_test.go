package docker

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// harnessRole makes the test binary a harness that waits to be killed.
const harnessRole = "TEST_HARNESS_RECORDS"

// beHarness starts two services, freezes one, says that it is done and waits.
func beHarness() {
	fail := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	record, err := leftover.Create(os.Getenv(harnessRole), fmt.Sprintf("test-orphans-%d", os.Getpid()))
	fail(err)
	r, err := New(ctx, os.Args[0], launch.Options{Record: record})
	fail(err)
	r.source.command, r.source.cache = standinPackage, os.Getenv("TEST_BINARIES")
	fail(r.Start(ctx, []world.Spec{{Name: "auth", Serve: "issuer"}, {Name: "frozen", Serve: "issuer"}}))
	fail(r.Pause(ctx, "frozen"))
	fmt.Println("started", record.Run())
	select {}
}

func TestSweepRemovesWhatADeadHarnessLeft(t *testing.T) {
	live, _ := newRuntime(t)
	if err := live.Start(t.Context(), []world.Spec{{Name: "auth", Serve: "issuer"}}); err != nil {
		t.Fatal(err)
	}
	records := t.TempDir()
	harness := exec.Command(os.Args[0])
	harness.Env = append(os.Environ(), harnessRole+"="+records, "TEST_BINARIES="+testBinaries)
	out, err := harness.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	harness.Stderr = os.Stderr
	if err := harness.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	said, run, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err != nil || said != "started" {
		t.Fatalf("the harness said %q, %v", line, err)
	}
	if report, err := leftover.Sweep(t.Context(), records, leftover.Places{Engines: []leftover.Engine{Leftovers{}}}); err != nil || slices.ContainsFunc(report.Removed, func(s string) bool {
		return strings.Contains(s, run)
	}) {
		t.Fatalf("sweep beside a live harness: got %+v, %v; want %s left alone", report, err, run)
	}
	if err := harness.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = harness.Wait() // killed: its exit is no news

	report, err := leftover.Sweep(t.Context(), records, leftover.Places{Engines: []leftover.Engine{Leftovers{}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"container rehearse-" + run + "-auth", "container rehearse-" + run + "-frozen", "network rehearse-" + run}
	for _, what := range want {
		if !slices.Contains(report.Removed, what) {
			t.Errorf("sweep removed %v; want also %s", report.Removed, what)
		}
	}
	if !slices.Contains(report.Runs, run) {
		t.Errorf("sweep ended runs %v; want %s", report.Runs, run)
	}
	found, err := live.engine.ContainerList(t.Context(), client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("label", LabelRun+"="+run),
	})
	if err != nil || len(found.Items) != 0 {
		t.Errorf("containers after the sweep: %v, %v; want none", found.Items, err)
	}
	if _, err := get(t, live.URL("auth", false)+"/greeting"); err != nil {
		t.Errorf("a service of a live run after the sweep: %v", err)
	}
}

func TestOnlyImagesMadeHereAreCache(t *testing.T) {
	for name, want := range map[string]bool{
		"rehearse:0123456789ab": true, "rehearse:dev": false, "rehearse:0123456789abc": false,
		"rehearse-vault:0123456789ab": false, "ghcr.io/rehearse-dev/rehearse:0123456789ab": false,
	} {
		if got := cachedImage.MatchString(name); got != want {
			t.Errorf("image %s counts as cache: %v; want %v", name, got, want)
		}
	}
}
