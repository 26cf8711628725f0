package family

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// What a probe is answered means the same as what load is answered.
func TestDecided(t *testing.T) {
	tests := map[int]history.Outcome{
		200: history.OK, 201: history.OK, 204: history.OK, 302: history.OK,
		401: history.AuthFailure, 403: history.AuthFailure,
		404: history.Unavailable, 429: history.Unavailable, 503: history.Unavailable,
	}
	for status, want := range tests {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer value" || r.UserAgent() != ProbeAgent {
					t.Errorf("got %q of %q, want the bearer of %s", r.Header.Get("Authorization"), r.UserAgent(), ProbeAgent)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}))
			defer server.Close()
			probe, err := show(t.Context(), http.MethodGet, server.URL, "value")
			if err != nil || probe.Outcome != want || probe.Status != fmt.Sprint(status) {
				t.Errorf("got %+v and %v, want %s and %d", probe, err, want, status)
			}
		})
	}
}

func TestUnanswered(t *testing.T) {
	tests := map[string]error{
		"refused": syscall.ECONNREFUSED,
		"timeout": os.ErrDeadlineExceeded,
		"reset":   io.EOF,
		"error":   errors.New("something else"),
	}
	for want, err := range tests {
		if got := unanswered(fmt.Errorf("GET: %w", err)); got != want {
			t.Errorf("%v: got %s, want %s", err, got, want)
		}
	}
	if got := unanswered(context.DeadlineExceeded); got != "timeout" {
		t.Errorf("the end of the time: got %s, want timeout", got)
	}
}
