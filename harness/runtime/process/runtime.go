// Package process runs the services of a rehearsal as child processes on
// loopback: no container engine is needed.
package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/world"
)

var (
	_ world.Runtime    = (*Runtime)(nil)
	_ world.Killer     = (*Runtime)(nil)
	_ world.Pauser     = (*Runtime)(nil)
	_ world.Restarter  = (*Runtime)(nil)
	_ world.Redeployer = (*Runtime)(nil)
	_ world.Signaller  = (*Runtime)(nil)
	_ world.Files      = (*Runtime)(nil)
)

// Runtime starts stand-ins as children of this process, and other services
// that have a Command and no Image.
//
// Stand-ins inherit a listening socket on 127.0.0.1, opened before anything
// starts: addresses are known at once, a request that comes too early waits in
// the queue, and no port is lost to somebody else. The parent keeps a copy only
// for as long as the child lives, so that a service can be replaced without
// losing a connection and a killed one refuses them.
type Runtime struct {
	*launch.Folders
	executable string
	o          launch.Options

	mu        sync.Mutex
	services  map[string]*service
	addresses launch.Addresses
}

// New makes a runtime whose stand-ins are run by executable, a rehearse binary.
func New(executable string, o launch.Options) *Runtime {
	return &Runtime{
		Folders:    launch.NewFolders(o.Record),
		executable: executable,
		o:          o.WithDefaults(),
		services:   map[string]*service{},
		addresses:  launch.Addresses{},
	}
}

// Name is "process".
func (r *Runtime) Name() string { return name }

const name = "process"

// Start starts services as world.Runtime says. After an error, Stop removes
// those that were started.
func (r *Runtime) Start(ctx context.Context, specs []world.Spec) error {
	for _, spec := range specs {
		switch {
		case spec.Image != "":
			return fmt.Errorf("start %s: image %s needs docker: run with --runtime docker", spec.Name, spec.Image)
		case spec.Build != nil:
			return fmt.Errorf("start %s: an image that is built needs docker: run with --runtime docker", spec.Name)
		case len(spec.Files) > 0:
			return fmt.Errorf("start %s: its files are for an image, and it is a command of this machine", spec.Name)
		}
		if spec.Serve == "" && len(spec.Command) == 0 {
			return fmt.Errorf("start %s: it has neither a stand-in to serve nor a command", spec.Name)
		}
	}
	if err := r.listen(specs); err != nil {
		return err
	}
	return launch.InOrder(ctx, specs, r.ready, r.resolve, nil, func(ctx context.Context, spec world.Spec) error {
		return r.service(spec.Name).start(ctx)
	})
}

// listen gives every service its address.
func (r *Runtime) listen(specs []world.Spec) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, spec := range specs {
		if r.services[spec.Name] != nil {
			return fmt.Errorf("start %s: a service of this name is there already", spec.Name)
		}
		at := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} // any port, but for a command that has its own
		if spec.Serve == "" {
			at.Port = spec.Port
		}
		listener, err := net.ListenTCP("tcp4", at)
		if err != nil {
			return fmt.Errorf("start %s: %w", spec.Name, err)
		}
		r.services[spec.Name] = &service{runtime: r, spec: spec, listener: listener, address: listener.Addr().(*net.TCPAddr)}
		r.addresses[spec.Name] = launch.Address{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port, HTTPS: spec.HTTPS}
	}
	return nil
}

// resolve is what a word of an address stands for.
func (r *Runtime) resolve(w contract.Word) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.addresses.Resolve(w)
}

func (r *Runtime) service(name string) *service {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.services[name]
}

// ready says whether a service was started and is there.
func (r *Runtime) ready(name string) bool {
	s := r.service(name)
	return s != nil && s.life() != nil
}

// URL is the same inside and outside; it is empty for an unknown service.
func (r *Runtime) URL(service string, _ bool) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	address, known := r.addresses[service]
	if !known {
		return ""
	}
	return address.URL()
}

// Stop ends all services at the same time: each is asked to end and killed when
// it has not within launch.Grace or the context. It returns when all are gone
// and their last log lines were delivered.
func (r *Runtime) Stop(ctx context.Context) error {
	r.mu.Lock()
	services := r.services
	r.services, r.addresses = map[string]*service{}, launch.Addresses{}
	r.mu.Unlock()
	return errors.Join(launch.StopAll(services, func(s *service) error { return s.stop(ctx) }), r.Remove())
}

// running is a started service by name, for faults.
func (r *Runtime) running(verb, name string) (*service, *life, error) {
	s := r.service(name)
	if s == nil {
		return nil, nil, fmt.Errorf("%s %s: not a service of this run", verb, name)
	}
	l := s.life()
	if l == nil || l.Over() {
		return nil, nil, fmt.Errorf("%s %s: it is not running", verb, name)
	}
	return s, l, nil
}

// Kill ends a service at once. When it returns, its port refuses connections.
func (r *Runtime) Kill(ctx context.Context, name string) error {
	_, l, err := r.running("kill", name)
	if err != nil {
		return err
	}
	if err := l.kill(ctx); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	return nil
}

// Pause freezes a service: its connections stay open and nothing answers.
func (r *Runtime) Pause(_ context.Context, name string) error {
	_, l, err := r.running("pause", name)
	if err != nil {
		return err
	}
	if err := l.freeze(); err != nil {
		return fmt.Errorf("pause %s: %w", name, err)
	}
	return nil
}

// Unpause lets a paused service go on.
func (r *Runtime) Unpause(_ context.Context, name string) error {
	_, l, err := r.running("unpause", name)
	if err != nil {
		return err
	}
	if err := l.thaw(); err != nil {
		return fmt.Errorf("unpause %s: %w", name, err)
	}
	return nil
}

// Restart starts a service that ended again, at the same address, and returns
// when it is ready.
func (r *Runtime) Restart(ctx context.Context, name string) error {
	s := r.service(name)
	if s == nil {
		return fmt.Errorf("restart %s: not a service of this run", name)
	}
	if l := s.life(); l != nil && !l.Over() {
		return fmt.Errorf("restart %s: it is still running", name)
	}
	if err := s.listenAgain(ctx); err != nil {
		return fmt.Errorf("restart %s: %w", name, err)
	}
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("restart %s: %w", name, err)
	}
	return nil
}

// Redeploy ends a service in order and starts it anew with another environment.
// Connections that come in between wait in the queue of the listening socket.
// The error does not quote a value of the environment.
func (r *Runtime) Redeploy(ctx context.Context, name string, environment map[string]string) error {
	s, l, err := r.running("redeploy", name)
	if err != nil {
		return err
	}
	if err := s.succeed(ctx, l, environment); err != nil {
		return fmt.Errorf("redeploy %s: %w", name, err)
	}
	return nil
}

// Signal sends a signal by its name without SIG: HUP, USR1, USR2.
func (r *Runtime) Signal(_ context.Context, name, signal string) error {
	_, l, err := r.running("signal", name)
	if err != nil {
		return err
	}
	if err := send(l.cmd.Process, signal); err != nil {
		return fmt.Errorf("signal %s: %s: %w", name, signal, err)
	}
	return nil
}
