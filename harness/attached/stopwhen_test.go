package attached

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

func TestStopWhenAsks(t *testing.T) {
	answer, status := `{"data":{"resultType":"vector","result":[]}}`, http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/query" && r.URL.Query().Get("query") != "errors > 5" {
			t.Errorf("asked %s", r.URL)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	query, path := scenario.StopWhen{Query: "errors > 5"}, scenario.StopWhen{URL: "{{ .shop.url }}/healthz"}
	s := &System{attach: &scenario.Attach{Prometheus: server.URL}, endpoints: map[string]world.Endpoint{"shop": {Service: "shop", URL: server.URL}}}
	for _, tt := range []struct {
		name, answer string
		status       int
		check        scenario.StopWhen
		why, fails   string
	}{
		{"no sample", answer, 200, query, "", ""},
		{"a sample", `{"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"7.5"]}]}}`, 200, query, "Prometheus (errors > 5) has 7.5", ""},
		{"no vector", `{"data":{"resultType":"scalar","result":[1,"7"]}}`, 200, query, "", "instant vector"},
		{"no Prometheus", "", 503, query, "", "503"},
		{"well", "", 200, path, "", ""},
		{"not well", "", 503, path, "{{ .shop.url }}/healthz does not answer with success", ""},
	} {
		answer, status = tt.answer, tt.status
		why, err := s.holds(t.Context(), tt.check)
		if why != tt.why || (err != nil) != (tt.fails != "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
			t.Errorf("%s: got %q, %v, want %q, %q", tt.name, why, err, tt.why, tt.fails)
		}
	}
	server.Close()
	if why, err := s.holds(t.Context(), path); why == "" || err != nil {
		t.Errorf("who does not answer is well: %q, %v", why, err)
	}
}

func TestStopWhenHolds(t *testing.T) {
	checks := []scenario.StopWhen{{Query: "a", For: runbook.Duration(30 * time.Second)}, {Query: "b"}}
	var s stopChecks
	began := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		at    time.Duration
		i     int
		says  string
		why   string
		since time.Duration // before that
	}{
		{0, 0, "a has 7", "", 0},
		{20 * time.Second, 0, "", "", 0}, // which begins it anew
		{21 * time.Second, 0, "a has 8", "", 0},
		{50 * time.Second, 0, "a has 9", "", 0},
		{51 * time.Second, 0, "a has 9", "stop_when: a has 9, for 30s", 30 * time.Second},
		{52 * time.Second, 0, "", "", 0},
		{53 * time.Second, 1, "b has 1", "stop_when: b has 1", 0},
	} {
		s.said(tt.i, tt.says, began.Add(tt.at))
		if why, lasting := s.over(checks, began.Add(tt.at)); why != tt.why || why != "" && lasting != tt.since {
			t.Errorf("after %v: got %q for %v, want %q for %v", tt.at, why, lasting, tt.why, tt.since)
		}
	}
}

// TestStopWhenThatCannotBeAsked: that is told where it lasts, once, and its end too.
func TestStopWhenThatCannotBeAsked(t *testing.T) {
	began, away := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), errors.New("connection refused")
	b := undecidedCheck{text: "Prometheus (a)"}
	for _, tt := range []struct {
		at    time.Duration
		err   error
		first bool
		tells string // "": nothing
	}{
		{1 * time.Second, nil, false, ""},
		{2 * time.Second, away, true, ""},
		{3 * time.Second, away, false, ""},
		{4 * time.Second, nil, false, ""},
		{5 * time.Second, away, true, ""},
		{9 * time.Second, away, false, ""},
		{10 * time.Second, away, false, "Prometheus (a) cannot be asked: connection refused"},
		{11 * time.Second, away, false, ""},
		{12 * time.Second, nil, false, "it can be asked again"},
		{13 * time.Second, nil, false, ""},
	} {
		first, event := b.asked(tt.err, began.Add(tt.at))
		told := ""
		if event != nil {
			if told = event.Detail; told == "" {
				told = "it can be asked again"
			}
		}
		if first != tt.first || told != tt.tells {
			t.Errorf("after %s: got %v, %q, want %v, %q", tt.at, first, told, tt.first, tt.tells)
		}
	}
}
