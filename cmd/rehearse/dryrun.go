package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// dryRun prints every step that a run would take. It takes none: a system that
// runs already is only looked at. What such a run would lack here is the error.
func dryRun(command *cobra.Command, p *plan.Plan, runtime string) error {
	out := plaintext.Writer(command.OutOrStdout())
	if err := printPlan(out, p, nil); err != nil {
		return err
	}
	if p.Rehearsal.Attach != nil {
		_, err := fmt.Fprintln(out)
		return errors.Join(err, harness.DryRun(command.Context(), out, p), harness.Missing(p, runtime))
	}
	_, err := fmt.Fprintln(out, "\nservices of the run's own are started, and end with it:")
	for _, s := range p.Services {
		what := cmp.Or(s.Serve, s.Image, strings.Join(s.Command, " "))
		if s.Build != nil {
			what = "built from " + s.Build.Context
		}
		_, wrote := fmt.Fprintf(out, "  %s\n", plaintext.Line(s.Name+": "+what))
		err = errors.Join(err, wrote)
	}
	_, wrote := fmt.Fprintf(out, "steps, at the run's own store: make and accept k2 (%s), emit k2 (%s), revoke k1 (%s), destroy k1 at the end\n",
		history.Accept, history.Emit, history.Revoke)
	return errors.Join(err, wrote, harness.Missing(p, runtime))
}
