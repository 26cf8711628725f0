package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// goneWithin bounds the wait for a container that was killed, and for the
	// end of its log.
	goneWithin = 10 * time.Second
	// portTries is how often another port is tried where somebody else was
	// quicker to take the one that was found free.
	portTries = 3
)

// service is one party of the run: a container, which may live several times.
type service struct {
	runtime *Runtime
	spec    world.Spec
	nth     int // of the containers that it had one after the other, from 0
	job     int // which of those it is that run before it, from 1; 0: the service itself
	paused  atomic.Bool

	mu        sync.Mutex
	container *testcontainers.DockerContainer
	log       *logReader
	current   *launch.Life
	ports     []port // the first is where it is called, and the last where it is asked whether it is ready
}

// port is one of a container that is reached from this machine.
type port struct {
	inside, outside int          // outside on 127.0.0.1
	held            net.Listener // keeps it until the container takes it; nil: that has it
}

func (s *service) life() *launch.Life {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

func (s *service) id() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.container.GetContainerID()
}

func (s *service) outside() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ports) == 0 {
		return ""
	}
	return launch.Address{Host: "127.0.0.1", Port: s.ports[0].outside, HTTPS: s.spec.HTTPS}.URL()
}

// asked is where it is asked whether it is ready.
func (s *service) asked() string {
	if s.spec.HealthPort == 0 {
		return s.outside()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return launch.Address{Host: "127.0.0.1", Port: s.ports[len(s.ports)-1].outside}.URL()
}

// holdPorts finds free ports and keeps them from others for the time being. The
// engine could choose them itself, but would choose others at each restart.
func (s *service) holdPorts() error {
	s.ports = nil
	for _, inside := range []int{s.spec.Port, s.spec.HealthPort} {
		if inside == 0 {
			continue
		}
		listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return errors.Join(fmt.Errorf("find a free port: %w", err), s.releasePorts())
		}
		s.ports = append(s.ports, port{inside, listener.Addr().(*net.TCPAddr).Port, listener})
	}
	return nil
}

func (s *service) releasePorts() error {
	var errs []error
	for i := range s.ports {
		if held := s.ports[i].held; held != nil {
			errs = append(errs, held.Close())
		}
		s.ports[i].held = nil
	}
	return errors.Join(errs...)
}

// run starts a container and waits until it has come to its end.
func (s *service) run(ctx context.Context) error {
	if err := s.startContainer(ctx); err != nil {
		return err
	}
	life := launch.NewLife()
	s.mu.Lock()
	s.current = life
	s.mu.Unlock()
	go func() { life.End(s.log.follow(), func(error) {}) }()
	err := life.AwaitEnd(ctx, s.runtime.o.ReadyWithin)
	if !life.Over() {
		err = errors.Join(err, s.stop(context.WithoutCancel(ctx)))
	}
	return err
}

// succeed puts another container in the place of this one, which goes when the
// other is ready.
func (s *service) succeed(ctx context.Context, environment map[string]string) error {
	spec := s.spec
	spec.Environment = maps.Clone(spec.Environment)
	if spec.Environment == nil {
		spec.Environment = map[string]string{}
	}
	maps.Copy(spec.Environment, environment)
	next := &service{runtime: s.runtime, spec: spec, nth: s.nth + 1}
	if err := next.create(ctx); err != nil {
		return fmt.Errorf("make the new one: %w", errors.Join(err, next.discard(ctx)))
	}
	if err := next.start(ctx); err != nil {
		return fmt.Errorf("start the new one: %w", errors.Join(err, next.stop(ctx), next.discard(ctx)))
	}
	s.mu.Lock()
	old := &service{runtime: s.runtime, spec: s.spec, container: s.container, log: s.log, current: s.current}
	s.container, s.log, s.current, s.ports, s.nth = next.container, next.log, next.current, next.ports, next.nth
	s.mu.Unlock()
	if err := old.stop(ctx); err != nil {
		return fmt.Errorf("end the old one: %w", err)
	}
	// Its environment goes with it.
	removing, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	if _, err := s.runtime.engine.ContainerRemove(removing, old.id(), removal); err != nil {
		return fmt.Errorf("remove the old one: %w", err)
	}
	return nil
}

// discard removes one that does not take its place, however far its making came:
// the next would have the same name.
func (s *service) discard(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.releasePorts()
	if s.container == nil || s.container.GetContainerID() == "" {
		return err
	}
	removing, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	_, removed := s.runtime.engine.ContainerRemove(removing, s.container.GetContainerID(), removal)
	return errors.Join(err, removed)
}

// start begins a life of the container and returns when it is ready.
func (s *service) start(ctx context.Context) error {
	if err := launch.Initialize(ctx, s.spec, s.initialize); err != nil {
		return err
	}
	if err := s.startContainer(ctx); err != nil {
		return err
	}
	if err := s.locate(ctx); err != nil {
		return err
	}
	life := launch.NewLife()
	s.mu.Lock()
	s.current = life
	reader := s.log
	s.mu.Unlock()
	s.paused.Store(false)
	go func() {
		life.End(reader.follow(), func(err error) { s.runtime.o.OnExit(s.spec.Name, err) })
	}()
	path := s.spec.Health
	if path == "" && s.spec.Serve != "" {
		path = contract.HealthPath
	}
	return life.AwaitReady(ctx, s.asked(), path, s.runtime.o.ReadyWithin)
}

// startContainer starts the container. Its port may be taken between its
// finding and its use: by another service, then the container is made again for
// another port; or at a restart, mostly by an outgoing connection that happens
// to come from it, and then it is waited for.
func (s *service) startContainer(ctx context.Context) error {
	again := s.life() != nil
	for try := 1; ; try++ {
		s.mu.Lock()
		c := s.container
		err := s.releasePorts()
		s.mu.Unlock()
		if err != nil {
			return err
		}
		err = c.Start(ctx)
		if err == nil || !portTaken(err) || try == portTries {
			return err
		}
		if again {
			select {
			case <-ctx.Done():
				return err
			case <-time.After(time.Second):
			}
			continue
		}
		if _, err := s.runtime.engine.ContainerRemove(ctx, c.GetContainerID(), removal); err != nil {
			return fmt.Errorf("try another port: %w", err)
		}
		if err := s.create(ctx); err != nil {
			return fmt.Errorf("try another port: %w", err)
		}
	}
}

// portTaken: the engine says so in words only.
func portTaken(err error) bool {
	return strings.Contains(err.Error(), "port is already allocated") || strings.Contains(err.Error(), "address already in use")
}

// stop asks the container to end, kills it when it does not, and waits until
// the last line of its log was delivered.
func (s *service) stop(ctx context.Context) error {
	s.mu.Lock()
	life, reader := s.current, s.log
	err := s.releasePorts()
	s.mu.Unlock()
	if life == nil || life.Over() {
		return err
	}
	life.Stopping()
	e, id := s.runtime.engine, s.id()
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
	defer cancel()
	if s.paused.Load() {
		_, unpaused := e.ContainerUnpause(asking, id, client.ContainerUnpauseOptions{})
		err = errors.Join(err, unpaused)
	}
	seconds := int(launch.Grace.Seconds())
	if ctx.Err() != nil {
		seconds = 0
	}
	_, stopped := e.ContainerStop(asking, id, client.ContainerStopOptions{Timeout: &seconds})
	if life.Wait(asking, goneWithin) == nil {
		return err // it is gone, whatever was answered
	}
	reader.giveUp()
	<-life.Done()
	return errors.Join(err, stopped, errors.New("its log did not end: lines may be missing"))
}
