//go:build unix

package attached_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/attached"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// TestOverdueCommandEnds: what a step has started does nothing any more once its
// time was over, whether it stayed in the step's process group, left it, or
// outlived whom it was started by.
func TestOverdueCommandEnds(t *testing.T) {
	for _, tt := range []struct{ name, script string }{
		{"a child", "sh -c 'sleep 3; touch acted' ; echo done"},
		{"a child in the background", "(sleep 3; touch acted) & wait"},
		{"one that does not listen", "trap '' TERM; sleep 3; touch acted"},
		{"one in a session of its own", "setsid sh -c 'sleep 3; touch acted'; sleep 3"},
		{"one that nobody waits for", "(setsid sh -c 'sleep 3; touch acted' &) ; sleep 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			team, dir := newTeam(t), t.TempDir()
			script := fmt.Sprintf("#!/bin/sh\necho $$ >pid\n%s\n", tt.script)
			if err := os.WriteFile(filepath.Join(dir, "withdraw.sh"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			s, p, err := attach(t, team, "", attached.Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			act := p.Rehearsal.Attach.Steps["withdraw"]
			act.Timeout = 200e6
			p.Rehearsal.Attach.Steps["withdraw"] = act
			makeBoth(t, s)
			err = s.Do(t.Context(), keyring.Withdraw, "k2")
			if err == nil || !strings.Contains(err.Error(), "took longer than 200ms, and was ended with all") {
				t.Errorf("got %v, want that it took too long and was ended", err)
			}
			if left := mentioning(t, dir); len(left) > 0 {
				t.Errorf("processes in its folder: got %q, want none", left)
			}
		})
	}
}

// mentioning are the processes that run in a folder.
func mentioning(t *testing.T, dir string) (found []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if at, err := os.Readlink(link); err == nil && at == dir {
			found = append(found, link)
		}
	}
	return found
}

// TestCommandLeavesSomethingRunning: a step that ended well has done its work,
// though what it started holds its output open.
func TestCommandLeavesSomethingRunning(t *testing.T) {
	team, dir := newTeam(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "withdraw.sh"), []byte("#!/bin/sh\nsleep 4 &\necho done\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	s, _, err := attach(t, team, "", attached.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	makeBoth(t, s)
	if err := s.Do(t.Context(), keyring.Withdraw, "k2"); err != nil {
		t.Errorf("got %v, want the step taken", err)
	}
}

// TestOverdueCallIsCancelled: nobody waits at the far side of a call that took
// too long.
func TestOverdueCallIsCancelled(t *testing.T) {
	team := newTeam(t)
	var cancelled atomic.Bool
	done := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		defer close(done)
		select {
		case <-r.Context().Done():
			cancelled.Store(true)
		case <-time.After(20 * time.Second):
		}
	}))
	defer slow.Close()
	s, p, err := attach(t, team, "", attached.Options{})
	if err != nil {
		t.Fatal(err)
	}
	act := p.Rehearsal.Attach.Steps["restore"]
	act.HTTP.URL, act.Timeout = slow.URL, 200e6
	p.Rehearsal.Attach.Steps["restore"] = act
	makeBoth(t, s)
	err = s.Do(t.Context(), keyring.Restore, "k1")
	if err == nil || !strings.Contains(err.Error(), "not answered within 200ms, and the call was cancelled") {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	if <-done; !cancelled.Load() {
		t.Error("the far side still waits, want the call cancelled")
	}
}

// makeBoth makes both credentials.
func makeBoth(t *testing.T, s *attached.System) {
	t.Helper()
	for _, name := range []string{"k1", "k2"} {
		if _, err := s.Make(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
}
