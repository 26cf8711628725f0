package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge"
)

// TestRuns wants the figures of many rehearsals to be those of their samples, and the
// same again with the same seeds.
func TestRuns(t *testing.T) {
	draw := func(args ...string) (d distribution) {
		code, text := said(t, append([]string{"simulate", "--runs", "6", "--seed", "3", "--ui", "json"}, args...)...)
		if err := json.NewDecoder(strings.NewReader(text)).Decode(&d); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		want := 0
		if d.Verdicts[judge.Fail] > 0 {
			want = exitFail
		}
		if code != want {
			t.Errorf("%v: exit code: got %d, want %d", args, code, want)
		}
		return d
	}
	bad, good := draw("jwt-signing-key/stale-cache"), draw("jwt-signing-key/healthy")
	if bad.Runs != 6 || bad.Asked != 6 || bad.Runtime != "simulated" || bad.FirstSeed != 3 || len(bad.Samples) != 6 || bad.Samples[5].Seed != 8 {
		t.Errorf("got %+v, want 6 simulated with seeds 3 to 8", bad)
	}
	if bad.Verdicts[judge.Fail] != 6 || bad.Fails.Estimate != 1 || bad.Named["search"] != 6 || bad.Quantiles["min"] <= 0 {
		t.Errorf("known bad: got %+v, want that all fail, by search", bad)
	}
	for _, party := range bad.Parties {
		if by := party.Validator == "search"; by != (party.In == 6) || by != (party.Share > 0) {
			t.Errorf("known bad: got %+v, want that search alone refuses", party)
		}
	}
	if good.Verdicts[judge.Pass] != 6 || good.Any.Estimate != 0 || good.Any.High <= 0 || good.Refused.Estimate != 0 {
		t.Errorf("healthy: got %+v, want that all pass, nobody is refused, and a limit that 6 runs can show", good)
	}
	if again := draw("jwt-signing-key/stale-cache"); again.Refused != bad.Refused {
		t.Errorf("again: got %+v, want %+v", again.Refused, bad.Refused)
	}
}

// TestInterruptedFigures wants what was done until an interrupt to be told, with its exit code.
func TestInterruptedFigures(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"simulate", "--runs", "9", "jwt-signing-key/healthy"}, {"sweep", "jwt-signing-key/healthy"}} {
		var out bytes.Buffer
		root := rootCommand()
		root.SetArgs(args)
		root.SetOut(&out)
		if code := exitCode(root.ExecuteContext(ended)); code != exitInterrupted || !strings.Contains(out.String(), "interrupted") {
			t.Errorf("%v: got %d: %s; want %d, and that it was interrupted", args, code, out.String(), exitInterrupted)
		}
	}
}

// TestProgress tells how far it has come and how long it may still take, and then goes away.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := &progress{w: &out, what: "rehearsals simulated", began: time.Now().Add(-time.Minute)}
	p.step(4)
	if got := out.String(); !strings.Contains(got, "██████░░") || !strings.Contains(got, " 1 of 4 rehearsals simulated, 3m left at most") {
		t.Errorf("after a quarter in a minute: got %q", got)
	}
	p.step(4) // too soon to be told
	if got := strings.Count(out.String(), "left"); got != 1 {
		t.Errorf("at once again: told %d times, want once", got)
	}
	p.end()
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("at the end: got %q, want that the line is taken away", out.String())
	}
}
