package fault

import (
	"context"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// Reading is one measurement, in figures by name. What was not measured, since
// the time for it was over, is not in it.
type Reading map[string]float64

// Gauge measures a fault's effect where somebody else than its injector can
// see it.
type Gauge interface {
	// Measure measures for at most a span (0: until it knows, or ctx ends; glance:
	// how it is now). It is called before the injection, while it is in effect,
	// and after the undoing.
	Measure(ctx context.Context, span time.Duration) Reading
	// Took says whether two measurements show an effect. A Measure that waits
	// for the effect to show does so until it has.
	Took(before, during Reading) bool
	// Back says whether nothing of the effect is left.
	Back(before, after Reading) bool
}

// glance is the span of a measurement that waits for nothing.
const glance time.Duration = -1

// Names of figures that several gauges have.
const (
	asked    = "asked"    // how often somebody was asked
	answered = "answered" // how often there was an answer
)

// all says that somebody was asked and answered every time, none that never.
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

// Took says that it did not show, and then did.
func (g showing) Took(before, during Reading) bool {
	return len(before) > 0 && !g.differs(before) && len(during) > 0 && g.differs(during)
}

// Back says that it does not show.
func (g showing) Back(_, after Reading) bool { return len(after) > 0 && !g.differs(after) }

// answering asks a service whether it answers, at the address that the harness
// sees: the gauge of what makes a service silent.
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

// Took says that it always answered, and then never.
func (answering) Took(before, during Reading) bool { return before.all() && during.none() }

// Back says that it answers.
func (answering) Back(_, after Reading) bool { return after[answered] > 0 }

// watchEvery is the pause between two looks at what an effect is waited for to
// show in; on one machine nothing that is looked at changes faster.
const watchEvery = 100 * time.Millisecond

// watch measures again and again until enough says so, the span is over
// (0: it has no end; glance: after one that a busy machine let through) or ctx
// ends, and returns the last measurement.
func watch(ctx context.Context, span time.Duration, once func(context.Context) Reading, enough func(Reading) bool) Reading {
	if span > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, span)
		defer cancel()
	}
	last := Reading{}
	for looks := 1; ; looks++ {
		// One look is finished also where the time for more is over.
		looking, cancel := context.WithTimeout(context.WithoutCancel(ctx), askWithin)
		now := once(looking)
		cancel()
		if len(now) > 0 {
			last = now
		}
		glanced := span == glance && (len(now) > 0 || looks == glances)
		if glanced || len(now) > 0 && enough(now) || (world.WallClock{}).Sleep(ctx, watchEvery) != nil {
			return last
		}
	}
}
