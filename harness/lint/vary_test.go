package lint_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness/lint"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// TestVaryingBeyondThePage: what is drawn is held against what the page says of it.
func TestVaryingBeyondThePage(t *testing.T) {
	const text = `apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
services: {auth: {serve: issuer}, search: {serve: verifier}}
load: [{client: web, to: search, rate: 5/s, token: {life: 10m}}]
vary:
  `
	for _, tt := range []struct{ name, vary, want string }{
		{"half of it", "services.auth.refresh: {uniform: [20s, 40s]}", "in 50 % of rehearsals it is longer than the page says (consumers.auth.refresh: 30s)"},
		{"inside", "services.auth.refresh: {uniform: [20s, 30s]}", ""},
		{"its tail", "load.web.token.life: {lognormal: {median: 1m, p99: 10m}}", "in 1 % of rehearsals it is longer than the page says (format.longest_life: 10m)"},
		{"measured once", "services.search.delay: {measured: [1s, 2s, 3s, 31s]}", "in 25 % of rehearsals it is longer than the page says (rollout.propagation: 30s)"},
		{"of which the page says nothing", "services.auth.ttl: {fixed: 9h}", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			loaded, err := scenario.Load(fstest.MapFS{"page.yaml": {Data: []byte(healthy)}, "scenario.yaml": {Data: []byte(text + tt.vary + "\n")}}, "scenario.yaml")
			if err != nil {
				t.Fatal(err)
			}
			findings, err := lint.Scenario(loaded, today)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, f := range findings {
				if f.RuleID == "varies-beyond-page" {
					got += f.Message
				}
			}
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want one with %q", got, tt.want)
			}
		})
	}
}
