package family

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
)

func TestReplicasAreAskedInTurn(t *testing.T) {
	t.Parallel()
	var dialled []string
	gone := ""
	r := &replicas{
		lookup: func(context.Context, string) ([]string, error) {
			return []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, nil
		},
		dial: func(_ context.Context, _, address string) (net.Conn, error) {
			if address == gone {
				return nil, errors.New("connection refused")
			}
			dialled = append(dialled, address)
			a, b := net.Pipe()
			_ = b.Close()
			return a, nil
		},
	}
	ask := func(host string) {
		t.Helper()
		conn, err := r.connect(t.Context(), "tcp", host+":80")
		if err != nil {
			t.Fatalf("connect: %v", err)
		}
		_ = conn.Close()
	}
	for range 6 {
		ask("catalog")
	}
	for _, at := range []string{"10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"} {
		if n := len(slices.DeleteFunc(slices.Clone(dialled), func(d string) bool { return d != at })); n != 2 {
			t.Errorf("%s was asked %d times of 6, want 2", at, n)
		}
	}
	dialled, gone = nil, "10.0.0.2:80"
	for range 3 {
		ask("catalog")
	}
	if len(dialled) != 3 || slices.Contains(dialled, gone) {
		t.Errorf("with one gone: got %v, want three connections to the others", dialled)
	}
	dialled = nil
	ask("127.0.0.1")
	if want := []string{"127.0.0.1:80"}; !slices.Equal(dialled, want) {
		t.Errorf("an address: got %v, want %v", dialled, want)
	}
	if at := r.severalAt(t.Context(), "catalog", &net.TCPAddr{IP: net.IPv4(10, 0, 0, 2), Port: 80}); at != "10.0.0.2" {
		t.Errorf("which was asked: got %q, want 10.0.0.2", at)
	}
	if at := r.severalAt(t.Context(), "127.0.0.1", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}); at != "" {
		t.Errorf("of one address: got %q, want none", at)
	}
}
