package launch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestReady(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/late" && asked.Add(1) < 3:
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/late", http.StatusFound)
		}
	}))
	defer server.Close()
	// Hangs up at once, as docker's proxy does while nobody listens behind it.
	rude, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer rude.Close()
	go func() {
		for {
			conn, err := rude.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	ended := make(chan struct{})
	close(ended)

	tests := []struct {
		name, base, path string
		ended            chan struct{}
		want             string // in the error; none: ready
	}{
		{name: "at the third question", base: server.URL, path: "/late"},
		{name: "redirect is not 200", base: server.URL, path: "/moved", want: "last seen: 302 Found"},
		{name: "nobody listens", base: "http://" + closed.Addr().String(), path: "/", want: "connection refused"},
		{name: "ended", base: "http://" + closed.Addr().String(), path: "/", ended: ended, want: ErrEnded.Error()},
		{name: "port that listens", base: server.URL},
		{name: "port that hangs up", base: "http://" + rude.Addr().String(), want: "last seen: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
			defer cancel()
			err := Ready(ctx, tt.base, tt.path, tt.ended)
			if tt.want == "" {
				if err != nil {
					t.Errorf("got %v; want ready", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v; want an error that says %q", err, tt.want)
			}
			if tt.ended == nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v; want the deadline in its chain", err)
			}
		})
	}
}
