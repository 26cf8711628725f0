package family_test

import (
	"context"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rehearse-dev/rehearse/fakes"
	embedded "github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// rehearsal is a family among the real stand-ins of its plan, in this process.
type rehearsal struct {
	family.Binding
	plan      *plan.Plan
	store     *store.Store
	storeURL  string
	addresses launch.Addresses
	listeners map[string]net.Listener
	ends      map[string]func() // of services that were started

	mu    sync.Mutex
	view  *history.View
	lines []history.Line
}

// rehearse starts the store and the authorities of a plan and provisions k1.
func rehearse(t *testing.T, page, services string) *rehearsal {
	t.Helper()
	loaded, err := scenario.Load(fstest.MapFS{
		"page.yaml": {Data: []byte(page)}, "scenario.yaml": {Data: []byte(services)},
	}, "scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kind, err := family.Of(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := kind.Configure(p); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(embedded.New("the-root-token", io.Discard))
	t.Cleanup(server.Close)
	s, err := store.Open(t.Context(), store.Server{URL: server.URL, Token: "the-root-token"}, "test")
	if err != nil {
		t.Fatal(err)
	}
	r := &rehearsal{
		plan: p, store: s, storeURL: server.URL, view: history.NewView(),
		addresses: launch.Addresses{}, listeners: map[string]net.Listener{}, ends: map[string]func(){},
	}
	for _, service := range p.Services {
		listener := listen(t)
		r.listeners[service.Name], r.addresses[service.Name] = listener, addressOf(listener)
	}
	r.Binding = kind.Bind(family.Backend{
		Plan: p, Store: s, Published: store.Below(p.Runbook.Storage.Publish.Path),
		URL: func(name string, _ bool) string { return r.addresses[name].URL() },
		See: r.see,
	})
	first := family.Authorities(p)
	r.start(t, first...)
	r.provision(t)
	for _, service := range p.Services {
		if !slices.Contains(first, service.Name) {
			r.start(t, service.Name)
		}
	}
	return r
}

func (r *rehearsal) provision(t *testing.T) {
	t.Helper()
	r.make(t, "k1")
	r.do(t, keyring.Accept, "k1")
	r.do(t, keyring.Emit, "k1")
}

func (r *rehearsal) make(t *testing.T, name string) (identifier string) {
	t.Helper()
	identifier, err := r.Make(t.Context(), name)
	if err != nil {
		t.Fatalf("make %s: %v", name, err)
	}
	return identifier
}

func (r *rehearsal) do(t *testing.T, step keyring.Step, name string) {
	t.Helper()
	if err := r.Do(t.Context(), step, name); err != nil {
		t.Fatalf("%s %s: %v", step, name, err)
	}
}

func (r *rehearsal) present(t *testing.T, validator, name string, purpose history.Purpose) history.Probe {
	t.Helper()
	probe, err := r.Present(t.Context(), validator, name, purpose)
	if err != nil {
		t.Fatalf("present %s to %s: %v", name, validator, err)
	}
	return probe
}

func (r *rehearsal) see(f func(*history.View)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.view)
}

// start starts services as a runtime does, and waits until they are ready.
func (r *rehearsal) start(t *testing.T, names ...string) {
	t.Helper()
	for _, service := range r.plan.Services {
		if !slices.Contains(names, service.Name) {
			continue
		}
		config := service.Config
		if service.Reads {
			path := r.plan.Runbook.Storage.Publish.Path
			token, err := r.store.Token(t.Context(), service.Name, store.Below(path))
			if err != nil {
				t.Fatal(err)
			}
			config = contract.Copy(config)
			contract.PublishedTo(config).Store = &contract.Stored{URL: r.storeURL, Token: token, Path: r.store.Path(path)}
		}
		encoded, err := r.addresses.Config(world.Spec{Name: service.Name, Config: config})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended, gone := make(chan error, 1), make(chan struct{})
		lines := &launch.Lines{Deliver: func(line []byte) { r.tell(service.Name, line) }}
		var mu sync.Mutex
		log := writerFunc(func(p []byte) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			return lines.Write(p)
		})
		go func() {
			defer close(gone)
			ended <- fakes.Services[service.Serve](ctx, encoded, r.listeners[service.Name], log)
		}()
		end := sync.OnceFunc(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("%s ended with %v", service.Name, err)
			}
		})
		t.Cleanup(end)
		r.ends[service.Name] = end
		if err := launch.Ready(t.Context(), r.addresses[service.Name].URL(), contract.HealthPath, gone); err != nil {
			t.Fatalf("%s: %v", service.Name, err)
		}
	}
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(p []byte) (int, error) { return w(p) }

// tell takes a line of a log into account as far as probes look at it.
func (r *rehearsal) tell(service string, line []byte) {
	parsed, ok := history.ParseLine(line)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, parsed)
	if parsed.Message == string(history.KindFetched) {
		r.view.Apply(history.Event{Kind: history.KindFetched, Service: service})
	}
}

// await polls until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("waited 10 s, and still not: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func addressOf(l net.Listener) launch.Address {
	return launch.Address{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}
