package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/console"
	"github.com/rehearse-dev/rehearse/harness"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/scenarios"
)

// runFlags are those of `rehearse run`.
type runFlags struct {
	runEnvironment
	gates     string
	back      string // from which phase
	dir       string // of a dead run that is to be resumed
	finish    bool
	speed     float64
	seed      int64
	out, ui   string
	hold, yes bool
	dryRun    bool
	verbose   bool
	timeout   time.Duration
	lock      time.Duration
	metrics   string // address
	grafana   string // address
}

// runCommand is `rehearse run [SCENARIO]`.
func runCommand() *cobra.Command {
	var f runFlags
	command := &cobra.Command{
		Use:   "run [SCENARIO]",
		Short: "Rehearse one scenario; the exit code is the verdict",
		Long: "Rehearse one scenario: a file, or a built-in one by its name (default " + scenarios.Default + ").\n" +
			"The exit code is the verdict; what the scenario expects is not looked at.",
		Args: arguments(cobra.MaximumNArgs(1)), ValidArgsFunction: completingScenarios,
		RunE: func(command *cobra.Command, args []string) error {
			if err := f.checkResume(command, args); err != nil {
				return err
			}
			if f.dir != "" {
				return f.resume(command)
			}
			name := scenarios.Default
			if len(args) > 0 {
				name = args[0]
			}
			return f.run(command, name)
		},
	}
	f.register(command)
	flags := command.Flags()
	flags.StringVar(&f.gates, "gates", "", "over the scenario's: enforce, observe, off")
	flags.StringVar(&f.back, "rollback-from", "", "take the rotation back at the end of a `phase`, and have that proven:\n"+
		strings.Join(scenario.RollbackPhases(), ", "))
	flags.StringVar(&f.dir, "resume", "", "end what the run in `DIR` has left, whose harness was killed: its rotation is taken back,\n"+
		"from what the keyring says was under way, until authority and store agree")
	flags.BoolVar(&f.finish, "finish", false, "with --resume: finish the step that was under way, in place of taking the rotation back")
	flags.Float64Var(&f.speed, "speed", 0, "over the scenario's: what the durations of the page are divided by")
	flags.Int64Var(&f.seed, "seed", 0, "over the scenario's: replays the random choices")
	flags.StringVar(&f.out, "out", "", "`folder` of the run's files (default "+runsFolder+"/TIME-NAME)")
	flags.StringVar(&f.ui, "ui", uiAuto, "how the run is told: auto, tui (a screen; auto is that on a terminal),\n"+
		"plain (lines), json (events, one a line)")
	flags.BoolVar(&f.hold, "hold", false, "a game day: stop before each phase until a person goes on. Where --speed says no other,\n"+
		"the speed is one at which lead, window and watch last half a minute at least: time to read,\n"+
		"to act, and to see what comes of it")
	flags.BoolVar(&f.yes, "yes", false, "ask nothing, not even before a revoke at a system that runs already,\n"+
		"and leave the screen at the end, also on a terminal")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print every step that would be taken, and take none")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "tell of every service, fetch and read too")
	flags.DurationVar(&f.lock, "lock", 0, "wait this long until another rehearsal of the same system that runs already has ended\n"+
		"(default: do not wait, and refuse)")
	flags.DurationVar(&f.timeout, "timeout", 0, "give up, undo and clean up after this long (default: never)")
	flags.StringVar(&f.metrics, "metrics", "", "serve what the run has come to so far to Prometheus, at `HOST:PORT`/metrics; :PORT is of this machine alone")
	flags.StringVar(&f.grafana, "grafana", "", "mark phases, steps, faults and decisions on the dashboards of the Grafana at `URL`;\n"+
		"its token is in "+grafanaTokenEnv)
	completes(command, "gates", "enforce", "observe", "off")
	completes(command, "rollback-from", scenario.RollbackPhases()...)
	completes(command, "ui", uiAuto, uiTUI, uiPlain, uiJSON)
	return command
}

// options are the flags as options of a run and of its plan.
func (f *runFlags) options(command *cobra.Command) (harness.Options, plan.Options, error) {
	o, err := f.runEnvironment.options()
	if err != nil {
		return o, plan.Options{}, err
	}
	o.Lock = f.lock
	p := plan.Options{Gates: scenario.GateMode(f.gates), Speed: f.speed, Seed: f.seed, RollbackFrom: f.back, Paced: f.hold, Simulated: f.runtime == harness.Simulated}
	fail := func(format string, args ...any) (harness.Options, plan.Options, error) {
		return o, p, usage(fmt.Errorf(format, args...))
	}
	switch {
	case command.Flags().Changed("speed") && !(f.speed > 0 && f.speed < math.Inf(1)):
		return fail("--speed: %v is not more than 0", f.speed)
	case f.lock < 0:
		return fail("--lock: %s is less than 0", f.lock)
	case f.timeout < 0:
		return fail("--timeout: %s is less than 0", f.timeout)
	case f.runtime == harness.Simulated && f.hold:
		return fail("--hold asks a person before each phase, and nobody is there in virtual time: leave one of them out")
	case f.runtime == harness.Simulated && f.vaultAddr != "":
		return fail("--vault-addr: a simulation needs no store")
	case f.hold && f.yes:
		return fail("--hold asks before each phase, and --yes asks nothing: leave one of them out")
	case command.Flags().Changed("out") && f.out == "":
		return fail("--out: want the name of a folder")
	}
	return o, p, oneOf("--ui", f.ui, uiAuto, uiTUI, uiPlain, uiJSON)
}

// errTimeout is the cause of the end of a run that took longer than --timeout.
var errTimeout = errors.New("it took longer than --timeout allows")

func (f *runFlags) run(command *cobra.Command, name string) error {
	o, planOptions, err := f.options(command)
	if err != nil {
		return err
	}
	p, err := planOf(name, planOptions)
	if err != nil {
		return err
	}
	if f.dryRun {
		return dryRun(command, p, o.Runtime)
	}
	if o.Folder = f.out; o.Folder == "" {
		o.Folder = runFolder(p.Name, time.Now())
	}
	ctx, end := context.WithCancel(command.Context())
	defer end()
	t, err := f.tell(command, p, &o, end)
	if err != nil {
		return err
	}
	unwatch, err := f.watch(p, &o)
	if err != nil {
		return err
	}
	defer unwatch()
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, errTimeout)
		defer cancel()
	}
	if f.ui != uiJSON {
		how := ""
		if o.Simulates(p) {
			how = ", simulated"
		}
		command.Println(plaintext.Line(fmt.Sprintf("%s at speed %v%s: %s", p.Name, p.Speed, how, p.Rehearsal.Description)))
	}
	// Restores the terminal whatever happens, a panic included.
	defer t.Close()
	if err := t.start(ctx); err != nil {
		return err
	}
	outcome, err := rehearse(ctx, p, o)
	err = errors.Join(err, t.showAgain(ctx, outcome), t.end(outcome, !f.yes))
	if outcome != nil && f.ui != uiJSON {
		err = errors.Join(err, console.PrintVerdict(t.out, outcome.Verdict, outcome.Limits, reportIn(outcome.Folder), t.look))
		if f.verbose {
			command.PrintErrf("%s of the time went into anything but the rotation\n", plan.Text(outcome.Overhead))
		}
	}
	return runExit(ctx, outcome, err)
}

// lookOf chooses how to print to a writer: plainly, unless it is a terminal.
func lookOf(w io.Writer) console.Options {
	if file, ok := w.(*os.File); ok {
		return console.Detect(file, os.Getenv)
	}
	return console.Options{}
}

// interrupted is the end of a run that was stopped in order.
func interrupted() error { return &exitError{exitInterrupted, errors.New("interrupted")} }

// runExit is the exit code of a run, as an error.
func runExit(ctx context.Context, outcome *harness.Result, err error) error {
	timedOut := errors.Is(context.Cause(ctx), errTimeout)
	switch {
	case timedOut:
		return &exitError{exitCannot, errors.Join(errTimeout, err)}
	case err != nil:
		return err
	case outcome.Ended == history.EndedInterrupted:
		return interrupted()
	}
	return verdictExit(outcome.Verdict.Verdict)
}
