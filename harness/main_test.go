package harness

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes"
	"github.com/rehearse-dev/rehearse/fakes/standin"
	fakestore "github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness/load"
)

// TestMain lets the test's own binary be every stand-in, as rehearse itself is.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		if err := serve(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "rotate" {
		if err := rotate(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serve(name string) error {
	services := maps.Clone(fakes.Services)
	services["load"], services["store"] = load.Serve, fakestore.Serve
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	process := standin.Process{Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout}
	return process.Run(ctx, services[name])
}

// inProcesses are options of a run that leaves nothing behind.
func inProcesses(t *testing.T) Options {
	t.Helper()
	dir := t.TempDir()
	return Options{Folder: filepath.Join(dir, "run"), Runs: filepath.Join(dir, "runs"), Runtime: Process}
}
