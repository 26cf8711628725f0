package plan_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
)

// TestUnseen: a receiver is called where a client calls a sender of a team's own that
// delivers there by its settings, and not where that delivers elsewhere.
func TestUnseen(t *testing.T) {
	services := func(url string) string {
		return `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
services:
  payments: {command: [own], agent: payments, scale: full, environment: {TO: "{{ .` + url + `.url }}", TOKEN: "{{ .store.token }}"}}
  orders:   {serve: receiver}
  ledger:   {serve: receiver}
load: [{client: sales, to: payments, rate: 5/s}]
`
	}
	for url, want := range map[string]string{"orders": "ledger", "ledger": "orders"} {
		var unseen []string
		for _, u := range plantest.Plan(t, plantest.WebhookPage, services(url)).Unseen {
			unseen = append(unseen, u.Party)
		}
		if got := strings.Join(unseen, " "); got != want {
			t.Errorf("a sender to %s: got %q unseen, want %q", url, got, want)
		}
	}
}
