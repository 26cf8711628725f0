package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// planCommand is `rehearse plan [SCENARIO]`.
func planCommand() *cobra.Command {
	var o plan.Options
	command := &cobra.Command{
		Use:   "plan [SCENARIO]",
		Short: "Show the timeline, the bounds and the largest speed of a scenario",
		Args:  arguments(cobra.MaximumNArgs(1)), ValidArgsFunction: completingScenarios,
		RunE: func(command *cobra.Command, args []string) error {
			name := scenarios.Default
			if len(args) > 0 {
				name = args[0]
			}
			if command.Flags().Changed("speed") && !(o.Speed > 0 && o.Speed < math.Inf(1)) {
				return usage(fmt.Errorf("--speed: %v is not more than 0", o.Speed))
			}
			loaded, err := loadScenario(name)
			if err != nil {
				return err
			}
			p, err := plan.Build(loaded, o)
			if err != nil {
				return err
			}
			return printPlan(command.OutOrStdout(), p, plan.Shortenings(loaded, o))
		},
	}
	command.Flags().Float64Var(&o.Speed, "speed", 0, "over the scenario's: what the durations of the page are divided by")
	return command
}

// planOf loads and plans a scenario.
func planOf(name string, o plan.Options) (*plan.Plan, error) {
	loaded, err := loadScenario(name)
	if err != nil {
		return nil, err
	}
	return plan.Build(loaded, o)
}

// mostShortenings is how many figures are told by which a rotation could be shorter.
const mostShortenings = 3

// printPlan prints what is known of a run before it starts, and which figures its length hangs on.
func printPlan(w io.Writer, p *plan.Plan, shorter []plan.Shortening) error {
	// The writer keeps the first error, which Flush returns.
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	say := func(format string, args ...any) { fmt.Fprintln(t, plaintext.Line(fmt.Sprintf(format, args...))) }
	say("%s, at speed %v (at most %v: %s)", p.Name, p.Speed, p.MaxSpeed, p.MaxSpeedBecause)
	fmt.Fprintf(t, "gates %s · on budget %s · seed %d\n\n", p.Gates, p.OnBudget, p.Seed)
	stretches := p.Timeline()
	drawn := timelineOf(p, stretches)
	fmt.Fprintln(t, "phase\tbegins\tlasts\twall clock\t█ planned │ ░ needed → without end")
	for _, s := range stretches {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.Phase,
			plan.Text(s.PageStart), plan.Text(s.PageLength), plan.Text(s.WallLength), drawn.row(s))
	}
	if p.RollbackFrom != "" {
		say("taken back at the end of %s, as asked: what comes after it does not run", p.RollbackFrom)
	}
	if timed := p.Limits.Timed(); len(timed) > 0 {
		ahead := p.Limits.LooksAhead().Duration()
		say("accept waits for the moment from which %s learns as late as it can: up to %s (%s) more of baseline",
			timed[0].Name, plan.Text(p.Limits.Page(ahead)), plan.Text(ahead))
	}
	fmt.Fprintln(t)
	for _, b := range p.Limits.Bounds() {
		mark := "✓"
		if !b.Held {
			mark = "✗"
		}
		say("%s %s", mark, b)
	}
	if key := brokenBy(p.Limits.Bounds()); key != "" && harness.Simulatable(p) == nil {
		say("  what less than that would risk: rehearse sweep --key %s %s", key, cmp.Or(p.File, p.Name))
	}
	for _, s := range shorter[:min(len(shorter), mostShortenings)] {
		say("↓ %s (%s): if it were half of that, the bounds would ask for %s less of %s", s.Path, plan.Text(s.Now), plan.Text(s.Less), strings.Join(s.Of, ", "))
	}
	for _, u := range p.Unseen {
		say("? %s", u)
	}
	for _, e := range p.Runbook.Overlap.Exceptions {
		say("%s", exception(e, p.Limits.Window))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print plan: %w", err)
	}
	return nil
}

// brokenBy is the field of the page behind the first broken bound that a longer time would mend; empty:
// none is.
func brokenBy(bounds []plan.Bound) string {
	for _, b := range bounds {
		if !b.Held && b.Needed != runbook.Forever {
			return b.Field
		}
	}
	return ""
}

// exception says whether the window is long enough for a client that may keep the old credential.
func exception(e runbook.Exception, window time.Duration) string {
	until := plan.Text(e.Until.Duration())
	if e.Until.Duration() > window {
		return fmt.Sprintf("✗ the revoke does not wait for %s, which may keep the old one for %s: overlap.window is %s and must be at least %s",
			e.Client, until, plan.Text(window), until)
	}
	return fmt.Sprintf("✓ the revoke waits for %s, which may keep the old one for %s: overlap.window is %s", e.Client, until, plan.Text(window))
}
