package live

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

// collector keeps what is sent to it. Its messages are those of the wire: a request to
// export spans, or metrics, has the same fields as TracesData and MetricsData.
type collector struct {
	t *testing.T

	mu      sync.Mutex
	spans   []*tracepb.Span
	metrics map[string]*metricspb.Metric
	service string
	tokens  []string
	answer  int
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens = append(c.tokens, r.Header.Get("Authorization"))
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			c.t.Error(err)
			return
		}
		body = unzipped
	}
	data, err := io.ReadAll(body)
	if err != nil {
		c.t.Error(err)
	}
	switch r.URL.Path {
	case "/v1/traces":
		var sent tracepb.TracesData
		if err := proto.Unmarshal(data, &sent); err != nil {
			c.t.Error(err)
		}
		for _, of := range sent.ResourceSpans {
			for _, a := range of.Resource.Attributes {
				if a.Key == "service.name" {
					c.service = a.Value.GetStringValue()
				}
			}
			for _, scope := range of.ScopeSpans {
				c.spans = append(c.spans, scope.Spans...)
			}
		}
	case "/v1/metrics":
		var sent metricspb.MetricsData
		if err := proto.Unmarshal(data, &sent); err != nil {
			c.t.Error(err)
		}
		for _, of := range sent.ResourceMetrics {
			for _, scope := range of.ScopeMetrics {
				for _, m := range scope.Metrics {
					c.metrics[m.Name] = m
				}
			}
		}
	default:
		c.t.Errorf("got %s %s", r.Method, r.URL.Path)
	}
	w.WriteHeader(c.answer)
}

func collecting(t *testing.T, answer int) (*collector, string) {
	t.Helper()
	c := &collector{t: t, metrics: map[string]*metricspb.Metric{}, answer: answer}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return c, server.URL
}

// environment sets variables, which the exporters read too, and is how they are asked for.
func environment(t *testing.T, set map[string]string) func(string) string {
	t.Helper()
	for name, value := range set {
		t.Setenv(name, value)
	}
	return func(name string) string { return set[name] }
}

// TestTelemetry: a collector gets a trace of the run, with all of its parts in their
// places and at their times, and the metrics that Prometheus would.
func TestTelemetry(t *testing.T) {
	c, url := collecting(t, http.StatusOK)
	getenv := environment(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20t0ken", "OTEL_RESOURCE_ATTRIBUTES": "service.name=game-day",
	})
	telemetry, err := NewTelemetry(t.Context(), plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario), "v1", getenv, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	began := time.UnixMilli(1_790_000_000_000)
	telemetry.Spans.now = func() time.Time { return began.Add(time.Second) } // the first event is one second into the run
	for _, e := range events() {
		telemetry.Event(e)
	}
	if err := telemetry.Close(); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	byID := map[string]*tracepb.Span{}
	for _, s := range c.spans {
		byID[string(s.SpanId)] = s
	}
	var got []string
	for _, s := range c.spans {
		parent := "none"
		if p := byID[string(s.ParentSpanId)]; p != nil {
			parent = p.Name
		}
		at := func(nanos uint64) string { return time.Unix(0, int64(nanos)).Sub(began).String() }
		got = append(got, strings.Join([]string{s.Name, "in " + parent, at(s.StartTimeUnixNano), at(s.EndTimeUnixNano), s.Status.GetMessage()}, "|"))
	}
	slices.Sort(got)
	want := []string{
		"fault partition|in rehearsal|3s|6s|",
		"gate emit|in phase emit|6s|6s|checkout refuses k2",
		"phase baseline|in rehearsal|1s|3s|",
		"phase emit|in rehearsal|3s|9s|",
		"rehearsal|in none|1s|9s|",
		"step emit|in phase emit|4s|4s|",
		"step revoke|in phase emit|4s|4s|no answer",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got spans\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if c.service != "game-day" || slices.ContainsFunc(c.tokens, func(token string) bool { return token != "Bearer t0ken" }) {
		t.Errorf("got service %q, tokens %q", c.service, c.tokens)
	}
	attempts := c.metrics["rehearse_attempts_total"]
	if attempts == nil || !attempts.GetSum().GetIsMonotonic() {
		t.Fatalf("got metrics %v, want the attempts as a sum", c.metrics)
	}
	sum := 0.0
	for _, p := range attempts.GetSum().DataPoints {
		sum += p.GetAsDouble()
	}
	if sum != 7 {
		t.Errorf("got %v attempts, want 7", sum)
	}
	if h := c.metrics["rehearse_attempt_duration_seconds"].GetHistogram(); h == nil || h.DataPoints[0].GetCount() != 7 {
		t.Errorf("got %v, want a histogram of 7", h)
	}
}

// TestTelemetryThatFails: a collector that takes nothing is told of once.
func TestTelemetryThatFails(t *testing.T) {
	_, url := collecting(t, http.StatusForbidden)
	getenv := environment(t, map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": url + "/v1/traces", "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20t0ken"})
	var mu sync.Mutex
	var failed []error
	telemetry, err := NewTelemetry(t.Context(), plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario), "v1", getenv, func(err error) {
		mu.Lock()
		defer mu.Unlock()
		failed = append(failed, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events() {
		telemetry.Event(e)
	}
	err = telemetry.Close()
	mu.Lock()
	defer mu.Unlock()
	if all := errors.Join(append(failed, err)...); len(failed) > 1 || all == nil || strings.Contains(all.Error(), "t0ken") {
		t.Errorf("got %v, want to be told once, without the token", all)
	}
}

// TestTelemetryIsAskedFor by an endpoint, and turned off as everywhere.
func TestTelemetryIsAskedFor(t *testing.T) {
	t.Parallel()
	const endpoint, at = "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318"
	for _, tt := range []struct {
		name            string
		set             map[string]string
		traces, metrics bool
		refused         bool
	}{
		{"nothing", nil, false, false, false},
		{"an endpoint", map[string]string{endpoint: at}, true, true, false},
		{"of one signal", map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": at}, false, true, false},
		{"turned off", map[string]string{endpoint: at, "OTEL_SDK_DISABLED": "true"}, false, false, false},
		{"no traces", map[string]string{endpoint: at, "OTEL_TRACES_EXPORTER": "none"}, false, true, false},
		{"another protocol", map[string]string{endpoint: at, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, true, true, true},
	} {
		getenv := func(name string) string { return tt.set[name] }
		if traces, metrics := Asked(getenv); traces != tt.traces || metrics != tt.metrics {
			t.Errorf("%s: got traces %t, metrics %t", tt.name, traces, metrics)
		}
		if !tt.refused && (tt.traces || tt.metrics) {
			continue
		}
		telemetry, err := NewTelemetry(t.Context(), nil, "v1", getenv, nil)
		if telemetry != nil || errors.Is(err, ErrProtocol) != tt.refused {
			t.Errorf("%s: got %v, %v", tt.name, telemetry, err)
		}
	}
}
