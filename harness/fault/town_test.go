package fault

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes"
	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// town is a runtime whose services are goroutines of the test.
type town struct {
	t         *testing.T
	ctx       context.Context
	another   func(ctx context.Context, credential string) (identifier string, err error)
	rotator   Rotator
	logins    Logins
	writeBack func(ctx context.Context, service string, back bool) error
	rollouts  func(ctx context.Context, service string, how world.RolloutTrouble) error

	mu        sync.Mutex
	addresses launch.Addresses
	services  sync.WaitGroup
}

// newTown is one that ends with the test.
func newTown(t *testing.T) *town {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	w := &town{t: t, ctx: ctx, addresses: launch.Addresses{}}
	t.Cleanup(func() {
		cancel()
		w.services.Wait()
	})
	return w
}

func (*town) Name() string               { return "town" }
func (*town) Stop(context.Context) error { return nil }

// URL is the address of a service, the same inside and outside.
func (w *town) URL(service string, _ bool) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if address, ok := w.addresses[service]; ok {
		return address.URL()
	}
	return ""
}

// listen makes the address of a service.
func (w *town) listen(name string) net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	number, _ := strconv.Atoi(port)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addresses[name] = launch.Address{Host: host, Port: number}
	return listener
}

// Start starts stand-ins and waits until they are ready.
func (w *town) Start(ctx context.Context, specs []world.Spec) error {
	all := map[string]standin.Service{"store": store.Serve}
	for name, service := range fakes.Services {
		all[name] = service
	}
	listeners := map[string]net.Listener{}
	for _, spec := range specs {
		listeners[spec.Name] = w.listen(spec.Name)
	}
	for _, spec := range specs {
		config, err := w.addresses.Config(spec)
		if err != nil {
			return err
		}
		w.services.Go(func() {
			if err := all[spec.Serve](w.ctx, config, listeners[spec.Name], io.Discard); err != nil {
				w.t.Errorf("serve %s: %v", spec.Name, err)
			}
		})
	}
	for _, spec := range specs {
		path := spec.Health
		if path == "" {
			path = contract.HealthPath
		}
		if err := launch.Ready(ctx, w.URL(spec.Name, false), path, nil); err != nil {
			return err
		}
	}
	return nil
}

// serve adds a service that is a handler.
func (w *town) serve(name string, handler http.Handler) {
	server := &http.Server{Handler: handler}
	listener := w.listen(name)
	w.services.Go(func() { _ = server.Serve(listener) }) // it ends when the test closes it
	context.AfterFunc(w.ctx, func() { server.Close() })
}

// settle prepares the faults of a plan, starts what they need beside specs, and
// binds them.
func (w *town) settle(p *plan.Plan, d *diary, specs ...world.Spec) *Schedule {
	w.t.Helper()
	g, err := Prepare(p)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := range specs {
		if err := g.Adapt(&specs[i], func(string) string { return "" }); err != nil {
			w.t.Fatal(err)
		}
	}
	proxies, err := g.Proxies(func(string) string { return "" })
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.Start(w.t.Context(), append(proxies, specs...)); err != nil {
		w.t.Fatal(err)
	}
	s, err := New(g, Place{Runtime: w, History: d, Another: w.another, Rotator: w.rotator, Logins: w.logins, WriteBack: w.writeBack, Rollouts: w.rollouts, UnknownKey: w.unknownKey})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// unknownKey asks a service with what nobody has made.
func (w *town) unknownKey(ctx context.Context, service string) (history.Probe, error) {
	return family.Request{Method: http.MethodGet, URL: w.URL(service, false) + "/", Header: http.Header{"Authorization": {"Bearer made-up"}}}.Ask(ctx)
}

var _ world.Runtime = (*town)(nil)

// has reports whether an event of a stage was recorded.
func (d *diary) has(stage string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.events {
		if e.Fault.Stage == stage {
			return true
		}
	}
	return false
}
