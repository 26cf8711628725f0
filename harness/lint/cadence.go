package lint

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

var backToBack = Rule{"back-to-back", "the cadence is at least what the slowest cache keeps, and the longest life on top",
	"a second rotation begins while caches and clients still have what the first one replaced: an authority that holds two then refuses them"}

// rotatingTooOften finds a cadence by which a rotation begins while somebody may
// still have the credential before the last: of two logins that alternate, it is the
// one whose password is then changed.
func rotatingTooOften(s *subject) []Finding {
	cadence := s.page.Schedule.Cadence.Duration()
	if cadence <= 0 {
		return nil
	}
	var slowest time.Duration
	who := ""
	keeps := func(name string, d time.Duration) {
		if d != runbook.Forever && d > slowest {
			slowest, who = d, name
		}
	}
	for _, v := range s.limits.Validators {
		keeps(v.Name, s.limits.G1(v))
		keeps(v.Name, s.limits.G3(v))
	}
	for _, e := range s.limits.Emitters {
		keeps(e.Name, e.Refresh)
	}
	need := slowest + s.limits.G2()
	if s.limits.G2() == runbook.Forever || cadence >= need {
		return nil
	}
	because := fmt.Sprintf("%s may have what it took for %s, and", who, plan.Text(slowest))
	if who == "" {
		because = "nobody keeps it, but"
	}
	return []Finding{{
		Level: Error, Path: "schedule.cadence", Consumer: who, Planned: plan.Text(cadence), Needed: plan.Text(need),
		Message: fmt.Sprintf("the next rotation begins %s after this one: %s what was made with it lives for %s more", plan.Text(cadence), because, plan.Text(s.limits.G2())),
		Fix:     fmt.Sprintf("schedule.cadence: at least %s", plan.Text(need)),
	}}
}
