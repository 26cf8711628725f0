package attached

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// evidenceOfValues is Evidence for a secret whose value is presented, or signs.
func evidenceOfValues(p *plan.Plan) {
	a := p.Rehearsal.Attach
	var told []string
	for _, name := range slices.Sorted(maps.Keys(a.Decisions)) {
		d := a.Decisions[name]
		where := "its container's log"
		switch {
		case d.Format == scenario.RabbitMQDecisions && d.Server == "":
			where = cmp.Or(d.File, where) + "; connections that were made before the run are not seen, since attach.decisions names no management API (server)"
		case d.Format == scenario.RabbitMQDecisions:
			where = cmp.Or(d.File, where) + "; connections that were made before the run: the management API at " + hostOf(d.Server)
		case d.Format == scenario.NATSDecisions:
			where = "the monitoring port at " + hostOf(d.Server)
			if d.File == "" && a.Compose == "" && a.Kubernetes == nil {
				where += "; what users may not do is not seen, since attach.decisions names no log (file)"
			}
		case d.Server != "":
			where = "CLIENT LIST and ACL LOG of " + hostOf(d.Server) + "; a login that ends within " + readEvery.String() + " is not seen"
		case d.File != "":
			where = d.File
		}
		told = append(told, fmt.Sprintf("%s (%s)", name, where))
	}
	decisions := "what was decided, as told by " + strings.Join(told, ", ")
	shown := "probes that show it by attach.present: " + strings.Join(slices.Sorted(maps.Keys(a.Present)), ", ")
	p.Limits.RuleSources = nil
	say := func(rule, from string) {
		p.Limits.RuleSources = append(p.Limits.RuleSources, plan.RuleSource{Rule: rule, From: from})
	}
	lack := func(rule, why string) {
		p.Limits.RuleSources = append(p.Limits.RuleSources, plan.RuleSource{Rule: rule, From: why, None: true})
	}
	say("auth-failures-flat", decisions)
	say("availability", "the load: what users of those who present it get")
	say("distribution", decisions)
	var unshown []string
	p.Limits.Validators = slices.Clone(p.Limits.Validators)
	for i := range p.Limits.Validators {
		v := &p.Limits.Validators[i]
		_, shows := a.Present[v.Name]
		if !shows {
			unshown = append(unshown, v.Name)
		}
		v.Uncounted = !tells(a.Decisions, v.Name)
		v.Untold = !v.Authority && (!shows || !p.Runbook.Verification.Lists("canary"))
		if v.Untold && shows {
			lack("gates", fmt.Sprintf("whether %s has the new one is not asked: list canary under verification.checks", v.Name))
		}
	}
	say("gates", decisions+"; "+shown)
	say("rollback", decisions+"; "+shown+"; attach.current says which is in use")
	if len(unshown) > 0 {
		lack("revocation", "attach.present does not say how "+strings.Join(unshown, ", ")+" is shown one")
	} else {
		say("revocation", shown)
	}
	say("leaks", "all that the run writes, with the values that it had to do with")
	if p.Runbook.Verification.Lists("logs") {
		lack("logs", "the page asks what consumers log, and no log of theirs is read")
	}
	say("accounting", "the counters of the load; what arrived is what is told")
}

// tells reports whether a log tells what a validator decides: its own, or one of which the lines name the
// validator.
func tells(decisions map[string]scenario.Decisions, validator string) bool {
	_, own := decisions[validator]
	for _, d := range decisions {
		own = own || strings.Contains(d.Accepted+d.Refused, "(?P<validator>")
	}
	return own
}
