// Package docker runs the services of a rehearsal as containers on a network of
// their own.
package docker

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

var (
	_ world.Runtime    = (*Runtime)(nil)
	_ world.Killer     = (*Runtime)(nil)
	_ world.Pauser     = (*Runtime)(nil)
	_ world.Restarter  = (*Runtime)(nil)
	_ world.Redeployer = (*Runtime)(nil)
	_ world.Signaller  = (*Runtime)(nil)
	_ world.Locator    = (*Runtime)(nil)
	_ world.Imager     = (*Runtime)(nil)
	_ world.Labeller   = (*Runtime)(nil)
	_ world.Files      = (*Runtime)(nil)
)

const (
	// standInPort is where stand-ins listen in their containers.
	standInPort = 8080
	// askWithin bounds one question to the engine that is not cut short with the run.
	askWithin = 60 * time.Second
)

// Runtime starts each service in a container. All are on one bridge network,
// where a service is known by its name; each port is published on 127.0.0.1
// only, under a number that stays when the service is started again.
type Runtime struct {
	*launch.Folders
	engine *engine
	source binarySource
	o      launch.Options

	mu        sync.Mutex
	image     string // for stand-ins
	binary    string // of them, for those in an image of another
	network   string
	services  map[string]*service
	addresses launch.Addresses
	located   map[string]string // services by the addresses of their containers
}

// New connects to the engine (else ErrNoEngine). Stand-ins are run from
// executable, a rehearse binary, where it can be run in a container, and else
// from one that is built or pulled.
func New(ctx context.Context, executable string, o launch.Options) (*Runtime, error) {
	e, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	o = o.WithDefaults()
	return &Runtime{
		Folders:   launch.NewFolders(o.Record),
		engine:    e,
		o:         o,
		source:    binarySource{executable: executable, command: mainPackage, cache: filepath.Join(leftover.CacheDir(), "bin"), progress: o.Progress},
		services:  map[string]*service{},
		addresses: launch.Addresses{},
		located:   map[string]string{},
	}, nil
}

// Name is "docker".
func (r *Runtime) Name() string { return name }

const name = "docker"

// Labels are those that all of the run's containers and networks carry.
func (r *Runtime) Labels() map[string]string { return labelsOf(r.o.Record) }

// Engine describes the engine: "docker 20.10.24 (API 1.41, linux/amd64)".
func (r *Runtime) Engine() string { return r.engine.describe() }

// Start starts services as world.Runtime says. After an error, Stop removes
// those that were started.
func (r *Runtime) Start(ctx context.Context, specs []world.Spec) error {
	for _, spec := range specs {
		if spec.Image == "" && spec.Build == nil && spec.Serve == "" {
			return fmt.Errorf("start %s: it is a command of this machine, and needs processes: run with --runtime process", spec.Name)
		}
	}
	if err := r.address(specs); err != nil {
		return err
	}
	if err := r.provide(ctx, specs); err != nil {
		return err
	}
	prepare := func(ctx context.Context, spec world.Spec) error { return r.service(spec.Name).create(ctx) }
	start := func(ctx context.Context, spec world.Spec) error { return r.service(spec.Name).start(ctx) }
	return launch.InOrder(ctx, specs, r.ready, r.resolve, prepare, start)
}

// address says where each service will be reached.
func (r *Runtime) address(specs []world.Spec) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, spec := range specs {
		if r.services[spec.Name] != nil {
			return fmt.Errorf("start %s: a service of this name is there already", spec.Name)
		}
		if spec.Serve != "" {
			spec.Port = standInPort
		}
		r.services[spec.Name] = &service{runtime: r, spec: spec}
		r.addresses[spec.Name] = launch.Address{Host: spec.Name, Port: spec.Port, HTTPS: spec.HTTPS}
	}
	return nil
}

// provide makes what all containers need: the image of stand-ins and the network.
func (r *Runtime) provide(ctx context.Context, specs []world.Spec) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	isStandIn := func(s world.Spec) bool { return s.Serve != "" && s.Base == "" }
	if r.binary == "" && slices.ContainsFunc(specs, func(s world.Spec) bool { return s.Base != "" }) {
		binary, err := r.source.find(ctx, r.engine.version.Arch)
		if err != nil {
			return fmt.Errorf("find a binary to serve stand-ins in other images: %w", err)
		}
		r.binary = binary
	}
	if r.image == "" && slices.ContainsFunc(specs, isStandIn) {
		image, err := r.engine.standInImage(ctx, r.source)
		if err != nil {
			return err
		}
		r.image = image
	}
	if r.network == "" {
		name := "rehearse-" + r.o.Record.Run()
		// Not cut short half-way: what is made must be known.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
		defer cancel()
		if _, err := r.engine.NetworkCreate(ctx, name, client.NetworkCreateOptions{Driver: "bridge", Labels: labelsOf(r.o.Record)}); err != nil {
			return fmt.Errorf("create network %s: %w", name, err)
		}
		r.network = name
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

// URL is http://NAME:PORT inside and http://127.0.0.1:PUBLISHED outside, or https. It is
// empty for an unknown service, and outside for one that has no port.
func (r *Runtime) URL(name string, inside bool) string {
	r.mu.Lock()
	address, known := r.addresses[name]
	s := r.services[name]
	r.mu.Unlock()
	if !known {
		return ""
	}
	if inside {
		return address.URL()
	}
	return s.outside()
}

// Stop ends all containers at the same time: each is asked to end and killed
// when it has not within launch.Grace or the context. Then all that carries the
// run's label is removed, whatever became of the context.
func (r *Runtime) Stop(ctx context.Context) error {
	r.mu.Lock()
	services := r.services
	r.services, r.addresses, r.network = map[string]*service{}, launch.Addresses{}, ""
	r.mu.Unlock()
	stopped := launch.StopAll(services, func(s *service) error { return s.stop(ctx) })
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	all := func(map[string]string) bool { return true }
	_, err := r.engine.remove(ctx, LabelRun+"="+r.o.Record.Run(), all)
	// Idle connections only: the runtime may be used again.
	return errors.Join(stopped, err, r.engine.Close(), r.Remove())
}

// running is a started service by name, for faults.
func (r *Runtime) running(verb, name string) (*service, *launch.Life, error) {
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
	s, l, err := r.running("kill", name)
	if err != nil {
		return err
	}
	l.Killing()
	if _, err := r.engine.ContainerKill(ctx, s.id(), client.ContainerKillOptions{Signal: "SIGKILL"}); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	if err := l.Wait(ctx, goneWithin); err != nil {
		return fmt.Errorf("kill %s: %w", name, err)
	}
	return nil
}

// Pause freezes a service: its connections stay open and nothing answers.
func (r *Runtime) Pause(ctx context.Context, name string) error {
	s, _, err := r.running("pause", name)
	if err != nil {
		return err
	}
	if _, err := r.engine.ContainerPause(ctx, s.id(), client.ContainerPauseOptions{}); err != nil {
		return fmt.Errorf("pause %s: %w", name, err)
	}
	s.paused.Store(true)
	return nil
}

// Unpause lets a paused service go on.
func (r *Runtime) Unpause(ctx context.Context, name string) error {
	s, _, err := r.running("unpause", name)
	if err != nil {
		return err
	}
	if _, err := r.engine.ContainerUnpause(ctx, s.id(), client.ContainerUnpauseOptions{}); err != nil {
		return fmt.Errorf("unpause %s: %w", name, err)
	}
	s.paused.Store(false)
	return nil
}

// Restart starts a service that ended again, at the same address, and returns
// when it is ready. Its file system is as it was.
func (r *Runtime) Restart(ctx context.Context, name string) error {
	s := r.service(name)
	if s == nil {
		return fmt.Errorf("restart %s: not a service of this run", name)
	}
	if l := s.life(); l == nil || !l.Over() {
		return fmt.Errorf("restart %s: it is still running", name)
	}
	if err := s.start(ctx); err != nil {
		return fmt.Errorf("restart %s: %w", name, err)
	}
	return nil
}

// Redeploy starts a second container beside the first, under the same name on
// the network, and ends the first when the second is ready. Whoever looks the
// name up meanwhile finds both. From outside the port is another one then.
func (r *Runtime) Redeploy(ctx context.Context, name string, environment map[string]string) error {
	s, _, err := r.running("redeploy", name)
	if err != nil {
		return err
	}
	if err := s.succeed(ctx, environment); err != nil {
		return fmt.Errorf("redeploy %s: %w", name, err)
	}
	return nil
}
