package main

import (
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

func TestPlanSaysWhomTheRevokeWaitsFor(t *testing.T) {
	for _, tt := range []struct {
		name   string
		until  time.Duration
		window time.Duration
		want   string
	}{
		{"within the window", 10 * time.Minute, 12 * time.Minute, "✓ the revoke waits for old-app"},
		{"as long as the window", 12 * time.Minute, 12 * time.Minute, "✓ the revoke waits for old-app"},
		{"beyond it", 24 * time.Hour, 12 * time.Minute, "✗ the revoke does not wait for old-app, which may keep the old one for 24h: overlap.window is 12m and must be at least 24h"},
	} {
		e := runbook.Exception{Client: "old-app", Until: runbook.Duration(tt.until)}
		if got := exception(e, tt.window); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %q, want it to begin with %q", tt.name, got, tt.want)
		}
	}
}
