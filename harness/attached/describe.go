package attached

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/rehearse-dev/rehearse/harness/attached/cluster"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// describe describes an act in one line, in the scenario's words and without any value.
func describe(a scenario.Act) string {
	switch {
	case a.Cannot != "":
		return "nothing, the system cannot: " + a.Cannot
	case a.Expires > 0:
		return "nothing: it expires by itself " + plan.Text(a.Expires.Duration()) + " after the emit"
	case a.HTTP != nil:
		method := a.HTTP.Method
		if method == "" {
			method = http.MethodPost
		}
		return method + " " + a.HTTP.URL
	case a.Vault != nil && a.Vault.Patch:
		return "patch in Vault " + a.Vault.Path
	case a.Vault != nil:
		return "write to Vault " + a.Vault.Path
	case a.Kube():
		return cluster.Describe(a)
	}
	return "command " + strings.Join(a.Command, " ")
}

// undoes says how a step is taken back.
func undoes(step string, act scenario.Act) string {
	return "put back what was there before " + step + " (" + describe(act) + ")"
}

// describeRotator describes what a rotator does, and what is left to the run.
func describeRotator(w io.Writer, p *plan.Plan) {
	r := p.Rehearsal.Attach.Rotator
	fmt.Fprintf(w, "\nthe team's own rotator takes the steps\n  start\t%s\twithin %s\n", describe(r.Start()), plan.Text(p.RotatorTimeout()))
	if r.New != nil {
		fmt.Fprintf(w, "  new\t%s\ttells what is new\n", describe(*r.New))
	}
	stop := "nothing: nobody may stop it"
	switch {
	case r.Stop != nil:
		stop = describe(*r.Stop)
	case r.MayEnd:
		stop = "its command is ended, with all that it has started"
	}
	back := "nothing: what it did is left as it is"
	if r.Back != nil {
		back = describe(*r.Back)
	}
	fmt.Fprintf(w, "  stop\t%s\t\n  way back\t%s\t\n", stop, back)
}

// Describe writes what a rehearsal of a system would do, step by step, and where its evidence would
// come from. Evidence must have completed the plan.
func Describe(w io.Writer, p *plan.Plan, endpoints []world.Endpoint) error {
	a := p.Rehearsal.Attach
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) // it keeps the first error, which Flush returns
	fmt.Fprintln(t, "attached to")
	for _, e := range endpoints {
		log := ""
		if e.Tells {
			log = "; its log tells what it does"
		}
		fmt.Fprintf(t, "  %s\t%s\t%s%s\n", e.Service, e.URL, e.Is, log)
	}
	if a.Rotator != nil {
		describeRotator(t, p)
	}
	for _, part := range []struct {
		title string
		steps [][2]string
	}{
		{"steps", [][2]string{{"make", "k2"}, {"accept", "k2"}, {"emit", "k2"}, {"revoke", "k1"}, {"destroy", "k1"}}},
		{"way back, as far as it is needed", [][2]string{{"restore", "k1"}, {"emit", "k1"}, {"withdraw", "k2"}}},
	} {
		if a.Rotator == nil {
			fmt.Fprintf(t, "\n%s\n", part.title)
		}
		for _, s := range part.steps {
			if a.Rotator != nil && (a.Rotates(s[0]) || a.Steps[s[0]].None()) {
				continue
			}
			act, ok := a.Steps[s[0]]
			if back, own := a.Steps[scenario.EmitBackStep]; own && s[0] == "emit" && s[1] == "k1" {
				act = back
			}
			does, timeout := "nothing: the scenario says nothing for it", ""
			undone := a.Undoes(s[0])
			if s[0] == "emit" && s[1] == "k1" {
				undone = a.Undoes(scenario.EmitBackStep)
			}
			switch {
			case undone != "":
				act = a.Steps[undone]
				ok, does = true, undoes(undone, act)
			case ok:
				does = describe(act)
			}
			if ok && act.Cannot == "" && act.Expires == 0 {
				timeout = "within " + plan.Text(timeoutOf(act))
			}
			fmt.Fprintf(t, "  %s %s\t%s\t%s\n", s[0], s[1], does, timeout)
		}
	}
	if len(a.StopWhen) > 0 {
		fmt.Fprintln(t, "\nturned back when")
	}
	for _, w := range a.StopWhen {
		holds := "at once"
		if w.For > 0 {
			holds = "for " + plan.Text(w.For.Duration())
		}
		fmt.Fprintf(t, "  %s\tholds %s\n", w.Text(), holds)
	}
	fmt.Fprintln(t, "\nload")
	for _, c := range p.Rehearsal.Load {
		fmt.Fprintf(t, "  %s\t%s %s%s\t%v a second\n", c.Client, c.Request.Method, c.To, c.Request.Path, float64(c.Rate))
	}
	fmt.Fprintln(t, "\nevidence")
	for _, e := range p.Limits.RuleSources {
		from := e.From
		if e.None {
			from = "none, so it will be inconclusive: " + from
		}
		fmt.Fprintf(t, "  %s\t%s\n", e.Rule, from)
	}
	for _, rule := range slices.Sorted(maps.Keys(a.Waive)) {
		fmt.Fprintf(t, "  %s\twaived: %s\n", rule, a.Waive[rule])
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("describe the rehearsal: %w", err)
	}
	if a.Kubernetes == nil {
		return nil
	}
	if _, err := fmt.Fprintln(w, "\nneeds this Role"); err != nil {
		return fmt.Errorf("describe the rehearsal: %w", err)
	}
	return cluster.RoleOf(a).Write(w)
}
