package fault

import (
	"context"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// Reading is one measurement, in figures by name. It lacks what could not be measured in time.
type Reading map[string]float64

// Gauge measures a fault's effect where another party than its injector can see it.
type Gauge interface {
	// Measure measures for at most a span (0: until it knows, or ctx ends; glance:
	// how it is now). It is called before the injection, while it is in effect,
	// and after the undoing.
	Measure(ctx context.Context, span time.Duration) Reading
	// Took reports whether two measurements show an effect, which a Measure may wait for.
	Took(before, during Reading) bool
	// Back reports whether the effect is gone.
	Back(before, after Reading) bool
}

// glance is the span of a measurement that waits for nothing.
const glance time.Duration = -1

// Names of figures that several gauges have.
const (
	asked    = "asked"    // how often somebody was asked
	answered = "answered" // how often there was an answer
)

// all reports whether every question was answered; none, whether no question was.
func (r Reading) all() bool  { return r[asked] > 0 && r[answered] == r[asked] }
func (r Reading) none() bool { return r[asked] > 0 && r[answered] == 0 }

// showing is the gauge of an effect that shows in a single look: differs says
// whether a reading has it.
type showing struct {
	once    func(context.Context) Reading
	differs func(Reading) bool
}

var _ Gauge = showing{}

// Measure looks until the effect shows: a stand-in takes some time to be ordered.
func (g showing) Measure(ctx context.Context, span time.Duration) Reading {
	return watch(ctx, span, g.once, g.differs)
}

// Took reports whether the effect appeared.
func (g showing) Took(before, during Reading) bool {
	return len(before) > 0 && !g.differs(before) && len(during) > 0 && g.differs(during)
}

// Back reports whether the effect is gone.
func (g showing) Back(_, after Reading) bool { return len(after) > 0 && !g.differs(after) }

// answering asks a service at the harness's address for it: the gauge of faults that silence a service.
type answering struct {
	site    *site
	service string
}

var _ Gauge = answering{}

// Measure asks a few times.
func (a answering) Measure(ctx context.Context, span time.Duration) Reading {
	m := a.site.ask.measure(ctx, a.service, span)
	return Reading{asked: float64(m.asked), answered: float64(m.answered)}
}

// Took reports whether it always answered, and then never.
func (answering) Took(before, during Reading) bool { return before.all() && during.none() }

// Back says that it answers.
func (answering) Back(_, after Reading) bool { return after[answered] > 0 }

// watchEvery is the pause between two looks for an effect; nothing that is looked at changes faster on
// one machine.
const watchEvery = 100 * time.Millisecond

// lookWithin is the most time that one look has. A look has askWithin at first, and twice as long after
// each without an answer: on a busy machine a login to a database took 0.5 s, and a fault that was undone
// was never seen to be.
const lookWithin = 8 * askWithin

// watch measures again and again until enough says so, the span is over
// (0: it has no end; glance: after one that a busy machine let through) or ctx
// ends, and returns the last measurement.
func watch(ctx context.Context, span time.Duration, once func(context.Context) Reading, enough func(Reading) bool) Reading {
	if span > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, span)
		defer cancel()
	}
	last, within := Reading{}, askWithin
	for looks := 1; ; looks++ {
		// A look under way is finished even after the span.
		looking, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
		now := once(looking)
		cancel()
		if len(now) > 0 {
			last = now
		} else {
			within = min(2*within, lookWithin)
		}
		glanced := span == glance && (len(now) > 0 || looks == glances)
		if glanced || len(now) > 0 && enough(now) || (world.WallClock{}).Sleep(ctx, watchEvery) != nil {
			return last
		}
	}
}
