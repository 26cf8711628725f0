package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

// TestWatch: metrics are served while a run goes on, on this machine unless another
// address is said, and not after it.
func TestWatch(t *testing.T) {
	p := plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario)
	var said []string
	o := harness.Options{Progress: func(text string) { said = append(said, text) }}
	f := runFlags{metrics: ":0"}
	end, err := f.watch(p, &o)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Listeners) != 1 || len(said) != 1 || !strings.HasPrefix(said[0], "metrics are at http://127.0.0.1:") {
		t.Fatalf("%d listen, and it said %v", len(o.Listeners), said)
	}
	o.Listeners[0].Event(history.Event{Kind: history.KindPhase, Phase: history.Overlap})
	at := strings.TrimPrefix(said[0], "metrics are at ")
	resp, err := http.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || !strings.Contains(string(page), fmt.Sprintf("rehearse_phase{phase=%q} 1", "overlap")) {
		t.Errorf("got %v\n%s", err, page)
	}
	end()
	if _, err := http.Get(at); err == nil {
		t.Error("metrics are served after the run")
	}
	if len(said) != 1 {
		t.Errorf("the end said %v", said[1:])
	}
}

func TestWatchRefuses(t *testing.T) {
	p := plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario)
	for want, f := range map[string]runFlags{
		"--metrics: \"9464\" is no address":         {metrics: "9464"},
		"--metrics: listen tcp":                     {metrics: "192.0.2.1:80"}, // TEST-NET-1 (RFC 5737)
		"--grafana: \"grafana:3000\" is no address": {grafana: "grafana:3000"},
	} {
		o := harness.Options{Progress: func(string) {}}
		if _, err := f.watch(p, &o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestTelemetryIsSent: where the environment asks for it a run is sent by OTLP, and its
// end waits for the last of it; without, nobody listens.
func TestTelemetryIsSent(t *testing.T) {
	var sent atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sent.Add(1) }))
	defer collector.Close()
	p := plantest.Plan(t, plantest.JWTPage, plantest.JWTScenario)
	o := harness.Options{Progress: func(text string) { t.Error(text) }}
	end, err := telemetry(p, &o, func(string) string { return "" })
	if err != nil || len(o.Listeners) != 0 {
		t.Fatalf("nothing asks for it: got %v, %d listen", err, len(o.Listeners))
	}
	end()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	if end, err = telemetry(p, &o, os.Getenv); err != nil || len(o.Listeners) != 1 {
		t.Fatalf("got %v, %d listen", err, len(o.Listeners))
	}
	o.Listeners[0].Event(history.Event{Kind: history.KindPhase, Phase: history.Overlap})
	end()
	if sent.Load() != 2 {
		t.Errorf("%d were sent, want traces and metrics", sent.Load())
	}
	if _, err := telemetry(p, &o, func(name string) string {
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}[name]
	}); err == nil || exitCode(err) != exitUsage {
		t.Errorf("another protocol: got %v, want bad usage", err)
	}
}
