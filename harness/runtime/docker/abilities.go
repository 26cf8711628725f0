package docker

import (
	"context"
	"fmt"

	"github.com/moby/moby/client"
)

// Signal sends a signal by its name without SIG to a service's first process.
func (r *Runtime) Signal(ctx context.Context, name, signal string) error {
	s, _, err := r.running("signal", name)
	if err != nil {
		return err
	}
	if _, err := r.engine.ContainerKill(ctx, s.id(), client.ContainerKillOptions{Signal: "SIG" + signal}); err != nil {
		return fmt.Errorf("signal %s: %w", name, err)
	}
	return nil
}

// ServiceAt is the service whose container has an address on the run's network.
// One that was replaced keeps the addresses that it had.
func (r *Runtime) ServiceAt(ip string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.located[ip]
}

// locate notes the address of a service's container.
func (s *service) locate(ctx context.Context) error {
	answer, err := s.runtime.engine.ContainerInspect(ctx, s.id(), client.ContainerInspectOptions{})
	if err != nil {
		return fmt.Errorf("ask for its address: %w", err)
	}
	r := s.runtime
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, endpoint := range answer.Container.NetworkSettings.Networks {
		if endpoint.IPAddress.IsValid() {
			r.located[endpoint.IPAddress.String()] = s.spec.Name
		}
	}
	return nil
}
