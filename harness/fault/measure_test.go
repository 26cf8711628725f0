package fault

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestOverHTTP(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	is := overHTTP(bare{server.URL}, plainly)
	if !is(t.Context(), "search") {
		t.Error("a server that answers 404: got no answer, want one")
	}
	server.Close()
	if is(t.Context(), "search") {
		t.Error("a closed server: got an answer, want none")
	}
	if overHTTP(bare{}, plainly)(t.Context(), "search") {
		t.Error("a service without an address: got an answer, want none")
	}
}

func TestMeasureStaysInItsSpan(t *testing.T) {
	tests := []struct {
		name string
		up   bool
		span time.Duration
		want measured
		took time.Duration // at most
	}{
		{"answers, no limit", true, 0, measured{3, 3, time.Millisecond}, 100 * time.Millisecond},
		{"no answer, no limit", false, 0, measured{3, 0, 0}, 900 * time.Millisecond},
		{"no answer, a short span", false, 300 * time.Millisecond, measured{1, 0, 0}, 300 * time.Millisecond},
		{"no answer, a span below one ask", false, 50 * time.Millisecond, measured{1, 0, 0}, 50 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine()
				m.up = tt.up
				begin := time.Now()
				if got := ask(m.answers).measure(t.Context(), "search", tt.span); got != tt.want {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
				if took := time.Since(begin); took > tt.took {
					t.Errorf("took %v, want at most %v", took, tt.took)
				}
			})
		})
	}
}

// plainly is of a run in which nothing speaks TLS.
func plainly(string) bool { return false }
