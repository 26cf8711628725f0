package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// testFlags are those of `rehearse test`.
type testFlags struct {
	runEnvironment
	parallel   int
	junit, out string
	shard      string
	yes        bool
}

// testCommand is `rehearse test [PATH…]`.
func testCommand() *cobra.Command {
	var f testFlags
	command := &cobra.Command{
		Use:   "test [PATH…]",
		Short: "Rehearse many scenarios and hold each against what it expects",
		Long: "Rehearse scenarios, several at a time, and hold each against its `expect`. A PATH is a\n" +
			"file, a folder, or a built-in scenario; `scenarios`, the default, is all that are built in\n" +
			"where there is no such folder. A scenario that this machine or the chosen runtime cannot run is\n" +
			"skipped, with the reason; with " + requireDocker + " set it is one that could not be run.\n\n" +
			"Exit codes: 0 all as expected · 1 something not as expected · 3 an unexpected inconclusive one,\n" +
			"and none failed · 4 one could not be run.",
		ValidArgsFunction: completingScenarios,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{builtIn}
			}
			return f.test(command, args)
		},
	}
	f.register(command)
	flags := command.Flags()
	flags.IntVarP(&f.parallel, "parallel", "j", 4, "how many at a time, at most: one more begins only while the machine has room for it")
	flags.StringVar(&f.shard, "shard", "", "rehearse only this `part/of` them: 1/2 and 2/2, on two machines, are all of them")
	flags.BoolVar(&f.yes, "yes", false, "approve the revoke at systems that run already")
	flags.StringVar(&f.junit, "junit", "", "write the results to this `file` too, as JUnit")
	flags.StringVar(&f.out, "out", "", "`folder` of the runs' folders and of "+junitFile+" (default "+runsFolder+"/TIME-test)")
	return command
}

func (f *testFlags) test(command *cobra.Command, paths []string) error {
	if f.parallel < 1 {
		return usage(fmt.Errorf("-j: %d is less than 1", f.parallel))
	}
	o, err := f.runEnvironment.options()
	if err != nil {
		return err
	}
	plans, leftOut, err := plansToTest(paths, plan.Options{Simulated: f.runtime == harness.Simulated})
	if err != nil {
		return err
	}
	if plans, err = shardOf(f.shard, plans); err != nil {
		return err
	}
	if len(leftOut) > 0 {
		command.PrintErrf("left out, since they need a system that runs already: %s\n", plaintext.Line(few(leftOut)))
	}
	if slices.ContainsFunc(plans, func(p *plan.Plan) bool { return p.Rehearsal.Attach != nil }) {
		if !f.yes {
			return usage(errors.New("the revoke at a system that runs already asks a person, and a test asks nobody: say --yes to approve it now"))
		}
		f.parallel = 1 // two rotations of one secret would disturb each other
	}
	out := f.out
	if out == "" {
		out = runFolder("test", time.Now())
	}
	files, err := openSuites(filepath.Join(out, junitFile), f.junit)
	if err != nil {
		return err
	}
	results, err := f.testAll(command, plans, o, out)
	err = errors.Join(err, files.write(results))
	if command.Context().Err() != nil {
		return errors.Join(interrupted(), notCleanedUp(results), err)
	}
	if err != nil {
		return err
	}
	return testExit(results)
}

// testAll rehearses scenarios, several at a time, each in a folder of its own, and prints the results:
// one for each, also for those that had no turn. An error is one of printing. A rehearsal that the
// machine or its clock disturbed says nothing of its scenario, and is repeated when nothing runs beside
// it, unless it left a team's own system in another state.
func (f *testFlags) testAll(command *cobra.Command, plans []*plan.Plan, o harness.Options, out string) ([]result, error) {
	names := make([]string, len(plans))
	results := make([]result, len(plans))
	for i, p := range plans {
		names[i], results[i] = p.Name, result{plan: p, began: time.Now(), err: errNoTurn}
	}
	w := command.OutOrStdout()
	table := console.NewTable(w, lookOf(w), names, f.parallel)
	o.Progress = once(func(text string) { table.Say(command.ErrOrStderr(), text) })
	harness.BuildImages(command.Context(), slices.DeleteFunc(slices.Clone(plans), func(p *plan.Plan) bool { return in(p, o).Simulates(p) }), o)
	group, ctx := errgroup.WithContext(command.Context())
	group.SetLimit(f.parallel)
	here := newAdmission()
	for i, p := range plans {
		group.Go(func() error {
			o := in(p, o)
			if !o.Simulates(p) { // a simulation needs no room
				here.enter(ctx)
				defer here.leave()
			}
			if ctx.Err() != nil {
				return nil
			}
			table.Begin(p.Name)
			o.Folder = filepath.Join(out, folderOf(p.Name))
			results[i] = rehearsed(ctx, p, o)
			switch why, left := void(results[i]), leaves(results[i]); {
			case why != "" && left != "":
				o.Progress(fmt.Sprintf("%s: %s; it is not rehearsed once more, since %s: bring the system to where it was, and rehearse it by itself", p.Name, why, left))
			case why != "":
				o.Progress(fmt.Sprintf("%s: %s; it is rehearsed once more, by itself, at the end", p.Name, why))
				return nil
			}
			return table.Add(results[i].row())
		})
	}
	err := group.Wait()
	for i, p := range plans {
		if void(results[i]) == "" || leaves(results[i]) != "" {
			continue
		}
		if command.Context().Err() == nil {
			o := in(p, o)
			o.Folder = filepath.Join(out, folderOf(p.Name)+"-again")
			results[i] = rehearsed(command.Context(), p, o)
		}
		err = errors.Join(err, table.Add(results[i].row()))
	}
	return results, errors.Join(err, table.Close("folders and "+junitFile+" are in "+out))
}

// in are the options of a scenario among many: one that asks for it is simulated wherever the others
// run, since it would last for hours.
func in(p *plan.Plan, o harness.Options) harness.Options {
	if p.Rehearsal.Runtime == harness.Simulated {
		o.Runtime = harness.Simulated
	}
	return o
}

// notCleanedUp joins the errors of runs that may have left something.
func notCleanedUp(results []result) error {
	var errs []error
	for _, r := range results {
		if errors.Is(r.err, harness.ErrCleanUp) {
			errs = append(errs, r.err)
		}
	}
	return errors.Join(errs...)
}

// rehearsed rehearses one scenario.
func rehearsed(ctx context.Context, p *plan.Plan, o harness.Options) result {
	r := result{plan: p, began: time.Now()}
	r.outcome, r.err = rehearse(ctx, p, o)
	r.took = time.Since(r.began)
	r.hold()
	return r
}

// void says why a rehearsal says nothing, where that is neither the scenario's nor rehearse's fault.
// One that fails unexpectedly does count.
func void(r result) (why string) {
	if r.err != nil || r.outcome == nil || r.asExpected() {
		return ""
	}
	if got := r.outcome.Verdict.Verdict; got == judge.Fail && string(got) != r.plan.Rehearsal.Expect.Verdict {
		return ""
	}
	for _, e := range r.outcome.History.Events {
		if e.Kind == history.KindClockSet {
			return e.Detail
		}
	}
	for _, rule := range r.outcome.Verdict.Rules {
		if rule.ID == "machine" && rule.Outcome == judge.Inconclusive {
			return rule.Detail
		}
	}
	return pressed(r)
}

// leaves says why a team's own system may be in another state than before a rehearsal, from which another
// would say nothing; "" where it is not, or the run made its services itself.
func leaves(r result) (why string) {
	if r.err != nil || r.outcome == nil || r.plan.Rehearsal.Attach == nil {
		return ""
	}
	switch back := r.outcome.Verdict.Rollback; {
	case len(back.Left) > 0:
		return "steps of its way back are left"
	case back.Happened && !back.Proven:
		return "its way back is not proven"
	case !back.Happened && judge.HasError(r.outcome.Verdict.Findings):
		return "it was rotated to the end, and findings stand against that"
	}
	return ""
}

// fullShare is the processor pressure (the kernel's PSI, "some") from which the details of a rehearsal
// differ from those on an idle machine: some answers come late.
const fullShare = 0.6

// pressed says that a rehearsal on a full machine came to the expected verdict, but not to the expected
// findings.
func pressed(r result) string {
	if string(r.outcome.Verdict.Verdict) != r.plan.Rehearsal.Expect.Verdict {
		return ""
	}
	for _, e := range r.outcome.History.Events {
		if m := e.Machine; e.Kind == history.KindMachine && m != nil && m.What == history.MachineSum && m.Shares["cpu"] >= fullShare {
			return fmt.Sprintf("it came to other findings, and somebody waited for a processor %.0f%% of the time", 100*m.Shares["cpu"])
		}
	}
	return ""
}

// testExit is the exit code for all results.
func testExit(results []result) error {
	code := 0
	for _, r := range results {
		switch {
		case r.err != nil:
			return &exitError{code: exitCannot}
		case r.asExpected(), r.skipped != "":
		case r.outcome.Verdict.Verdict != judge.Inconclusive:
			code = exitFail
		case code == 0:
			code = exitInconclusive
		}
	}
	if code == 0 {
		return nil
	}
	return &exitError{code: code}
}

// once passes on each text the first time only: parallel scenarios say the same things.
func once(say func(string)) func(string) {
	var mu sync.Mutex
	said := map[string]bool{}
	return func(text string) {
		mu.Lock()
		defer mu.Unlock()
		if !said[text] {
			said[text] = true
			say(text)
		}
	}
}

// mostNames is how many names a line lists.
const mostNames = 6

// few lists the first of some names, and how many more there are.
func few(names []string) string {
	if len(names) <= mostNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(names[:mostNames-1], ", "), len(names)-mostNames+1)
}
