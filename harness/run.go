// Package harness carries out a plan: it starts the services, binds the world
// that a rotation acts on, takes the secret through its phases under load, and
// has what happened judged.
//
//	plan ─► store, services, load ─► rotation ─► history ─► judge ─► outcome
package harness

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/delivery"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/load"
	"github.com/rehearse-dev/rehearse/harness/logs"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// EventsFile and LogsFolder are what a run writes into its folder.
	EventsFile = "events.jsonl"
	LogsFolder = "logs"

	// closeTimeout bounds the questions to services at the end of a rotation, under a context of their
	// own.
	closeTimeout = 30 * time.Second
)

// ErrFolderInUse is in the chain of Run's error where the folder holds the
// events of a run already: two runs never share one.
var ErrFolderInUse = errors.New("it holds another run")

// run is one run under way.
type run struct {
	plan      *plan.Plan
	o         Options
	outcome   *Result
	folder    string // absolute
	family    family.Family
	leftovers *leftover.Record
	events    *os.File
	recorder  *history.Recorder
	names     *logs.Names
	logs      *logs.Logs

	graph      *fault.Graph // what faults need before the start
	runtime    world.Runtime
	images     world.Imager // the same, where it runs services from images
	store      *store.Store
	storeURL   string       // as services see it
	unsealKey  string       // opens the run's own store after a seal
	attachment *attachment  // nil: the services are the run's own
	started    []world.Spec // all that was
	shards     []string     // processes that send the load, as they are started
	load       *load.Config // all of it
	ended      loadEnd
	written    []string // folders of third-party servers
	bound      bound
	steps      world.Steps // those of bound, and the delivery
	lookLast   func(context.Context)
	delivery   *delivery.Delivery
	secrets    []string // beside those of the family

	evidence recording
	cleanUps []cleanUp
}

// bound acts on the secret: a family with the run's own store behind it, or a team's system.
type bound interface {
	world.Steps
	world.Probes
	Secrets() []string // for the scan for leaks
}

// Run carries out a plan. When ctx ends, the rotation is interrupted, faults are undone and everything
// is cleaned up, and the result says so. An error means that the run could not be carried out, not be
// cleaned up (ErrCleanUp), or not be kept completely (ErrNotKept); there may be a result all the same.
func Run(ctx context.Context, p *plan.Plan, o Options) (*Result, error) {
	if o = o.withDefaults(); o.Simulates(p) {
		return simulate(ctx, p, o)
	}
	if err := onlySimulated(p); err != nil {
		return nil, err
	}
	began := time.Now()
	r := &run{plan: p, o: o, names: logs.NewNames(p)}
	if err := r.prepare(ctx, began); err != nil {
		return nil, errors.Join(err, r.cleanAll(ctx), r.closeHistory())
	}
	m, err := r.rehearse(ctx)
	r.recordLeft()
	err = errors.Join(err, r.cleanAll(ctx))
	if r.outcome.Ended == "" { // nothing was rotated: there is nothing to judge
		return nil, errors.Join(err, r.closeHistory())
	}
	err = errors.Join(err, r.conclude(m))
	r.outcome.Overhead = time.Since(began) - m.rotating
	return r.outcome, err
}

// prepare makes what a run needs before anything is started.
func (r *run) prepare(ctx context.Context, began time.Time) (err error) {
	if r.family, err = family.Of(r.plan); err != nil {
		return err
	}
	if err := r.shareLoad(); err != nil {
		return err
	}
	if err := Missing(r.plan, r.o.Runtime); err != nil {
		return err
	}
	if r.plan.Rehearsal.Attach != nil {
		if err = r.lockTargets(ctx); err != nil {
			return err
		}
		if r.plan, r.attachment, err = survey(ctx, r.plan); err != nil {
			return err
		}
		r.cleanUp("let the system go", func(context.Context) error { return r.attachment.close() })
		if err = r.holdLeases(ctx); err != nil {
			return err
		}
		r.attachment.announce(r.plan, r.o.Progress)
	}
	for _, u := range r.plan.Unseen {
		r.o.Progress("cannot be seen, so that the run will be inconclusive: " + u.String())
	}
	if r.o.Store == Embedded && r.o.VaultAddr == "" {
		if err := r.checkStore(Embedded); err != nil {
			return err
		}
	}
	if err := r.family.Configure(r.plan); err != nil {
		return fmt.Errorf("configure services: %w", err)
	}
	if r.graph, err = fault.Prepare(r.plan); err != nil {
		return err
	}
	r.secrets = append(r.secrets, r.graph.Secrets()...)
	r.names.Through(r.graph.Edges())
	if err := r.makeFolder(); err != nil {
		return fmt.Errorf("make folder of the run: %w", err)
	}
	if err := r.recordRun(ctx); err != nil {
		return err
	}
	r.recorder = history.NewRecorder(began, r.events)
	for _, l := range r.o.Listeners {
		r.recorder.Listen(l)
	}
	r.evidence = recording{recorder: r.recorder, names: r.names, probes: &probes{}, bound: func() any { return r.bound }}
	r.watchClock(newClockReader())
	r.watchMachine(thisMachine())
	r.logs = logs.New(filepath.Join(r.folder, LogsFolder), r.plan, r.names, r.recorder)
	r.cleanUp("close the logs", func(context.Context) error { return notKept(r.logs.Close()) })
	if err := r.watchKept(); err != nil {
		return err
	}
	r.outcome = &Result{Plan: r.plan, Folder: r.o.Folder, Run: r.leftovers.Run(), StartedAt: began}
	limits, err := json.Marshal(r.plan.Limits)
	if err != nil {
		return fmt.Errorf("record the plan: %w", err)
	}
	r.evidence.Record(history.Event{Kind: history.KindPlan, Plan: limits})
	return nil
}

// makeFolder makes the run's folder with the file of its events, for this user
// alone: what services log is nobody else's business.
func (r *run) makeFolder() (err error) {
	if r.folder, err = filepath.Abs(r.o.Folder); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(r.folder, LogsFolder), 0o700); err != nil {
		return err
	}
	r.events, err = os.OpenFile(filepath.Join(r.folder, EventsFile), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", r.o.Folder, ErrFolderInUse)
	}
	return err
}

// recordRun removes what dead runs left, and makes this one's own record.
func (r *run) recordRun(ctx context.Context) error {
	runs := r.o.Runs
	if runs == "" {
		runs = leftover.DefaultDir()
	}
	// What cannot be removed now does not stop the run; `rehearse clean` reports it again.
	swept, err := leftover.Sweep(ctx, runs, r.o.places())
	if err != nil {
		r.o.Progress("leftovers of an earlier run stay: " + err.Error())
	}
	for _, removed := range swept.Removed {
		r.o.Progress("removed what an earlier run left: " + removed)
	}
	for _, left := range swept.Left {
		r.o.Progress(leftover.Tell(left))
	}
	r.leftovers, err = leftover.Create(runs, strings.ToLower(rand.Text()[:12]))
	return err
}

// faultPlace is where faults are injected.
func (r *run) faultPlace() fault.Place {
	p := fault.Place{Runtime: r.runtime, History: r.evidence}
	if own, ok := r.steps.(family.Binding); ok { // the steps of a team are its own
		p.Another, p.Rotator = own.Another, own
	}
	if s, can := r.bound.(family.UnknownKeyShower); can {
		p.UnknownKey = s.UnknownKey
	}
	if l, can := r.bound.(fault.Logins); can {
		p.Logins = l
	}
	if r.store != nil { // there is none where the run is attached to a system
		p.Published, p.WriteBack, p.Rollouts = r.published, r.delivery.WriteBack, r.delivery.DisturbRollouts
	}
	if r.unsealKey != "" {
		p.Sealer = sealer{r}
	}
	return p
}

// measured is what a rotation measured and the history does not have yet.
type measured struct {
	rotating time.Duration
	sent     *history.Totals             // by load; nil: not known, and the judge cannot tell
	counters map[string]map[string]int64 // of services, by their names
}

// lastLines is how many lines of a service that did not start are told: the reason stands
// in the last of them.
const lastLines = 3

// lastWords is the end of the log of the service that did not start, a line each, with
// every secret blacked out; "" where an error is none of a start, or the log is empty.
func (r *run) lastWords(err error) string {
	failed, ok := errors.AsType[*world.StartError](err)
	if !ok {
		return ""
	}
	var b strings.Builder
	for _, line := range r.tail(failed.Service, lastLines) {
		fmt.Fprintf(&b, "\n%s: %s", failed.Service, plaintext.Line(line))
	}
	return b.String()
}

// rehearse starts everything, runs the rotation, and asks the services what only they can tell while
// they run.
func (r *run) rehearse(ctx context.Context) (m measured, err error) {
	if err := r.start(ctx); err != nil {
		return m, fmt.Errorf("%w (logs are in %s)%s", err, filepath.Join(r.o.Folder, LogsFolder), r.lastWords(err))
	}
	faults, err := fault.New(r.graph, r.faultPlace())
	if err != nil {
		return m, err
	}
	traffic := r.newTraffic()
	r.cleanUp("end the load", traffic.end)
	if err := traffic.start(ctx); err != nil {
		return m, err
	}
	r.equip(ctx, faults)
	began := time.Now()
	r.outcome.Ended, err = rotation.Run(ctx, r.plan, world.World{
		Clock: world.WallClock{}, Steps: r.steps, Probes: r.bound,
		History: r.evidence, Operator: r.o.Operator, Faults: paced{faults, traffic}, LookLast: r.lookLast,
	})
	m.rotating = time.Since(began)
	// The history has the failed step and its consequences. A failed step of a team's own is not the
	// harness's trouble.
	if _, failed := errors.AsType[*rotation.StepError](err); err != nil && !(failed && r.attachment != nil) {
		r.trouble(err)
	}
	// Each has its own timeout: a service that answers slowly must not keep a fault in place.
	within := func(do func(context.Context) error) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		return do(ctx)
	}
	_ = within(func(ctx context.Context) error {
		m.sent = traffic.stop(ctx)
		m.counters = r.ask(ctx)
		return nil // the history has what failed
	})
	r.served(ctx, m.counters)
	if err := within(faults.Undo); err != nil {
		return m, fmt.Errorf("%w: undo faults: %w", ErrCleanUp, err)
	}
	return m, nil
}

// trouble records an error of the harness itself.
func (r *run) trouble(err error) {
	r.evidence.Record(history.Event{At: r.evidence.Offset(), Kind: history.KindTrouble, Detail: err.Error()})
}
