package attached

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// TestWhoIsRefusedElsewhere: a standby that lags refuses nobody by name. It is who logs in there, and not who was let
// in by another server with the same credential.
func TestWhoIsRefusedElsewhere(t *testing.T) {
	emits := []runbook.Role{runbook.Emits}
	s := &System{plan: &plan.Plan{
		Runbook:  runbook.Runbook{Consumers: []runbook.Consumer{{Name: "shop", Roles: emits}, {Name: "reports", Roles: emits}}},
		Services: []plan.Service{{Name: "shop"}, {Name: "reports"}},
	}}
	d := newDecisionReader(s)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.who(shown{"db", "one"}, "shop", true)
	d.who(shown{"standby", "one"}, "reports", true)
	d.who(shown{"db", "two"}, "shop", true)
	for _, tt := range []struct {
		validator, meanwhile, want string
	}{
		{"standby", "", "reports"},
		{"db", "", "shop"},
		{"standby", "nightly", history.Somebody},
	} {
		if tt.meanwhile != "" {
			d.who(shown{tt.validator, "one"}, tt.meanwhile, true)
		}
		if got := d.who(shown{tt.validator, "two"}, "", false); got != tt.want {
			t.Errorf("refused by %s without a name, beside %q: got %s, want %s", tt.validator, tt.meanwhile, got, tt.want)
		}
	}
}
