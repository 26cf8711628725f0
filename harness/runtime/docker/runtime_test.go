package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const standinPackage = modulePath + "/harness/runtime/testdata/standin"

// testBinaries is where binaries for containers are built.
var testBinaries string

func TestMain(m *testing.M) {
	if os.Getenv(harnessRole) != "" {
		beHarness()
	}
	if os.Getenv(importerRole) != "" {
		beImporter()
	}
	dir, err := os.MkdirTemp("", "binaries")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	testBinaries = dir
	code := m.Run()
	if err := errors.Join(removeTestImages(), os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// testImages are the images that tests made: they are of no use to anybody.
var testImages sync.Map

func removeTestImages() error {
	e, err := connect(context.Background())
	if errors.Is(err, ErrNoEngine) {
		return nil
	}
	if err != nil {
		return err
	}
	defer e.Close()
	testImages.Range(func(image, _ any) bool {
		_, err = e.ImageRemove(context.Background(), image.(string), client.ImageRemoveOptions{PruneChildren: true})
		return err == nil
	})
	return err
}

// needEngine skips a test where no engine answers, unless one was promised.
func needEngine(t *testing.T) {
	t.Helper()
	if _, err := Available(t.Context()); err != nil {
		if os.Getenv("REHEARSE_REQUIRE_DOCKER") == "1" {
			t.Fatalf("REHEARSE_REQUIRE_DOCKER=1, and %v", err)
		}
		t.Skipf("needs docker: %v", err)
	}
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

// newRuntime is a runtime of the test's stand-in, for a run of its own.
func newRuntime(t *testing.T) (*Runtime, *logbook) {
	t.Helper()
	needEngine(t)
	run := fmt.Sprintf("test-%d-%d", os.Getpid(), time.Now().UnixNano())
	record, err := leftover.Create(t.TempDir(), run)
	if err != nil {
		t.Fatal(err)
	}
	book := &logbook{lines: map[string][]string{}, exits: map[string][]error{}}
	r, err := New(t.Context(), os.Args[0], launch.Options{
		Record: record, Sink: book.sink, OnExit: book.onExit, ReadyWithin: 20 * time.Second,
		Progress: func(what string) { t.Log(what) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.source.command, r.source.cache = standinPackage, testBinaries
	t.Cleanup(func() {
		if r.image != "" {
			testImages.Store(r.image, true)
		}
		if err := r.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
		if left := leftOf(t, r); len(left) != 0 {
			t.Errorf("left on the engine after stop: %v", left)
		}
	})
	return r, book
}

// leftOf names the containers, networks and volumes of a run that are on the engine.
func leftOf(t *testing.T, r *Runtime) (left []string) {
	t.Helper()
	filter := client.Filters{}.Add("label", LabelRun+"="+r.o.Record.Run())
	containers, err := r.engine.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers.Items {
		left = append(left, c.Names...)
	}
	networks, err := r.engine.NetworkList(context.Background(), client.NetworkListOptions{Filters: filter})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks.Items {
		left = append(left, n.Name)
	}
	volumes, err := r.engine.VolumeList(context.Background(), client.VolumeListOptions{Filters: filter})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range volumes.Items {
		left = append(left, "volume "+v.Name)
	}
	return left
}

// get is the body of an answer, or the error.
func get(t *testing.T, url string) (string, error) {
	t.Helper()
	c := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20s until %s", what)
		}
	}
}

func TestStartTellsAddressesAndSettings(t *testing.T) {
	t.Setenv("VAULT_TOKEN", "of-the-shell")
	r, book := newRuntime(t)
	began := time.Now()
	err := r.Start(t.Context(), []world.Spec{
		{
			Name: "front", Serve: "verifier", Needs: []string{"back-end"},
			Config:      &settings{"fetch": "{{ .back-end.url }}/greeting"},
			Environment: map[string]string{"BACK": "{{ .back-end.host }}:{{ .back-end.port }}"},
		},
		{Name: "back-end", Serve: "issuer", Config: &settings{"greeting": "hello"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %s", time.Since(began))
	if got := r.URL("back-end", true); got != "http://back-end:8080" {
		t.Errorf("inside URL is %s; want http://back-end:8080", got)
	}
	if got, err := get(t, r.URL("front", false)+"/fetch"); err != nil || got != "hello" {
		t.Errorf("front asked back-end and got %q, %v; want hello", got, err)
	}
	environment, err := get(t, r.URL("front", false)+"/told")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(environment, "BACK=back-end:8080") || strings.Contains(environment, "of-the-shell") {
		t.Errorf("environment has not BACK, or has the shell's: %s", environment)
	}
	eventually(t, "front's command line is in its log", func() bool { return slices.Contains(book.of("front"), "args serve verifier") })
	// A second lot of services, which needs one of the first.
	if err := r.Start(t.Context(), []world.Spec{{
		Name: "third", Serve: "verifier", Needs: []string{"front"}, Config: &settings{"fetch": "{{ .front.url }}/fetch"},
	}}); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, r.URL("third", false)+"/fetch"); err != nil || got != "hello" {
		t.Errorf("third asked front and got %q, %v; want hello", got, err)
	}
}

func TestStartSaysWhatFailedAndStopLeavesNothing(t *testing.T) {
	tests := []struct {
		name  string
		specs []world.Spec
		want  []string // parts of the error
		never string
	}{
		{
			name: "never ready, beside one that is",
			specs: []world.Spec{
				{Name: "store", Serve: "store"},
				{Name: "auth", Serve: "issuer", Needs: []string{"store"}, Config: &settings{"unwell": true}},
				{Name: "checkout", Serve: "verifier", Needs: []string{"auth"}},
			},
			want:  []string{"start auth: waited", "200 from GET http://127.0.0.1:", "last seen: 503 Service Unavailable"},
			never: "checkout",
		},
		{
			name:  "ends at once",
			specs: []world.Spec{{Name: "auth", Serve: "issuer", Config: &settings{"exit": 7}}},
			want:  []string{"start auth", "ended before it was ready", "exit status 7"},
		},
		{
			name:  "no such image",
			specs: []world.Spec{{Name: "reports", Image: "rehearse.invalid/acme/reports:1.4", Port: 80}},
			want:  []string{"start reports", "no such image", "does not have rehearse.invalid/acme/reports:1.4 and could not pull it"},
		},
		{
			name:  "unknown service in a setting",
			specs: []world.Spec{{Name: "auth", Serve: "issuer", Config: &settings{"url": "token-value {{ .aut.url }}"}}},
			want:  []string{"start auth", "config.url", `did you mean "auth"`},
			never: "token-value",
		},
		{
			name:  "command without an image",
			specs: []world.Spec{{Name: "vault", Command: []string{"vault", "server"}}},
			want:  []string{"start vault", "a command of this machine", "--runtime process"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, book := newRuntime(t)
			r.o.ReadyWithin = 3 * time.Second
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
			if strings.Contains(err.Error(), "exit status 7") && !slices.Contains(book.of("auth"), "last words") {
				t.Errorf("log of a service that ended at once is %q; want its last words", book.of("auth"))
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
	if err := r.Stop(t.Context()); err != nil { // or it has no end
		t.Fatal(err)
	}
}

func TestStopRemovesEvenWithoutTime(t *testing.T) {
	r, _ := newRuntime(t)
	if err := r.Start(t.Context(), []world.Spec{{Name: "auth", Serve: "issuer"}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if left := leftOf(t, r); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestExitKillRestartPause(t *testing.T) {
	r, book := newRuntime(t)
	if err := r.Start(t.Context(), []world.Spec{{Name: "auth", Serve: "issuer"}}); err != nil {
		t.Fatal(err)
	}
	url := r.URL("auth", false)
	if err := r.Restart(t.Context(), "auth"); err == nil {
		t.Error("a running service was restarted")
	}

	_, _ = get(t, url+"/exit") // it answers nothing
	eventually(t, "the exit was told", func() bool { return len(book.exitsOf("auth")) == 1 })
	if got := book.exitsOf("auth")[0]; got.Error() != "exit status 3" {
		t.Errorf("exit is %q; want exit status 3", got)
	}
	if got := book.of("auth"); got[len(got)-1] != "going 999" {
		t.Errorf("the exit was told before the log's end, at %q", got[len(got)-1])
	}

	if err := r.Restart(t.Context(), "auth"); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, url+"/served"); err != nil || got != "1" {
		t.Errorf("first answer of the second life is %q, %v; want 1, at the same address", got, err)
	}
	if err := r.Kill(t.Context(), "auth"); err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, url+"/served"); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("after kill got %v; want connection refused", err)
	}
	if exits := book.exitsOf("auth"); len(exits) != 2 || !errors.Is(exits[1], launch.ErrKilled) {
		t.Errorf("exits are %v; want the second to be killed on request", exits)
	}
	if err := r.Restart(t.Context(), "auth"); err != nil {
		t.Fatal(err)
	}
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
	if err := r.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	lives := 0
	for _, line := range book.of("auth") {
		if line == "listening" {
			lives++
		}
	}
	if lives != 3 {
		t.Errorf("the log tells of %d lives; want 3, each once", lives)
	}
}

func TestThirdPartyImage(t *testing.T) {
	r, book := newRuntime(t)
	if err := r.Start(t.Context(), []world.Spec{{Name: "auth", Serve: "issuer", Config: &settings{"greeting": "hello"}}}); err != nil {
		t.Fatal(err)
	}
	// The stand-in's own image, as one of a team's would be used.
	err := r.Start(t.Context(), []world.Spec{
		{
			Name: "reports", Image: r.image, Port: 9000, Health: "/healthz", Needs: []string{"auth"},
			Command:     []string{"run", "{{ .auth.host }}"},
			Environment: map[string]string{"REHEARSE_LISTEN": ":9000", "REHEARSE_CONFIG": `{"fetch": "{{ .auth.url }}/greeting"}`},
		},
		{
			Name: "by-port", Image: r.image, Port: 9001,
			Environment: map[string]string{"REHEARSE_LISTEN": ":9001", "REHEARSE_CONFIG": "{}"},
		},
		{
			Name: "portless", Image: r.image,
			Environment: map[string]string{"REHEARSE_LISTEN": "127.0.0.1:1234", "REHEARSE_CONFIG": "{}"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, r.URL("reports", false)+"/fetch"); err != nil || got != "hello" {
		t.Errorf("reports asked auth and got %q, %v; want hello", got, err)
	}
	eventually(t, "its command line is in its log", func() bool { return slices.Contains(book.of("reports"), "args run auth") })
	if got := r.URL("portless", false); got != "" {
		t.Errorf("outside URL of a service without a port is %q; want none", got)
	}
}

func TestStartOfSix(t *testing.T) {
	r, _ := newRuntime(t)
	if err := r.provide(t.Context(), []world.Spec{{Serve: "issuer"}}); err != nil {
		t.Fatal(err) // the image takes longer, the first time
	}
	specs := []world.Spec{{Name: "store", Serve: "store"}, {Name: "auth", Serve: "issuer", Needs: []string{"store"}}}
	for _, name := range []string{"checkout", "search", "cart", "load"} {
		specs = append(specs, world.Spec{Name: name, Serve: "verifier", Needs: []string{"auth"}})
	}
	began := time.Now()
	if err := r.Start(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	started := time.Since(began)
	began = time.Now()
	if err := r.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("started in %s, stopped in %s", started, time.Since(began))
}

func TestRedeployPutsAnotherInItsPlace(t *testing.T) {
	r, book := newRuntime(t)
	folder := t.TempDir()
	specs := []world.Spec{
		{
			Name: "billing", Serve: "charger", Config: &settings{"greeting": "hello"},
			Environment: map[string]string{"SECRET": "of-k1"}, Folder: folder,
		},
		{Name: "front", Serve: "verifier", Config: &settings{"fetch": "{{ .billing.url }}/told"}, Needs: []string{"billing"}},
	}
	if err := r.Start(t.Context(), specs); err != nil {
		t.Fatal(err)
	}
	stop, asked := make(chan struct{}), 0
	var asking sync.WaitGroup
	front := r.URL("front", false)
	asking.Go(func() {
		for ; ; asked++ {
			select {
			case <-stop:
				return
			default:
			}
			if body, err := get(t, front+"/fetch"); err != nil || !strings.Contains(body, "SECRET=of-k") {
				t.Errorf("from inside, while it was replaced: got %q, %v", body, err)
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
	for where, url := range map[string]string{"inside": front + "/fetch", "outside": r.URL("billing", false) + "/told"} {
		if body, err := get(t, url); err != nil || !strings.Contains(body, "SECRET=of-k2") {
			t.Errorf("from %s: got %q, %v; want the new value", where, body, err)
		}
	}
	if exits := book.exitsOf("billing"); len(exits) != 0 {
		t.Errorf("got exits %v, want none: it was replaced in order", exits)
	}
	if left := leftOf(t, r); len(left) != 5 { // two containers with what is sealed for each, and the network
		t.Errorf("got %v on the engine, want the old container gone", left)
	}
}

// settings are those of a stand-in that is made up.
type settings map[string]any

// Serves is a name that no stand-in has.
func (*settings) Serves() string { return "made-up" }
