package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
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
