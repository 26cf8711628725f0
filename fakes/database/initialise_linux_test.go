package database

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestEndedWhileItsDataAreMade: what makes a PostgreSQL server's data has shared memory of its own, whose number
// is nowhere once the data are gone: it goes with them, whether its owner is asked to end or killed.
func TestEndedWhileItsDataAreMade(t *testing.T) {
	requireServer(t, "postgres")
	for name, end := range map[string]func(pid int, cancel func()){
		"asked":  func(_ int, cancel func()) { cancel() },
		"killed": func(pid int, cancel func()) { _ = unix.Kill(pid, unix.SIGKILL); cancel() }, // as a sweep does
	} {
		t.Run(name, func(t *testing.T) { endWhileDataAreMade(t, end) })
	}
}

// endWhileDataAreMade ends the first process that makes the data and has memory, and looks for that of all.
func endWhileDataAreMade(t *testing.T, end func(pid int, cancel func())) {
	t.Helper()
	folder := testFolder()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := startPostgres(ctx, contract.Database{
			Kind: "postgres", Name: "db", Server: contract.Server{AdminPassword: adminPassword, Folder: folder},
		}, history.NewLogger(io.Discard, "db"), func(postgresLine) {})
		ended <- err
	}()
	segments := map[int]bool{}
	var err error
	for going := true; going; {
		select {
		case err = <-ended:
			going = false
		default:
			if pid, segment := lockedBy(folder); segment != 0 {
				if len(segments) == 0 {
					end(pid, cancel)
				}
				segments[segment] = true
			}
		}
	}
	if err == nil || len(segments) == 0 {
		t.Fatalf("got %v, and %d segments seen: it was not ended in time, and nothing is shown", err, len(segments))
	}
	for segment := range segments {
		if _, err := unix.SysvShmCtl(segment, unix.IPC_STAT, &unix.SysvShmDesc{}); err == nil {
			_, _ = unix.SysvShmCtl(segment, unix.IPC_RMID, nil)
			t.Error("shared memory is left")
		}
	}
	if _, err := os.Stat(filepath.Join(os.TempDir(), folder)); err == nil {
		t.Error("its folder is left")
	}
}

// lockedBy is the process that has the data, and its shared memory; 0 where there is none.
func lockedBy(folder string) (pid, segment int) {
	text, _ := os.ReadFile(filepath.Join(os.TempDir(), folder, "data", "postmaster.pid")) // gone, or not yet there
	lines := strings.Split(string(text), "\n")
	if len(lines) < 7 {
		return 0, 0
	}
	words := strings.Fields(lines[6])
	if len(words) != 2 {
		return 0, 0
	}
	pid, _ = strconv.Atoi(strings.TrimPrefix(lines[0], "-")) // with the sign it serves nobody
	segment, _ = strconv.Atoi(words[1])
	return pid, segment
}
