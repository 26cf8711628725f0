package lint_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness/lint"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

const mounted = `apiVersion: rehearse/v1
kind: Runbook
scope:        {name: payments-webhook, family: webhook-secret}
storage:      {store: vault, publish: {path: secret/data/payments/webhook}, distribution: secret-volume}
consumers:
  - {name: payments, roles: [emit], refresh: 30s}
  - {name: orders,   roles: [validate], refresh: 1m}
format:       {type: github, identifier: tag, longest_life: 5m}
rollout:      {lead: 2m32s, watch: 2m32s}
overlap:      {window: 6m32s}
verification: {slo: {objective: 99.9%}}
rollback:     {when: {auth_failures_over: 1%, for: 10s}, decides: identity on-call}
schedule:     {owner: payments-team, next_review: 2026-11-23, cadence: 90d}
`

// TestMountedPage breaks one line of a page about a mounted Secret at a time.
func TestMountedPage(t *testing.T) {
	for _, tt := range []struct {
		name     string
		old, new string
		want     []string // RULE at LINE:COLUMN, and a part of its message
	}{
		{"just what kubelets take", "", "", nil},
		{"less than kubelets take", "lead: 2m32s", "lead: 2m31s", []string{"G1 9:22 orders: rollout.lead is 2m31s and must be at least 2m32s (learns 1m + propagation by sync and cache of a kubelet 1m32s)"}},
		{"what the page says goes before", "lead: 2m32s", "propagation: 2m, lead: 2m32s", []string{
			"G1 9:39 orders: rollout.lead is 2m32s and must be at least 3m (learns 1m + propagation 2m)",
			"G2 10:24 overlap.window is 6m32s and must be at least 7m", "G3 9:53 orders: rollout.watch is 2m32s and must be at least 3m",
		}},
		{"a kubelet that is said to be quick", "lead: 2m32s", "propagation: 5s, lead: 2m32s", []string{"kubelet-delay 9:29 the page allows 5s for a publication, and sync and cache of a kubelet take up to 1m32s"}},
		{"a ConfigMap", "secret-volume", "config-map", []string{"secret-in-config-map 4:91 payments-webhook lies in a ConfigMap"}},
		{"by subPath", "refresh: 1m}", "refresh: 1m, sub_path: true}", []string{
			"G1 9:22 orders: rollout.lead is 2m32s, and no time is enough (never learns by itself",
			"G3 9:36 orders: rollout.watch is 2m32s, and no time is enough", "sub-path 7:64 orders mounts the secret by subPath",
		}},
		{"immutable", "secret-volume", "secret-volume, immutable: true", []string{
			"G1 9:22 orders: rollout.lead is 2m32s and must be at least 10m (propagation by a rollout 10m)", "G2 10:24 overlap.window is 6m32s and must be at least 15m",
			"G3 9:36 orders: rollout.watch is 2m32s and must be at least 10m", "rollout-time 9:15 the Secret is immutable",
		}},
		{"a variable, whose rollout is timed", "secret-volume}", "secret-env}\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(mounted, tt.old, tt.new, 1)
			if tt.want == nil && tt.old != "" {
				text = strings.Replace(text, "lead: 2m32s", "propagation: 90s, lead: 2m32s", 1)
			}
			page, err := runbook.Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, "p.yaml")
			if err != nil {
				t.Fatal(err)
			}
			found := lint.Runbook(page, today)
			for i, f := range found {
				told := f.RuleID + " " + strings.TrimPrefix(f.Position.String(), "p.yaml:") + " " + f.Message
				if i >= len(tt.want) || !strings.HasPrefix(told, tt.want[i]) {
					t.Errorf("found %q, want %q", told, tt.want)
				}
			}
			if len(found) != len(tt.want) {
				t.Errorf("got %d findings, want %q", len(found), tt.want)
			}
		})
	}
}
