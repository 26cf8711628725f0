package store_test

import (
	"encoding/json"
	"io"
	"net"
	"testing"

	embedded "github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness/store"
)

// TestEmbeddedSpec serves what the spec says.
func TestEmbeddedSpec(t *testing.T) {
	spec, keys := store.EmbeddedSpec("store")
	if _, other := store.EmbeddedSpec("store"); other.Root == keys.Root {
		t.Fatal("two stores got the same root token")
	}
	config, err := json.Marshal(spec.Config)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- embedded.Serve(t.Context(), config, l, io.Discard) }()
	t.Cleanup(func() { // after t.Context ended
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	st, err := store.Open(t.Context(), store.Server{URL: "http://" + l.Addr().String(), Token: keys.Root}, "r1")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := st.Version(t.Context()); got != "embedded" || err != nil {
		t.Errorf("version: got %q, error %v; want embedded", got, err)
	}
}
