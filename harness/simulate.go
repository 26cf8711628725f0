package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/simulation"
	"github.com/rehearse-dev/rehearse/harness/world/simulated"
)

// ErrNotSimulated is in the chain of Run's error where a plan depends on what the simulated world does
// not have.
var ErrNotSimulated = errors.New("cannot be simulated")

// Simulates reports whether a plan is carried out in virtual time.
func (o Options) Simulates(p *plan.Plan) bool {
	auto := o.Runtime == Auto || o.Runtime == ""
	return o.Runtime == Simulated || auto && p.Rehearsal.Runtime == Simulated
}

// Simulatable returns an error with ErrNotSimulated in its chain where a plan depends on what the
// simulated world does not have.
func Simulatable(p *plan.Plan) error {
	if beyond := simulated.Beyond(p); len(beyond) > 0 {
		return fmt.Errorf("%s %w: %s", p.Name, ErrNotSimulated, strings.Join(beyond, "; "))
	}
	if err := fault.Timed(p); err != nil {
		return fmt.Errorf("%s %w: %w", p.Name, ErrNotSimulated, err)
	}
	return nil
}

// ErrOnlySimulated is in the chain of Run's error where a plan depends on what only the simulated world
// has, and another runtime was asked for.
var ErrOnlySimulated = errors.New("can be simulated only")

// onlySimulated returns an error with ErrOnlySimulated in its chain where something of a plan cannot be
// started.
func onlySimulated(p *plan.Plan) error {
	for _, s := range p.Services {
		if s.Serve == "verifier" && s.Library == "" {
			return fmt.Errorf("%s %w: %s is known by what the page says of it (learns_within, forgets_within) and runs no library: "+
				"give it one (library: …), or leave --runtime out", p.Name, ErrOnlySimulated, s.Name)
		}
		if s.Count > 1 {
			return manyAlike(p, "services."+s.Name, s.Count)
		}
		if s.Rollout > 0 {
			return fmt.Errorf("%s %w: services.%s.rollout is %s, and here there is one of it, which has everything at once: leave it out, or `rehearse simulate` it",
				p.Name, ErrOnlySimulated, s.Name, s.Rollout)
		}
	}
	for i, c := range p.Rehearsal.Load {
		if c.Count > 1 {
			return manyAlike(p, fmt.Sprintf("load[%d]", i), c.Count)
		}
	}
	return nil
}

// manyAlike is the error for a `count` of which so many cannot be started.
func manyAlike(p *plan.Plan, path string, count int) error {
	return fmt.Errorf("%s %w: %s.count is %d, and here there is one of each: leave count out, or `rehearse simulate` it", p.Name, ErrOnlySimulated, path, count)
}

// simulate is Run in virtual time. Nothing is started, and the operator approves
// everything.
func simulate(ctx context.Context, p *plan.Plan, o Options) (*Result, error) {
	if err := Simulatable(p); err != nil {
		return nil, err
	}
	r := &run{plan: p, o: o}
	if err := r.makeFolder(); err != nil {
		return nil, fmt.Errorf("make folder of the run: %w", err)
	}
	began := time.Now()
	ended, err := simulation.Rehearse(ctx, p, simulated.Options{Events: r.events, Listeners: o.Listeners})
	if err = notKept(errors.Join(err, r.events.Close())); err != nil {
		return nil, err
	}
	r.outcome = &Result{
		Plan: p, History: ended.History, Ended: ended.How, Folder: o.Folder, Runtime: Simulated, StartedAt: began, Overhead: time.Since(began),
	}
	if err := r.judge(); err != nil {
		return nil, err
	}
	// The history has the failed step and its consequences.
	if _, failed := errors.AsType[*rotation.StepError](ended.Err); !failed {
		err = ended.Err
	}
	return r.outcome, errors.Join(err, notKept(o.Report(r.outcome)))
}
