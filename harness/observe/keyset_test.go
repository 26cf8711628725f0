package observe

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestCopies: a cache is known by the Age of its answers, and says itself how old they may be.
func TestCopies(t *testing.T) {
	for _, tt := range []struct {
		age           string
		control       []string
		kept, onError time.Duration
	}{
		{"3", []string{"public, max-age=60, stale-while-revalidate=600, stale-if-error=86400"}, 11 * time.Minute, 24 * time.Hour},
		{"3", []string{"max-age=60", `Stale-While-Revalidate="30"`}, 90 * time.Second, 0},
		{"3", []string{"max-age=60, s-maxage=10"}, 10 * time.Second, 0},
		{"3", []string{"max-age=soon, stale-while-revalidate=-1"}, 0, 0},
		{"3", nil, 0, 0},
		{"", []string{"max-age=60, stale-while-revalidate=600"}, 0, 0},
	} {
		header := http.Header{"Cache-Control": tt.control}
		if tt.age != "" {
			header.Set("Age", tt.age)
		}
		if kept, onError := copies(header); kept != history.Offset(tt.kept) || onError != history.Offset(tt.onError) {
			t.Errorf("%v with age %q: got %s and %s, want %s and %s", tt.control, tt.age, kept.Wall(), onError.Wall(), tt.kept, tt.onError)
		}
	}
}

// TestCopiesAreRemembered: an answer that the cache had to fetch has no Age, and does not take back what one had said.
func TestCopiesAreRemembered(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked == 2 {
			w.Header().Set("Age", "1")
		}
		w.Header().Set("Cache-Control", "max-age=60")
		_, _ = w.Write([]byte(`{"keys":[]}`))
	}))
	defer server.Close()
	now := time.Now()
	var told []history.Offset
	w := &Watch{Now: func() time.Time { return now }, Record: func(e history.Event) { told = append(told, e.Set.Kept) }}
	place := newLastLook(w, Place{Service: "auth", URL: func() string { return server.URL }})
	for range 3 {
		place.look(t.Context())
		now = now.Add(time.Second)
	}
	now = now.Add(tellEvery)
	place.look(t.Context())
	if want := history.Offset(time.Minute); len(told) != 3 || told[0] != 0 || told[1] != want || told[2] != want {
		t.Errorf("told %v, want nothing, then a minute at once, and a minute still", told)
	}
}
