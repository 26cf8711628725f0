package plan

import (
	"fmt"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const (
	// longest bounds each duration of limits, in page time: a hundred years, as the
	// durations of a page are bounded.
	longest = 36500 * 24 * time.Hour
	// mostRate and mostSessions bound a client's figures: whoever judges takes
	// memory and time by them.
	mostRate     = 1e6
	mostSessions = 1_000_000
	// mostSpeed bounds the speed; topSpeed is what a plan is built with at most.
	mostSpeed = 1e6
)

// Check rejects impossible figures in limits that were read from a saved run. Limits built from a plan
// pass.
func (l Limits) Check() error {
	switch {
	case !(l.Speed >= scenario.LeastSpeed && l.Speed <= mostSpeed):
		return fmt.Errorf("speed is %v, want a number from %g to %g", l.Speed, scenario.LeastSpeed, mostSpeed)
	case !(l.Objective >= 0 && l.Objective <= 1):
		return fmt.Errorf("objective is %v, want a share from 0 to 1", l.Objective)
	case !(l.BudgetOver >= 0 && l.BudgetOver <= 1):
		return fmt.Errorf("budget_over is %v, want a share from 0 to 1", l.BudgetOver)
	}
	if err := lengths("", namedDuration{"budget_for_ns", l.BudgetFor}, namedDuration{"lead_ns", l.Lead}, namedDuration{"propagation_ns", l.Propagation},
		namedDuration{"window_ns", l.Window}, namedDuration{"watch_ns", l.Watch}, namedDuration{"longest_life_ns", l.LongestLife}, namedDuration{"expires_ns", l.Expires}); err != nil {
		return err
	}
	for i, v := range l.Validators {
		if err := lengths(fmt.Sprintf("validators[%d].", i), namedDuration{"learns_ns", v.Learns}, namedDuration{"forgets_ns", v.Forgets},
			namedDuration{"granule_ns", v.Granule}, namedDuration{"shared_ns", v.Shared}, namedDuration{"cooldown_ns", v.Cooldown}, namedDuration{"rereads_ns", v.Rereads}); err != nil {
			return err
		}
	}
	for i, e := range l.Emitters {
		if err := lengths(fmt.Sprintf("emitters[%d].", i), namedDuration{"refresh_ns", e.Refresh}, namedDuration{"life_ns", e.Life}); err != nil {
			return err
		}
	}
	for i, c := range l.Clients {
		switch {
		case !(c.Rate >= 0 && c.Rate <= mostRate):
			return fmt.Errorf("clients[%d].rate is %v, want a number from 0 to %g", i, c.Rate, mostRate)
		case c.Sessions < 0 || c.Sessions > mostSessions:
			return fmt.Errorf("clients[%d].sessions is %d, want a number from 0 to %d", i, c.Sessions, mostSessions)
		}
		if err := lengths(fmt.Sprintf("clients[%d].", i), namedDuration{"life_ns", c.Life}); err != nil {
			return err
		}
	}
	for i, c := range l.Caches {
		if err := lengths(fmt.Sprintf("caches[%d].", i), namedDuration{"ttl_ns", c.TTL}); err != nil {
			return err
		}
	}
	return nil
}

// namedDuration is a duration and its key in the file.
type namedDuration struct {
	name string
	d    time.Duration
}

func lengths(prefix string, all ...namedDuration) error {
	for _, l := range all {
		if l.d != runbook.Forever && (l.d < 0 || l.d > longest) {
			return fmt.Errorf("%s%s is %d, want nanoseconds from 0 to %d", prefix, l.name, l.d, longest)
		}
	}
	return nil
}
