package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// undoWithin bounds the undoing of one fault, with its proof. It is less than a rotation gives all of
// them together, which are undone at the same time.
const undoWithin = 20 * time.Second

// beginWithin bounds how long a phase waits for the faults that begin with it.
const beginWithin = 2 * time.Second

// lookAhead is how long before its time a fault's target is first asked whether
// it answers, so that asking does not delay the injection.
const lookAhead = 100 * time.Millisecond

// Schedule injects the faults of a plan at their times and undoes them. Each fault under way has a
// goroutine, which Undo waits for.
type Schedule struct {
	*site

	mu      sync.Mutex
	waiting []*planned // until their phase begins
	alive   []*planned // from then on, until they are undone
	over    bool       // nothing is injected any more
	lives   sync.WaitGroup
	errs    []error
}

// planned is one fault of a plan.
type planned struct {
	Fault
	kind, target string
	from, to     string // of an edge
	phase        history.Phase
	after, lasts time.Duration // wall
	by           string        // who ordered it; empty: the scenario
	callOff      context.CancelFunc
	tried        chan struct{} // closed after the attempt to inject
}

// ends says when a fault is undone. A fault injected by hand always ends, even of a kind that would
// stay in a scenario.
func (f *planned) ends() Ending {
	if ending := f.Ends(f.lasts); f.by == "" || ending != Never {
		return ending
	}
	return AtEnd
}

var _ world.Faults = (*Schedule)(nil)

// New binds the faults of a graph to its running place. The error names every impossible fault, with
// ErrCannot in its chain where the place is not able to do it.
func New(g *Graph, p Place) (*Schedule, error) {
	s := &Schedule{site: &site{Graph: g, Place: p, ask: overHTTP(p.Runtime, g.passesTLS)}}
	var errs []error
	for _, o := range g.orders {
		f, err := s.bind(o)
		if err != nil {
			errs = append(errs, fmt.Errorf("prepare %s of %s: %w", o.kind.Name, o.target(), err))
			continue
		}
		s.waiting = append(s.waiting, f)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// bind makes an order executable.
func (s *Schedule) bind(o order) (*planned, error) {
	f, err := o.kind.bind(o.fault, s.site)
	if err != nil {
		return nil, err
	}
	return &planned{
		Fault: f, kind: o.kind.Name, target: o.target(), from: o.fault.From, to: o.fault.To, phase: history.Phase(o.fault.At.Phase),
		after: s.plan.Wall(o.fault.At.After.Duration()), lasts: s.plan.Wall(o.fault.For.Duration()),
	}, nil
}

// Begin starts the timers of a phase's faults, and returns when those that begin with the phase are
// injected, at the latest after beginWithin: what the phase does first must not race with them. When
// ctx ends, injected faults are undone.
func (s *Schedule) Begin(ctx context.Context, phase history.Phase) {
	s.mu.Lock()
	var others, atOnce []*planned
	for _, f := range s.waiting {
		if f.phase != phase {
			others = append(others, f)
			continue
		}
		s.start(ctx, f)
		if f.after == 0 {
			atOnce = append(atOnce, f)
		}
	}
	s.waiting = others
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, beginWithin)
	defer cancel()
	for _, f := range atOnce {
		select {
		case <-f.tried:
		case <-ctx.Done():
			return
		}
	}
}

// start begins the life of a fault; s.mu is held.
func (s *Schedule) start(ctx context.Context, f *planned) {
	ctx, f.callOff = context.WithCancel(ctx)
	f.tried = make(chan struct{})
	s.alive = append(s.alive, f)
	s.lives.Go(func() {
		defer f.callOff()
		err := s.live(ctx, f)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.alive = slices.DeleteFunc(s.alive, func(other *planned) bool { return other == f })
		if err != nil {
			s.errs = append(s.errs, fmt.Errorf("%s on %s: %w", f.kind, f.target, err))
		}
	})
}

// Undo undoes what is still injected and waits for the proof. The error names what could not be undone,
// now or in its time. Faults whose time did not come are recorded as failed: the run has not shown
// their effect.
func (s *Schedule) Undo(ctx context.Context) error {
	s.mu.Lock()
	for _, f := range s.waiting {
		s.record(f, history.Fault{Stage: history.FaultFailed, Detail: "not injected: the run ended before " + string(f.phase)})
	}
	s.waiting, s.over = nil, true
	for _, f := range s.alive {
		f.callOff()
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() { // ends with the lives, each bounded by undoWithin
		defer close(ended)
		s.lives.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		return fmt.Errorf("wait until all are undone: %w", ctx.Err())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}

// live is the life of one fault. Its undoing is registered before the injection, so that nothing in
// between leaves it behind.
func (s *Schedule) live(ctx context.Context, f *planned) (err error) {
	begin, clock := time.Now(), world.WallClock{}
	tried := sync.OnceFunc(func() { close(f.tried) })
	defer tried()
	_ = clock.Sleep(ctx, f.after-lookAhead) // the next wait returns the error too
	before := f.Measure(ctx, glance)
	if clock.Sleep(ctx, f.after-time.Since(begin)) != nil {
		s.record(f, history.Fault{Stage: history.FaultFailed, Detail: "not injected: the run ended before its time"})
		return nil
	}
	defer func() { err = s.undo(ctx, f, before) }()
	injected := time.Now()
	err = f.Inject(ctx)
	tried()
	if err != nil {
		s.record(f, history.Fault{Stage: history.FaultFailed, Detail: "not injected: " + err.Error()})
		return nil
	}
	s.record(f, history.Fault{Stage: history.FaultInjected})
	during := f.Measure(ctx, f.lasts)
	s.record(f, history.Fault{Stage: history.FaultEvidence, Took: f.Took(before, during), Evidence: figures(before, during)})
	switch f.ends() {
	case InTime:
		// Called off: undo it now.
		_ = clock.Sleep(ctx, f.lasts-time.Since(injected))
	case AtEnd:
		<-ctx.Done()
	case Never:
	}
	return nil
}

// figures are two measurements as an event has them.
func figures(before, during Reading) map[string]float64 {
	all := map[string]float64{}
	for name, figure := range before {
		all["before_"+name] = figure
	}
	for name, figure := range during {
		all["during_"+name] = figure
	}
	return all
}

// undo takes a fault back under a context of its own, and proves that nothing of its effect can be
// measured any more.
func (s *Schedule) undo(ctx context.Context, f *planned, before Reading) error {
	if f.ends() == Never {
		s.record(f, history.Fault{Stage: history.FaultUndone, Detail: "nothing to undo: it stays as it is"})
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
	defer cancel()
	begin := time.Now()
	failed := f.Undo(ctx)
	for span := askWithin; ; span = min(2*span, 2*lookWithin) { // what answers slowly is given the time
		after := f.Measure(ctx, span)
		if f.Back(before, after) {
			s.record(f, history.Fault{Stage: history.FaultUndone, Evidence: map[string]float64{
				history.BackAfter: float64(time.Since(begin).Microseconds()) / 1000,
			}})
			return nil
		}
		if failed != nil {
			s.record(f, history.Fault{Stage: history.FaultFailed, Detail: "not undone: " + failed.Error()})
			return fmt.Errorf("undo: %w", failed)
		}
		if (world.WallClock{}).Sleep(ctx, askEvery) != nil {
			detail := fmt.Sprintf("not undone: it is not as it was before after %s, last measured: %v", undoWithin, after)
			s.record(f, history.Fault{Stage: history.FaultFailed, Detail: detail})
			return fmt.Errorf("undo: %s", detail)
		}
	}
}

func (s *Schedule) record(f *planned, e history.Fault) {
	e.Kind, e.Target, e.By, e.From, e.To = f.kind, f.target, f.by, f.from, f.to
	s.History.Record(history.Event{At: s.History.Offset(), Kind: history.KindFault, Service: f.target, Fault: &e})
}
