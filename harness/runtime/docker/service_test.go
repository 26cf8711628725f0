package docker

import (
	"net"
	"strconv"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// One that could not be made does not keep the ports that were found for it.
func TestDiscardReleasesThePorts(t *testing.T) {
	record, err := leftover.Create(t.TempDir(), "a-run")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{runtime: &Runtime{o: launch.Options{Record: record}}, spec: world.Spec{Name: "auth", Port: 70000, HealthPort: 9090}}
	if err := s.create(t.Context()); err == nil || len(s.ports) != 2 || s.ports[0].held == nil || s.ports[1].held == nil {
		t.Fatalf("create: got %v with ports %+v, want no such port and two that are held", err, s.ports)
	}
	if err := s.discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range s.ports {
		listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(p.outside)))
		if err != nil {
			t.Errorf("the port for %d is still held: %v", p.inside, err)
			continue
		}
		listener.Close()
	}
}
