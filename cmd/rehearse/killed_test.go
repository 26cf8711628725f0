package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// deadly is a store at whose door whoever takes a step is killed: after the
// authority has it, which for this family is what is published, and before the
// keyring says so.
type deadly struct {
	url, token string
	store      http.Handler
	step       keyring.Intent

	mu      sync.Mutex
	begun   bool
	victim  *os.Process // nil: nobody is to be killed
	killed  chan struct{}
	last    state // when the mount of the run was taken away
	removed bool
	asked   int // requests
}

func (d *deadly) requests() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// state is what lies in the store of a run.
type state struct {
	ring      keyring.Keyring
	emit      string
	published []string // tags
}

func newDeadly(t *testing.T, step keyring.Intent) *deadly {
	t.Helper()
	d := &deadly{token: "root-token-of-a-deadly-store", step: step, killed: make(chan struct{})}
	d.store = store.New(d.token, io.Discard)
	server := httptest.NewServer(http.HandlerFunc(d.serve))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func (d *deadly) serve(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.asked++
	d.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if mount, ok := strings.CutPrefix(r.URL.Path, "/v1/sys/mounts/"); ok && r.Method == http.MethodDelete && !strings.HasSuffix(mount, "-database") {
		last := d.read(mount)
		d.mu.Lock()
		d.last, d.removed = last, true
		d.mu.Unlock()
	}
	if strings.HasSuffix(r.URL.Path, "/data/rehearse/keyring") && r.Method != http.MethodGet && d.kills(body) {
		http.Error(w, "", http.StatusServiceUnavailable) // to nobody
		return
	}
	d.store.ServeHTTP(w, r)
}

// kills looks at what is to be written to the keyring, and kills whoever writes
// that the step is done.
func (d *deadly) kills(body []byte) bool {
	var write struct {
		Data struct {
			Pending *keyring.Intent `json:"pending"`
		} `json:"data"`
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := json.Unmarshal(body, &write); err != nil || d.victim == nil {
		return false
	}
	if p := write.Data.Pending; p != nil {
		d.begun = *p == d.step
		return false
	}
	if !d.begun {
		return false
	}
	_ = d.victim.Kill() // SIGKILL; it has not ended, since it waits for an answer
	d.victim = nil
	close(d.killed)
	return true
}

// read is what lies at a mount, past the door.
func (d *deadly) read(mount string) state {
	get := func(path string, into any) {
		r := httptest.NewRequest(http.MethodGet, "/v1/"+mount+"/data/"+path, nil)
		r.Header.Set("X-Vault-Token", d.token)
		answer := httptest.NewRecorder()
		d.store.ServeHTTP(answer, r)
		var document struct {
			Data struct {
				Data json.RawMessage `json:"data"`
			} `json:"data"`
		}
		if json.Unmarshal(answer.Body.Bytes(), &document) == nil && document.Data.Data != nil {
			_ = json.Unmarshal(document.Data.Data, into) // what cannot be read stays empty, and is not what is wanted
		}
	}
	var s state
	var published struct {
		Emit string `json:"emit"`
		Keys []struct {
			Tag string `json:"tag"`
		} `json:"keys"`
	}
	get("rehearse/keyring", &s.ring)
	get("payments/hook", &published)
	s.emit = published.Emit
	for _, key := range published.Keys {
		s.published = append(s.published, key.Tag)
	}
	return s
}

// TestKilledRotatorIsResumed kills whole runs with SIGKILL, at each step between
// the authority and the store, and has them resumed.
func TestKilledRotatorIsResumed(t *testing.T) {
	t.Parallel()
	accept, emit := keyring.Intent{Step: keyring.Accept, Credential: "k2"}, keyring.Intent{Step: keyring.Emit, Credential: "k2"}
	revoke, destroy := keyring.Intent{Step: keyring.Revoke, Credential: "k1"}, keyring.Intent{Step: keyring.Destroy, Credential: "k1"}
	both, back, forth := []string{"k1", "k2"}, []string{"k1"}, []string{"k2"}
	for _, tt := range []struct {
		step      keyring.Intent
		finish    bool
		left      []string // published when it was killed
		emitLeft  string
		says      string
		published []string // in the end
		emit      string
	}{
		{accept, false, both, "k1", "taken back to k1", back, "k1"},
		{emit, false, both, "k2", "taken back to k1", back, "k1"},
		{revoke, false, forth, "k2", "taken back to k1", back, "k1"},
		{destroy, false, forth, "k2", "finished the destroy of k1", forth, "k2"},
		{accept, true, both, "k1", "finished the accept of k2", both, "k1"},
		{emit, true, both, "k2", "finished the emit of k2", both, "k2"},
		{revoke, true, forth, "k2", "finished the revoke of k1", forth, "k2"},
	} {
		name := fmt.Sprintf("%s %s", tt.step.Step, tt.step.Credential)
		if tt.finish {
			name += ", to be finished"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, dir := newDeadly(t, tt.step), t.TempDir()
			folder := filepath.Join(dir, "run")
			run := func(args ...string) *exec.Cmd {
				command := exec.CommandContext(t.Context(), "rehearse", append([]string{"run"}, args...)...)
				command.Env = append(os.Environ(), vaultTokenVariable+"="+d.token, "XDG_CACHE_HOME="+filepath.Join(dir, "cache"))
				return command
			}
			var said bytes.Buffer
			first := run("--ui", "plain", "--yes", "--runtime", "process", "--vault-addr", d.url, "--out", folder, filepath.Join("testdata", "resume", "killed.yaml"))
			first.Stdout, first.Stderr = &said, &said
			d.mu.Lock()
			err := first.Start()
			d.victim = first.Process
			d.mu.Unlock()
			if err != nil {
				t.Fatal(err)
			}
			_ = first.Wait() // it was killed
			select {
			case <-d.killed:
			default:
				t.Fatalf("it ended by itself, want it killed in the %s: %s", name, said.String())
			}

			mount := mountOf(t, folder)
			left := d.read(mount)
			if left.ring.Pending == nil || *left.ring.Pending != tt.step {
				t.Fatalf("the keyring that was left has %+v under way, want %+v", left.ring.Pending, tt.step)
			}
			if !slices.Equal(left.published, tt.left) || left.emit != tt.emitLeft {
				t.Errorf("published when it was killed: got %v with %s emitted, want %v with %s: the authority has it", left.published, left.emit, tt.left, tt.emitLeft)
			}

			// What the folder says is no reason to send a token there.
			asked := d.requests()
			if out, err := run("--resume", folder).CombinedOutput(); exitStatus(err) != exitUsage || !strings.Contains(string(out), "--vault-addr") || d.requests() != asked {
				t.Errorf("resume without an address: got %v and %q, want an error of usage, and nobody asked", err, out)
			}
			args := []string{"--resume", folder, "--vault-addr", d.url}
			if tt.finish {
				args = append(args, "--finish")
			}
			out, err := run(args...).CombinedOutput()
			if err != nil || !strings.Contains(string(out), tt.says) || !strings.Contains(string(out), "authority and store agree") {
				t.Errorf("resume: got %v and %q, want that it %s and that all agree", err, out, tt.says)
			}
			d.mu.Lock()
			last, removed := d.last, d.removed
			d.mu.Unlock()
			if !removed {
				t.Error("the mount of the run is still there")
			}
			if last.ring.Pending != nil || last.ring.Emit != tt.emit || !slices.Equal(last.ring.In(keyring.Accepted), tt.published) {
				t.Errorf("the keyring in the end: got %+v, want %v accepted and %s emitted", last.ring, tt.published, tt.emit)
			}
			if !slices.Equal(last.published, tt.published) || last.emit != tt.emit {
				t.Errorf("published in the end: got %v with %s emitted, want %v with %s", last.published, last.emit, tt.published, tt.emit)
			}
			model, err := savedModel(folder)
			if err != nil {
				t.Fatal(err)
			}
			if model.Verdict.Verdict == "pass" || model.Rollback.Proven {
				t.Errorf("verdict: got %s, rollback %+v, want no pass and no proof: nobody was there to see it", model.Verdict.Verdict, model.Rollback)
			}

			again, err := run(args...).CombinedOutput()
			if code := exitStatus(err); code != exitUsage || !strings.Contains(string(again), "there is nothing to resume") {
				t.Errorf("resumed again: got exit code %d and %q, want %d and that there is nothing", code, again, exitUsage)
			}
		})
	}
}

// exitStatus is the exit code of a command.
func exitStatus(err error) int {
	if exit, isExit := errors.AsType[*exec.ExitError](err); isExit {
		return exit.ExitCode()
	}
	return 0
}

// mountOf is the mount of the run in a folder.
func mountOf(t *testing.T, folder string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, "unfinished.json"))
	if err != nil {
		t.Fatal(err)
	}
	var u struct {
		Run string `json:"run"`
	}
	if err := json.Unmarshal(data, &u); err != nil {
		t.Fatal(err)
	}
	return "rehearse-" + u.Run
}
