package store_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/store"
)

func TestServeRefusesConfig(t *testing.T) {
	tests := []struct{ name, config, want string }{
		{"empty", ``, "EOF"},
		{"no token", `{}`, "root_token is missing"},
		{"unknown field", `{"root_token":"r","rot_token":"s"}`, `unknown field "rot_token"`},
		{"wrong kind", `{"root_token":5}`, "cannot unmarshal number"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := store.Serve(t.Context(), []byte(test.config), nil, io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- store.Serve(ctx, []byte(`{"root_token":"r"}`), l, io.Discard) }()
	for _, path := range []string{"/healthz", "/rehearse/status", "/v1/sys/health"} {
		resp, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: got %d, error %v; want 200", path, resp.StatusCode, err)
		}
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("end: got error %v, want none", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still serving 10 s after its context ended")
	}
}

// TestServeSaysWhyItCannot gives it a listener that is closed.
func TestServeSaysWhyItCannot(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.Serve(t.Context(), []byte(`{"root_token":"r"}`), l, io.Discard); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got error %v, want %v", err, net.ErrClosed)
	}
}

// TestServeIsSafeForManyAtOnce has many write with check-and-set: of those who
// saw the same version, one wins.
func TestServeIsSafeForManyAtOnce(t *testing.T) {
	s := store.New("r", &bytes.Buffer{})
	if got := do(s, "POST", "sys/mounts/kv", `{"type":"kv-v2"}`, "r"); got.status != http.StatusNoContent {
		t.Fatalf("mount: got %d %s, want 204", got.status, got.body)
	}
	const writers = 16
	won := make(chan bool, writers)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			won <- do(s, "POST", "kv/data/a", `{"options":{"cas":0},"data":{"x":1}}`, "r").status == http.StatusOK
		})
	}
	wg.Wait()
	close(won)
	wins := 0
	for w := range won {
		if w {
			wins++
		}
	}
	if wins != 1 {
		t.Errorf("writers that won: got %d of %d, want 1", wins, writers)
	}
}
