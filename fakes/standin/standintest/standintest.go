// Package standintest runs stand-ins for the length of a test, asks them, and
// reads what they wrote to their log.
package standintest

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"
)

// Patience is how long a test waits for what must happen.
const Patience = time.Minute

// Eventually polls until a condition holds.
func Eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("after %s: %s did not happen", Patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Serve runs a service for the length of a test.
func Serve(t *testing.T, s func(context.Context, []byte, net.Listener, io.Writer) error, config map[string]any) (url string, log *Log) {
	t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log = NewLog(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		defer listener.Close() // of one that did not start: nobody waits for it
		done <- s(ctx, data, listener, log)
	}()
	t.Cleanup(func() {
		cancel()
		Client.CloseIdleConnections()
		if err := <-done; err != nil {
			t.Errorf("service ended: got %v, want no error", err)
		}
		log.Check()
	})
	return "http://" + listener.Addr().String(), log
}

// AwaitReady waits until a stand-in says that it is ready.
func AwaitReady(t *testing.T, url string) {
	t.Helper()
	Eventually(t, "200 of "+url+"/healthz", func() bool {
		status, _ := Call(t, http.MethodGet, url+"/healthz", "", nil)
		return status == http.StatusOK
	})
}

// With is a configuration with more in it.
func With(config map[string]any, more map[string]any) map[string]any {
	config = maps.Clone(config)
	maps.Copy(config, more)
	return config
}

// WantEqual compares two lists, of what.
func WantEqual[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Refuses runs a service that is not to start.
func Refuses(t *testing.T, s func(context.Context, []byte, net.Listener, io.Writer) error, config map[string]any) error {
	t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	return s(ctx, data, listener, io.Discard)
}
