package attached

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Evidence completes a plan with the source of each rule's evidence, and with what cannot be told: of a
// validator whose log says nothing and that takes no canary, or a canary that nobody can make.
func Evidence(p *plan.Plan, endpoints []world.Endpoint) {
	if !signsTokens(p.Runbook.Scope.Family) {
		evidenceOfValues(p)
		return
	}
	tells := map[string]bool{}
	var telling, logged []string
	for _, e := range endpoints {
		if e.Logged {
			logged = append(logged, e.Service)
		}
		if tells[e.Service] = e.Tells; e.Tells {
			telling = append(telling, e.Service)
		}
	}
	slices.Sort(telling)
	t := tokensOf(p)
	source := "tokens of " + t.From + t.Path
	if len(t.Command) > 0 {
		source = "tokens that " + t.Command[0] + " prints"
	}
	canary := byName(t)
	if !canary {
		p.Runbook.Verification.Checks = slices.DeleteFunc(slices.Clone(p.Runbook.Verification.Checks), func(c string) bool { return c == "canary" })
		p.Limits.Checks = p.Runbook.Verification.Checks
	}
	shown := canary && p.Runbook.Verification.Lists("canary")
	var untold, unasked []string
	p.Limits.Validators = slices.Clone(p.Limits.Validators)
	for i := range p.Limits.Validators {
		v := &p.Limits.Validators[i]
		if v.Untold = !tells[v.Name] && !shown; v.Untold {
			untold = append(untold, v.Name)
			if !slices.ContainsFunc(p.Rehearsal.Load, func(c scenario.Client) bool { return c.To == v.Name }) {
				unasked = append(unasked, v.Name)
			}
		}
	}
	load := "the load alone: the answers to what it presents, by the kid of its tokens"
	say := func(rule, from string) {
		p.Limits.RuleSources = append(p.Limits.RuleSources, plan.RuleSource{Rule: rule, From: from})
	}
	lack := func(rule, why string) {
		p.Limits.RuleSources = append(p.Limits.RuleSources, plan.RuleSource{Rule: rule, From: why, None: true})
	}
	p.Limits.RuleSources = nil
	say("auth-failures-flat", load)
	say("availability", load)
	say("sessions", "the load alone: whether its tokens are renewed")
	say("distribution", load)
	watched := fmt.Sprintf("the tokens of %s, once a second", t.From)
	if p.Runbook.Storage.Distribution == runbook.JWKS {
		watched = fmt.Sprintf("the key set of %s and %s", strings.Join(publishers(p), ", "), watched)
	}
	if len(telling) > 0 {
		watched = "the logs of " + strings.Join(telling, ", ")
	}
	if shown {
		watched += "; a canary of " + source
	}
	const neither = "shows in no log and no canary (attach.tokens gives tokens only of the one in use)"
	switch {
	case len(unasked) > 0:
		lack("gates", fmt.Sprintf("whether %s has taken a new credential %s, and not in the load", strings.Join(unasked, ", "), neither))
	case len(untold) > 0:
		say("gates", fmt.Sprintf("%s; whether %s has taken a new credential %s: the load shows it when it is emitted, and no gate before",
			watched, strings.Join(untold, ", "), neither))
	default:
		say("gates", watched)
	}
	say("rollback", load+"; "+source)
	if uses(t, "life", "seconds") {
		say("revocation", source+" that outlive the revoke, shown to every validator until it refuses them")
	} else {
		lack("revocation", "no token outlives the revoke: attach.tokens does not ask for one by {{ .life }} or {{ .seconds }}")
	}
	say("leaks", "all that the run writes, with the values that it had to do with")
	switch {
	case len(logged) > 0:
		say("logs", "the logs of "+strings.Join(logged, ", "))
	case p.Runbook.Verification.Lists("logs"):
		lack("logs", "the page asks what consumers log, and no log is followed")
	}
	say("accounting", counted(p))
}

// counted says which counters there are of what was served.
func counted(p *plan.Plan) string {
	var named, without []string
	for _, v := range p.Limits.Validators {
		c, ok := p.Rehearsal.Attach.Counters[v.Name]
		switch {
		case !ok:
			without = append(without, v.Name)
		case c.Query != "":
			named = append(named, fmt.Sprintf("%s by Prometheus (%s)", v.Name, c.Query))
		default:
			named = append(named, fmt.Sprintf("%s at %s", v.Name, c.Path))
		}
	}
	text := "the counters of the load"
	if len(named) > 0 {
		text += "; what was served: " + strings.Join(named, ", ")
	}
	if len(without) > 0 {
		text += "; nobody counts what is served by " + strings.Join(without, ", ")
	}
	return text
}
