package fault

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// defaultEvery is how often a made-up kid is shown: often enough to use up every refetch of a verifier
// that allows one in five minutes.
const defaultEvery = time.Minute

// refused is how many of the made-up tokens were refused.
const refused = "refused"

// garbageKids shows a verifier tokens with kids that nobody has, as a scanner
// or a client of another environment does. Each is a miss, and a library that
// refetches at a miss may not do so again for the next kid, which is real.
var garbageKids = Kind{
	Name:       "garbage-kids",
	Does:       "shows a verifier a token with a made-up kid at once and then `every` so often (page time, default 1m)",
	Where:      "on: a verifier, or a validator of a team's own",
	Evidence:   "the verifier refuses them",
	Unprepared: true,
	prepare:    func(f scenario.Fault, g *Graph) error { return g.validates(f.On) },
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		if err := s.validates(f.On); err != nil {
			return nil, err
		}
		if s.UnknownKey == nil {
			return nil, fmt.Errorf("nobody can make up a token here: %w", ErrCannot)
		}
		every := s.plan.Wall(f.Every.Duration())
		if every == 0 {
			every = s.plan.Wall(defaultEvery)
		}
		return &garbage{site: s, service: f.On, every: every}, nil
	},
}

// garbage is a stream of made-up tokens.
type garbage struct {
	untilEnd
	site    *site
	service string
	every   time.Duration // wall

	stream sync.WaitGroup
	stop   context.CancelFunc
	mu     sync.Mutex
	shown  Reading
}

// Inject shows the first, and goes on showing until Undo.
func (g *garbage) Inject(ctx context.Context) error {
	ctx, g.stop = context.WithCancel(context.WithoutCancel(ctx))
	err := g.show(ctx)
	g.stream.Go(func() {
		for (world.WallClock{}).Sleep(ctx, g.every) == nil {
			if err := g.show(ctx); err != nil && ctx.Err() == nil {
				g.site.History.Record(history.Event{At: g.site.History.Offset(), Kind: history.KindTrouble, Detail: err.Error()})
			}
		}
	})
	return err
}

// Undo ends it.
func (g *garbage) Undo(context.Context) error {
	if g.stop != nil {
		g.stop()
	}
	g.stream.Wait()
	return nil
}

// Measure counts what became of the shown tokens.
func (g *garbage) Measure(ctx context.Context, span time.Duration) Reading {
	look := func(context.Context) Reading {
		g.mu.Lock()
		defer g.mu.Unlock()
		return Reading{asked: g.shown[asked], refused: g.shown[refused]}
	}
	return watch(ctx, span, look, func(r Reading) bool { return r[refused] > 0 })
}

// Took says that some were refused, by the verifier.
func (g *garbage) Took(before, during Reading) bool { return during[refused] > before[refused] }

// Back says that no more are shown.
func (g *garbage) Back(_, _ Reading) bool { return true }

// show presents one token, counted as the harness's own, and waits for the answer: what the validator
// has seen must be counted.
func (g *garbage) show(ctx context.Context) error {
	probe, err := g.site.UnknownKey(context.WithoutCancel(ctx), g.service)
	if err != nil {
		return fmt.Errorf("show a made-up kid to %s: %w", g.service, err)
	}
	g.mu.Lock()
	if g.shown == nil {
		g.shown = Reading{}
	}
	g.shown[asked]++
	if probe.Outcome == history.AuthFailure {
		g.shown[refused]++
	}
	g.mu.Unlock()
	g.site.History.Record(history.Event{At: g.site.History.Offset(), Kind: history.KindProbe, Service: g.service, Probe: &probe})
	return nil
}

// validates checks that a service takes tokens and fetches the key set for unknown names; of an
// external one the page says so.
func (g *Graph) validates(name string) error {
	s, ok := g.service(name)
	if _, checks := g.plan.Limits.Validator(name); ok && (s.Serve == "verifier" || s.External() && checks) {
		return nil
	}
	return fmt.Errorf("%s is no verifier: %w", name, ErrCannot)
}
