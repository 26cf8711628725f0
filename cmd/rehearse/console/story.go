package console

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/reports"
)

// story is what the teller remembers to say things once and from when.
type story struct {
	made      []string // credentials in the order in which they were made
	phase     history.Phase
	clock     reports.Clock // from the first phase on
	ended     bool
	steps     map[string]history.Offset // "accept k2" → when it was done
	published map[string]history.Offset // credential → first seen in a published set
	probed    map[string]history.Outcome
	turns     map[string]int    // how often it was another than before
	emitting  map[string]string // by emitter
	told      map[string]bool
}

func newStory() story {
	return story{
		steps: map[string]history.Offset{}, published: map[string]history.Offset{},
		probed: map[string]history.Outcome{}, turns: map[string]int{}, emitting: map[string]string{}, told: map[string]bool{},
	}
}

// first reports whether something is told for the first time.
func (s *story) first(what ...string) bool {
	key := strings.Join(what, "\x00")
	if s.told[key] {
		return false
	}
	s.told[key] = true
	return true
}

// oldName and newName are the credentials of the rotation: the first that was
// made, and the last after it.
func (s *story) oldName() string {
	if len(s.made) == 0 {
		return "the old credential"
	}
	return s.made[0]
}

func (s *story) newName() string {
	if len(s.made) < 2 {
		return "the new credential"
	}
	return s.made[1] // a third is of another rotation
}

// changing says that the rotation is past its baseline: what services report
// before it is how they came up.
func (s *story) changing() bool { return s.phase != "" && s.phase != history.Baseline }

// tell prints the line of an event.
func (c *Console) tell(e history.Event) {
	switch e.Kind {
	case history.KindPlan:
		c.say(e.At, neutral, "speed %g · gates %s · lead %s · window %s · watch %s · validators %d · clients %d", c.limits.Speed,
			cmp.Or(c.limits.Gates, "not known"), c.planned(c.limits.Lead), c.planned(c.limits.Window), c.planned(c.limits.Watch),
			len(c.limits.Validators), len(c.limits.Clients))
	case history.KindPhase:
		c.tellPhase(e)
	case history.KindCredential:
		c.story.made = append(c.story.made, e.Credential)
		c.say(e.At, neutral, "%s made, known as %s", e.Credential, short(e.Identifier))
	case history.KindStep:
		c.tellStep(e)
	case history.KindGate:
		c.tellGate(e)
	case history.KindDecision:
		c.tellDecision(e)
	case history.KindFault:
		c.tellFault(e)
	case history.KindProbe:
		c.tellProbe(e)
	case history.KindPublished, history.KindEmitting, history.KindLearned, history.KindForgot:
		c.tellSpread(e)
	default:
		c.tellOther(e)
	}
}

func (c *Console) tellPhase(e history.Event) {
	if c.story.phase == "" {
		c.story.clock = reports.Clock{Speed: c.limits.Speed, Zero: e.At}
	}
	c.story.phase = e.Phase
	page := ""
	if c.limits.Speed != 1 {
		page = "page " + c.story.clock.Page(e.At) + " · "
	}
	c.say(e.At, phase, "%-8s  %s%s", e.Phase, page, c.purpose(e.Phase))
}

// purpose says what a phase does, and for how long.
func (c *Console) purpose(p history.Phase) string {
	from, to := c.story.oldName(), c.story.newName()
	if text := c.followed(p, from, to); text != "" {
		return text
	}
	switch p {
	case history.Baseline:
		text := from + " alone under load"
		if c.options.Baseline > 0 {
			text += ", for " + c.planned(c.options.Baseline)
		}
		if timed := c.limits.Timed(); len(timed) > 0 {
			ahead := c.limits.Page(c.limits.LooksAhead().Duration())
			text += fmt.Sprintf(", and until the worst moment for %s, within %s more", timed[0].Name, c.planned(ahead))
		}
		return text
	case history.Accept:
		return fmt.Sprintf("make %s and accept it beside %s", to, from)
	case history.Verify:
		return fmt.Sprintf("wait %s until every validator takes %s", c.planned(c.limits.Lead), to)
	case history.Emit:
		return fmt.Sprintf("switch the emitters to %s, within %s", to, c.planned(c.limits.Switching()))
	case history.Overlap:
		until := "nobody presents %s any more"
		if c.limits.LongestLife > 0 {
			until = "everything made with %s has expired"
		}
		return fmt.Sprintf("wait %s until "+until, c.planned(c.limits.Window), from)
	case history.Revoke:
		return "disable " + from
	case history.Watch:
		return fmt.Sprintf("show %s to every validator until it is refused, for %s", from, c.planned(c.limits.Watch))
	case history.Rollback:
		return "back to " + from
	}
	return ""
}

// followed is purpose where a rotator of the team's own takes the steps; "": the phase
// is as any.
func (c *Console) followed(p history.Phase, from, to string) string {
	if !c.limits.Rotator() {
		return ""
	}
	switch p {
	case history.Accept:
		return fmt.Sprintf("start the rotator, and see it accept %s beside %s", to, from)
	case history.Verify:
		return fmt.Sprintf("until the rotator is seen to have %s in use; the page gives it %s", to, c.planned(c.limits.Lead))
	case history.Emit:
		return fmt.Sprintf("until every emitter is seen to use %s, within %s", to, c.planned(c.limits.Switching()))
	case history.Overlap:
		return fmt.Sprintf("until %s is revoked; the page gives it %s", from, c.planned(c.limits.Window))
	case history.Revoke:
		return from + " is to be refused from here on"
	}
	return ""
}

func (c *Console) tellStep(e history.Event) {
	if e.Detail != "" {
		c.say(e.At, bad, "%s %s failed: %s", e.Step, e.Credential, e.Detail)
		return
	}
	if c.story.phase != "" { // others made the state to start from
		c.story.steps[e.Step+" "+e.Credential] = e.At
	}
	done := map[string]string{
		"accept": "accepted", "emit": "the one to emit", "revoke": "revoked",
		"restore": "accepted again", "withdraw": "withdrawn", "destroy": "destroyed",
	}
	c.say(e.At, good, "%s is %s", e.Credential, cmp.Or(done[e.Step], "through "+e.Step))
}

func (c *Console) tellGate(e history.Event) {
	g := e.Gate
	switch {
	case g == nil:
	case g.Mode == "off":
		c.detail(e.At, "gate after %s is off", g.Phase)
	case g.Held:
		c.say(e.At, good, "gate after %s held: %s", g.Phase, g.Detail)
	default:
		text := fmt.Sprintf("gate after %s did not hold: %s", g.Phase, g.Detail)
		if g.Consumer != "" {
			text += "; look at " + g.Consumer
		}
		if g.Mode == "observe" {
			text += " (only observed: enforced, it would stop here)"
		}
		c.say(e.At, bad, "%s", text)
	}
}

func (c *Console) tellDecision(e history.Event) {
	if e.Decision == nil {
		c.say(e.At, back, "decision: %s", e.Detail)
		return
	}
	took := ""
	if d := e.At - e.Decision.Since; d > 0 && e.Decision.Since > 0 {
		took = fmt.Sprintf(" (decided %s after the first sign)", plan.Text(d.Duration()))
	}
	switch e.Decision.Action {
	case history.ActionRollBack:
		c.say(e.At, back, "rolling back: %s%s", e.Decision.Why, took)
	case history.ActionStop:
		stopping := "stopping, nothing was changed"
		if c.limits.Rotator() && c.story.changing() { // whether it changed anything is told by what it left
			stopping = "stopping"
		}
		c.say(e.At, back, "%s: %s%s", stopping, e.Decision.Why, took)
	default:
		if e.Decision.Trigger == history.TriggerGate {
			return // the gate's own line says so
		}
		c.say(e.At, warn, "would roll back here, and only records it: %s", e.Decision.Why)
	}
}

func (c *Console) tellFault(e history.Event) {
	f := e.Fault
	if f == nil {
		return
	}
	detail := ""
	if d := strings.TrimPrefix(reports.Evidence(f.Evidence)+"; "+f.Detail, "; "); d != "" {
		detail = ": " + strings.TrimSuffix(d, "; ")
	}
	name := fmt.Sprintf("fault %s on %s", f.Kind, f.Target)
	if f.By != "" {
		name += ", by the " + f.By
	}
	switch f.Stage {
	case history.FaultInjected:
		c.say(e.At, warn, "%s injected%s", name, detail)
	case history.FaultEvidence:
		if f.Took {
			c.say(e.At, warn, "%s took effect%s", name, detail)
		} else {
			c.say(e.At, bad, "%s shows no effect%s", name, detail)
		}
	case history.FaultUndone:
		c.say(e.At, good, "%s undone%s", name, detail)
	default:
		c.say(e.At, bad, "%s %s%s", name, f.Stage, detail)
	}
}

// short is the beginning of an identifier: a thumbprint is longer than a line
// has room for, and its beginning tells it from others.
func short(identifier string) string {
	const enough = 16
	if runes := []rune(identifier); len(runes) > enough {
		return string(runes[:enough]) + "…"
	}
	return cmp.Or(identifier, "nothing")
}

// detail prints a line that only a verbose console has.
func (c *Console) detail(at history.Offset, format string, args ...any) {
	if c.options.Verbose {
		c.say(at, neutral, format, args...)
	}
}
