package docker

import (
	"net"
	"strconv"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// One that could not be made does not keep the port that was found for it.
func TestDiscardReleasesThePort(t *testing.T) {
	record, err := leftover.Create(t.TempDir(), "a-run")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{runtime: &Runtime{o: launch.Options{Record: record}}, spec: world.Spec{Name: "auth", Port: 70000}}
	if err := s.create(t.Context()); err == nil || s.held == nil {
		t.Fatalf("create: got %v with a port held %t, want no such port and one held", err, s.held != nil)
	}
	if err := s.discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)))
	if err != nil {
		t.Fatalf("the port is still held: %v", err)
	}
	listener.Close()
}
