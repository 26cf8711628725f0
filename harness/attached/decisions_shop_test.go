package attached

import (
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// attachedShop is a system in which shop logs in to a server, as shop_a with k1 and as shop_b with k2.
func attachedShop(server, dsn, format string) *System {
	return &System{
		plan: &plan.Plan{
			Runbook:  runbook.Runbook{Consumers: []runbook.Consumer{{Name: "shop", Roles: []runbook.Role{runbook.Emits}}}},
			Services: []plan.Service{{Name: "shop"}},
		},
		attach: &scenario.Attach{
			Present:   map[string]scenario.Present{server: {DSN: dsn}},
			Decisions: map[string]scenario.Decisions{server: {Format: format}},
		},
		identifiers: map[string]string{"k1": "shop_a", "k2": "shop_b"}, made: []string{"k1", "k2"},
	}
}
