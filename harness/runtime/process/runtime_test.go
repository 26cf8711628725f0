//go:build unix

package process

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// standin is the binary of ../testdata/standin.
var standin string

func TestMain(m *testing.M) {
	if os.Getenv(harnessRole) != "" {
		beHarness()
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "standin")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		standin = filepath.Join(dir, "standin")
		if out, err := exec.Command("go", "build", "-o", standin, "../testdata/standin").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build stand-in: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// logbook keeps the lines of every service, and how services ended.
type logbook struct {
	mu    sync.Mutex
	lines map[string][]string
	exits map[string][]error
}

func (b *logbook) sink(service string, line []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines[service] = append(b.lines[service], string(line))
}

func (b *logbook) onExit(service string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.exits[service] = append(b.exits[service], err)
}

func (b *logbook) of(service string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.lines[service])
}

func (b *logbook) exitsOf(service string) []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.exits[service])
}

func newRuntime(t *testing.T) (*Runtime, *logbook) {
	t.Helper()
	record, err := leftover.Create(t.TempDir(), "test-"+strings.ToLower(rand.Text()[:12]))
	if err != nil {
		t.Fatal(err)
	}
	book := &logbook{lines: map[string][]string{}, exits: map[string][]error{}}
	r := New(standin, launch.Options{Record: record, Sink: book.sink, OnExit: book.onExit, ReadyWithin: 10 * time.Second})
	t.Cleanup(func() {
		if err := r.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return r, book
}

// get is the body of an answer, or the error.
func get(t *testing.T, url string) (string, error) {
	t.Helper()
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 10s until %s", what)
		}
	}
}

func TestStartTellsAddressesAndSettings(t *testing.T) {
	t.Setenv("VAULT_TOKEN", "of-the-shell")
	t.Setenv("REHEARSE_STRAY", "of-the-shell")
	r, book := newRuntime(t)
	specs := []world.Spec{
		{
			Name: "front", Serve: "verifier", Needs: []string{"back-end"}, Control: "token-of-the-run",
			Config:      &settings{"fetch": "{{ .back-end.url }}/greeting"},
			Environment: map[string]string{"BACK": "{{ .back-end.host }}:{{.back-end.port}}"},
		},
		{Name: "back-end", Serve: "issuer", Config: &settings{"greeting": "hello"}},
	}
	if err := r.Start(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, r.URL("front", false)+"/fetch"); err != nil || got != "hello" {
		t.Errorf("front asked back-end and got %q, %v; want hello", got, err)
	}
	environment, err := get(t, r.URL("front", false)+"/environment")
	if err != nil {
		t.Fatal(err)
	}
	told, err := get(t, r.URL("front", false)+"/told")
	if want := "BACK=" + strings.TrimPrefix(r.URL("back-end", true), "http://"); err != nil || !strings.Contains(told, want) {
		t.Errorf("it was told no %s: %s, %v", want, told, err)
	}
	for _, sealed := range []string{"REHEARSE_CONFIG=", "REHEARSE_CONTROL=", "token-of-the-run", "/greeting"} {
		if strings.Contains(environment, sealed) {
			t.Errorf("environment has %s, which is to come by a descriptor: %s", sealed, environment)
		}
	}
	if strings.Contains(environment, "of-the-shell") {
		t.Errorf("environment has variables of the surrounding shell: %s", environment)
	}
	eventually(t, "front's command line is in its log", func() bool { return slices.Contains(book.of("front"), "args serve verifier") })
	if got := r.URL("nobody", false); got != "" {
		t.Errorf("URL of an unknown service is %q; want none", got)
	}
}

func TestStartTwiceAddsServices(t *testing.T) {
	r, _ := newRuntime(t)
	if err := r.Start(t.Context(), []world.Spec{{Name: "store", Serve: "store", Config: &settings{"greeting": "first"}}}); err != nil {
		t.Fatal(err)
	}
	second := world.Spec{Name: "auth", Serve: "issuer", Needs: []string{"store"}, Config: &settings{"fetch": "{{ .store.url }}/greeting"}}
	if err := r.Start(t.Context(), []world.Spec{second}); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, r.URL("auth", false)+"/fetch"); err != nil || got != "first" {
		t.Errorf("auth asked store and got %q, %v; want first", got, err)
	}
	if err := r.Start(t.Context(), []world.Spec{second}); err == nil {
		t.Error("a second service of the same name was started")
	}
}

func TestStartWaitsForNeeds(t *testing.T) {
	r, book := newRuntime(t)
	began := time.Now()
	err := r.Start(t.Context(), []world.Spec{
		{Name: "auth", Serve: "issuer", Needs: []string{"store"}},
		{Name: "store", Serve: "store", Config: &settings{"delay": "300ms"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("all was ready after %s, before store could be", took)
	}
	eventually(t, "auth has written", func() bool { return len(book.of("auth")) > 0 })
}

func TestStartSaysWhatFailed(t *testing.T) {
	tests := []struct {
		name  string
		specs []world.Spec
		want  []string // parts of the error
		never string
	}{
		{
			name:  "never ready",
			specs: []world.Spec{{Name: "auth", Serve: "issuer", Config: &settings{"unwell": true}}},
			want:  []string{"start auth: waited", "200 from GET http://127.0.0.1:", "/healthz", "last seen: 503 Service Unavailable"},
		},
		{
			name:  "ends at once",
			specs: []world.Spec{{Name: "auth", Serve: "issuer", Config: &settings{"exit": 7}}},
			want:  []string{"start auth", "ended before it was ready", "exit status 7"},
		},
		{
			name: "one fails while another waits for it",
			specs: []world.Spec{
				{Name: "store", Serve: "store", Config: &settings{"exit": 7}},
				{Name: "auth", Serve: "issuer", Needs: []string{"store"}},
			},
			want:  []string{"start store", "exit status 7"},
			never: "auth",
		},
		{
			name:  "image",
			specs: []world.Spec{{Name: "reports", Image: "acme/reports:1.4"}},
			want:  []string{"start reports", "acme/reports:1.4 needs docker"},
		},
		{
			name:  "unknown service in a setting",
			specs: []world.Spec{{Name: "auth", Serve: "issuer", Config: &settings{"store": map[string]any{"url": "token-value {{ .aut.url }}"}}}},
			want:  []string{"start auth", "config.store.url", "{{ .aut.url }}", `did you mean "auth"`},
			never: "token-value",
		},
		{
			name:  "unknown need",
			specs: []world.Spec{{Name: "auth", Serve: "issuer", Needs: []string{"store"}}},
			want:  []string{"start auth: it needs store"},
		},
		{
			name: "circle of needs",
			specs: []world.Spec{
				{Name: "a", Serve: "issuer", Needs: []string{"b"}},
				{Name: "b", Serve: "issuer", Needs: []string{"a"}},
			},
			want: []string{"circle: a → b → a"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, _ := newRuntime(t)
			r.o.ReadyWithin = 500 * time.Millisecond
			err := r.Start(t.Context(), tt.specs)
			if err == nil {
				t.Fatal("started; want an error")
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error is %q; want it to say %q", err, part)
				}
			}
			if tt.never != "" && strings.Contains(err.Error(), tt.never) {
				t.Errorf("error is %q; want it not to say %q", err, tt.never)
			}
		})
	}
}

func TestStopDeliversTheWholeLog(t *testing.T) {
	r, book := newRuntime(t)
	if err := r.Start(t.Context(), []world.Spec{{Name: "auth", Serve: "issuer"}}); err != nil {
		t.Fatal(err)
	}
	url := r.URL("auth", false)
	if err := r.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := book.of("auth")
	if n := slices.Index(got, "bye"); n < 1000 || n != len(got)-1 {
		t.Errorf("last of %d lines is %q; want 1000 lines and then bye", len(got), got[len(got)-1])
	}
	if exits := book.exitsOf("auth"); len(exits) != 0 {
		t.Errorf("stop was told as an exit: %v", exits)
	}
	if _, err := get(t, url); err == nil {
		t.Error("it still answers after stop")
	}
	if err := r.Stop(t.Context()); err != nil {
		t.Errorf("a second stop: %v", err)
	}
}

func TestStopEndsWhatDoesNotWantTo(t *testing.T) {
	r, _ := newRuntime(t)
	err := r.Start(t.Context(), []world.Spec{
		{Name: "stubborn", Serve: "issuer", Config: &settings{"stubborn": true}},
		{Name: "frozen", Serve: "issuer"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Pause(t.Context(), "frozen"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := r.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	// How much more than that it takes is the machine's; without an end the test has none.
	if took := time.Since(began); took < launch.Grace {
		t.Errorf("stop took %s; want the grace of %s", took, launch.Grace)
	}
}

func TestExitIsTold(t *testing.T) {
	r, book := newRuntime(t)
	if err := r.Start(t.Context(), []world.Spec{{Name: "auth", Serve: "issuer"}}); err != nil {
		t.Fatal(err)
	}
	_, _ = get(t, r.URL("auth", false)+"/exit")
	eventually(t, "the exit was told", func() bool { return len(book.exitsOf("auth")) == 1 })
	if got := book.exitsOf("auth")[0]; !strings.Contains(got.Error(), "exit status 3") || errors.Is(got, launch.ErrKilled) {
		t.Errorf("exit is %q; want exit status 3, not killed on request", got)
	}
	if got := book.of("auth"); !slices.Contains(got, "going 999") {
		t.Errorf("the exit was told before the log's end, at %q", got[len(got)-1])
	}
}

func TestKillAndRestart(t *testing.T) {
	r, book := newRuntime(t)
	if err := r.Start(t.Context(), []world.Spec{{Name: "auth", Serve: "issuer"}}); err != nil {
		t.Fatal(err)
	}
	url := r.URL("auth", false)
	if err := r.Restart(t.Context(), "auth"); err == nil {
		t.Error("a running service was restarted")
	}
	for i := range 3 {
		if got, err := get(t, url+"/served"); err != nil || got != "1" {
			t.Fatalf("life %d: first answer is %q, %v; want 1", i, got, err)
		}
		if err := r.Kill(t.Context(), "auth"); err != nil {
			t.Fatal(err)
		}
		if _, err := get(t, url+"/served"); err == nil || !strings.Contains(err.Error(), "refused") {
			t.Fatalf("life %d: after kill got %v; want connection refused", i, err)
		}
		if err := r.Restart(t.Context(), "auth"); err != nil {
			t.Fatal(err)
		}
	}
	exits := book.exitsOf("auth")
	if len(exits) != 3 || !errors.Is(exits[0], launch.ErrKilled) {
		t.Errorf("exits are %v; want three that were killed on request", exits)
	}
	if err := r.Kill(t.Context(), "nobody"); err == nil {
		t.Error("an unknown service was killed")
	}
}

func TestPauseAndUnpause(t *testing.T) {
	r, _ := newRuntime(t)
	if err := r.Start(t.Context(), []world.Spec{{Name: "auth", Serve: "issuer"}}); err != nil {
		t.Fatal(err)
	}
	url := r.URL("auth", false)
	if err := r.Pause(t.Context(), "auth"); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, url+"/served"); !os.IsTimeout(err) {
		t.Errorf("a paused service: got %v; want a timeout", err)
	}
	if err := r.Unpause(t.Context(), "auth"); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, url+"/served"); err != nil {
		t.Errorf("after unpause: %v", err)
	}
}

func TestCommandWithoutImage(t *testing.T) {
	r, book := newRuntime(t)
	err := r.Start(t.Context(), []world.Spec{{
		Name: "vault", Command: []string{standin, "server"}, Health: "/healthz",
		Environment: map[string]string{"REHEARSE_LISTEN": "{{ .vault.host }}:{{ .vault.port }}", "REHEARSE_CONFIG": "{}"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "its own command line is in its log", func() bool { return slices.Contains(book.of("vault"), "args server") })
}

// TestInit runs what comes before a service in order, before each of its starts, and does not
// start it where one of them fails.
func TestInit(t *testing.T) {
	r, book := newRuntime(t)
	shop := world.Spec{
		Name: "shop", Command: []string{standin, "server"}, Init: [][]string{{standin, "job", "0", "{{ .shop.port }}"}, {standin, "job", "0"}}, Health: "/healthz",
		Environment: map[string]string{"REHEARSE_LISTEN": "{{ .shop.host }}:{{ .shop.port }}", "REHEARSE_CONFIG": "{}"},
	}
	if err := r.Start(t.Context(), []world.Spec{shop}); err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(r.URL("shop", false), "http://"), ":")
	want := []string{"args job 0 " + port, "args job 0", "args server"}
	ran := func() []string {
		return slices.DeleteFunc(book.of("shop"), func(line string) bool { return !strings.HasPrefix(line, "args") })
	}
	eventually(t, "its log has all three in order", func() bool { return slices.Equal(ran(), want) })
	if err := r.Redeploy(t.Context(), "shop", nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "they run before its next start too", func() bool { return slices.Equal(ran(), append(want, want...)) })
	if exits := book.exitsOf("shop"); len(exits) > 0 {
		t.Errorf("their ends were told: %v", exits)
	}

	fails := world.Spec{Name: "till", Command: []string{standin, "server"}, Init: [][]string{{standin, "job", "0"}, {standin, "job", "3"}}, Environment: map[string]string{"REHEARSE_CONFIG": "{}"}}
	err := r.Start(t.Context(), []world.Spec{fails})
	if err == nil || !strings.Contains(err.Error(), "start till: init[1], which is to run before it: exit status 3") {
		t.Errorf("one that fails: got %v, want which and how", err)
	}
	if slices.Contains(book.of("till"), "args server") {
		t.Error("it was started all the same")
	}
}

func TestRedeployLosesNoRequest(t *testing.T) {
	r, book := newRuntime(t)
	spec := world.Spec{
		Name: "billing", Serve: "charger", Config: &settings{"greeting": "hello"},
		Environment: map[string]string{"SECRET": "of-k1", "OTHER": "stays"},
	}
	if err := r.Start(t.Context(), []world.Spec{spec}); err != nil {
		t.Fatal(err)
	}
	url := r.URL("billing", true)
	stop, asked := make(chan struct{}), 0
	var asking sync.WaitGroup
	asking.Go(func() {
		for ; ; asked++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := get(t, url+"/greeting"); err != nil {
				t.Errorf("while it was replaced: %v", err)
			}
		}
	})
	if err := r.Redeploy(t.Context(), "billing", map[string]string{"SECRET": "of-k2"}); err != nil {
		t.Fatal(err)
	}
	close(stop)
	asking.Wait()
	if asked == 0 {
		t.Error("nobody asked meanwhile: the test shows nothing")
	}
	if got := r.URL("billing", true); got != url {
		t.Errorf("got address %s, want it to stay %s", got, url)
	}
	environment, err := get(t, url+"/told")
	if err != nil || !strings.Contains(environment, "SECRET=of-k2") || strings.Contains(environment, "of-k1") || !strings.Contains(environment, "OTHER=stays") {
		t.Errorf("got environment %q, %v; want the new value beside what stays", environment, err)
	}
	if exits := book.exitsOf("billing"); len(exits) != 0 {
		t.Errorf("got exits %v, want none: it was replaced in order", exits)
	}
	if err := r.Kill(t.Context(), "billing"); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, url+"/greeting"); err == nil {
		t.Error("after it was killed: got an answer, want the connection refused")
	}
	if err := r.Redeploy(t.Context(), "billing", nil); err == nil {
		t.Error("redeploy of what has ended: got no error")
	}
}

func TestCommandIsToldToReload(t *testing.T) {
	r, book := newRuntime(t)
	dir := t.TempDir()
	err := r.Start(t.Context(), []world.Spec{{
		Name: "reports", Command: []string{standin, "server"}, Health: "/healthz", Dir: dir,
		Environment: map[string]string{"REHEARSE_LISTEN": "{{ .reports.host }}:{{ .reports.port }}", "REHEARSE_CONFIG": "{}"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "note"), []byte("here"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, r.URL("reports", false)+"/file?path=note"); err != nil || got != "here" {
		t.Errorf("got %q, %v from the folder that it runs in, want here", got, err)
	}
	if err := r.Signal(t.Context(), "reports", "HUP"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it was told to reload", func() bool { return slices.Contains(book.of("reports"), "told to reload") })
	if err := r.Signal(t.Context(), "nobody", "HUP"); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("got %v, want that there is no such service", err)
	}
}

// settings are those of a stand-in that is made up.
type settings map[string]any

// Serves is a name that no stand-in has.
func (*settings) Serves() string { return "made-up" }
