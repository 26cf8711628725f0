package plan

import (
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// RunbookLimits are the limits that a page sets by itself, with each of its
// consumers as the page describes it and nothing around them: no shared cache,
// no client, nobody who is not on the page. A page of an unknown family has none.
func RunbookLimits(page runbook.Runbook) Limits {
	family, known := runbook.Traits[page.Scope.Family]
	if !known {
		return Limits{}
	}
	b := builder{page: page, family: family, s: scenario.Scenario{Speed: DefaultSpeed, Services: map[string]scenario.Service{}}}
	for _, c := range page.Consumers {
		kinds := family.CheckedBy
		if c.Has(runbook.Emits) {
			kinds = family.EmittedBy
		}
		b.s.Services[c.Name] = b.service(c.Name, scenario.Service{Serve: kinds[0]})
	}
	return b.limits()
}
