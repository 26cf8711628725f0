//go:build linux

package process

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// wrapped is a service as teams start theirs: a shell, and below it the service
// and a helper of it that has left its group. Both write who they are.
func wrapped(t *testing.T, script string) (spec world.Spec, below func() []leftover.Identity) {
	t.Helper()
	dir := t.TempDir()
	spec = world.Spec{
		Name: "payments", Health: "/healthz", Command: []string{"sh", "-c", script},
		Environment: map[string]string{
			"SERVICE": standin, "DIR": dir, "REHEARSE_LISTEN": "{{ .payments.host }}:{{ .payments.port }}", "REHEARSE_CONFIG": "{}",
		},
	}
	return spec, func() (found []leftover.Identity) {
		for _, name := range []string{"service", "helper"} {
			var who leftover.Identity
			eventually(t, name+" has started", func() bool {
				text, err := os.ReadFile(filepath.Join(dir, name))
				pid, bad := strconv.Atoi(strings.TrimSpace(string(text)))
				if err != nil || bad != nil {
					return false
				}
				who, err = leftover.Identify(pid)
				return err == nil
			})
			found = append(found, who)
		}
		return found
	}
}

const (
	background = `setsid sh -c 'echo $$ > "$DIR/helper"; exec sleep 300' & "$SERVICE" & echo $! > "$DIR/service"; wait`
	daemon     = `setsid sh -c 'echo $$ > "$DIR/helper"; exec sleep 300' & "$SERVICE" & echo $! > "$DIR/service"; while [ ! -e "$DIR/go" ]; do sleep 0.05; done`
)

// TestNothingOutlivesItsService ends a team's own service in each way that there
// is: nothing that it has started is left, and its port is free.
func TestNothingOutlivesItsService(t *testing.T) {
	ways := map[string]func(t *testing.T, r *Runtime, dir string){
		"stopped": func(t *testing.T, r *Runtime, _ string) {
			if err := r.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"killed": func(t *testing.T, r *Runtime, _ string) {
			if err := r.Kill(t.Context(), "payments"); err != nil {
				t.Error(err)
			}
		},
		"frozen and stopped": func(t *testing.T, r *Runtime, _ string) {
			if err := r.Pause(t.Context(), "payments"); err != nil {
				t.Error(err)
			}
			if _, err := get(t, r.URL("payments", false)+"/healthz"); err == nil {
				t.Error("the service answers while what it runs in is frozen")
			}
			if err := r.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		},
		"ended by itself": func(t *testing.T, _ *Runtime, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
				t.Error(err)
			}
		},
		"interrupted": func(t *testing.T, r *Runtime, _ string) {
			over, cancel := context.WithCancel(t.Context())
			cancel()
			if err := r.Stop(over); err != nil {
				t.Error(err)
			}
		},
	}
	for name, end := range ways {
		t.Run(name, func(t *testing.T) {
			r, _ := newRuntime(t)
			script := background
			if name == "ended by itself" {
				script = daemon
			}
			spec, below := wrapped(t, script)
			if err := r.Start(t.Context(), []world.Spec{spec}); err != nil {
				t.Fatal(err)
			}
			address := strings.TrimPrefix(r.URL("payments", false), "http://")
			rest := below()
			end(t, r, spec.Environment["DIR"])
			for i, who := range rest {
				eventually(t, fmt.Sprintf("number %d below the shell has ended", i+1), func() bool { return !who.Alive() })
			}
			l, err := net.Listen("tcp4", address)
			if err != nil {
				t.Fatalf("its port afterwards: %v", err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
