package simulated

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/webhook"
)

// delivered is the status of a delivery that was taken.
const delivered = "204"

// deliveries are an emitter's own presentations to validators: each attempt presents what the emitter
// has then, or what it presented first where it keeps that.
type deliveries struct {
	world *World
	keeps bool
	// oldest says that emitting a newer credential has revoked the older ones at
	// the sender, for good.
	oldest bool
	span   history.Offset // for how long failures are retried
	random *rand.Rand     // for refusals by chance
}

// newDeliveries is nil for an emitter that presents nothing by itself.
func newDeliveries(w *World, p *plan.Plan) *deliveries {
	scheme, err := webhook.Of(p.Runbook.Format.Type)
	if err != nil {
		return nil
	}
	return &deliveries{world: w, keeps: !scheme.Anew, oldest: scheme.Oldest, span: history.Offset(p.Wall(p.Limits.LongestLife)), random: w.random("deliveries")}
}

// delivery is a delivery under way.
type delivery struct {
	session    *session
	from       *emitter
	to         *validator
	fails      bool // the validator takes it, but cannot process it
	credential []string
	refused    bool
	attempts   int
}

// attempt tries a delivery, and retries it as the sender's queue does.
func (q *deliveries) attempt(d *delivery, due []history.Offset) {
	w := q.world
	w.settleFor(d.from.name)
	if d.credential == nil || !q.keeps {
		d.credential = d.from.presents()
	}
	outcome, status, taken := d.to.decideAmong(d.from.name, d.credential)
	if outcome == history.OK && q.random.Float64() < w.options.Failing {
		outcome, status = history.AuthFailure, "401"
	}
	if outcome == history.OK && d.fails {
		status = "503"
	}
	if d.attempts > 0 && !d.refused {
		w.totals.Scheduled++ // by the queue
	}
	key := history.CellKey{Source: w.limits.JudgedAt, Presenter: d.from.name, Validator: d.to.name, Credential: taken}
	w.count(key, decision{session: d.session, outcome: outcome, status: status, retry: d.refused})
	d.attempts++
	d.refused = d.refused || outcome == history.AuthFailure
	if outcome == history.OK && !d.fails || len(due) == 0 {
		return
	}
	w.clock.at(due[0], func() {
		if !w.loadEnded {
			q.attempt(d, due[1:])
		}
	})
}

// due are the moments of the attempts after the first, as the sender has them.
func (q *deliveries) due() []history.Offset {
	if q.span <= 0 {
		return nil
	}
	at := q.world.now()
	return []history.Offset{at + q.span/8, at + q.span/4, at + q.span/2, at + q.span}
}

// presents are the credentials that an emitter presents at once.
func (e *emitter) presents() []string {
	loaded := e.any().loaded
	if !e.several {
		return []string{loaded.emit}
	}
	return loaded.set // the emitted one first
}

// decideAmong is a validator's answer to several credentials shown at once, and which it took; the
// first where it took none.
func (v *validator) decideAmong(presenter string, credentials []string) (outcome history.Outcome, status, credential string) {
	holds := v.holds
	if v.mixed {
		holds = v.replicas[v.random.IntN(len(v.replicas))].holds
	}
	if taken, takes := v.takesAmong(holds, presenter, credentials); takes {
		return history.OK, delivered, taken
	}
	if v.mixed && v.answers(presenter, credentials[0]).outcome != history.Unavailable {
		return history.AuthFailure, "401", credentials[0] // the one that was met takes none, whatever others do
	}
	outcome, status = v.decide(presenter, credentials[0])
	return outcome, status, credentials[0]
}

// takesAmong is the first of several credentials that a validator takes which holds some.
func (v *validator) takesAmong(holds []string, presenter string, credentials []string) (taken string, takes bool) {
	for _, held := range holds {
		w := v.world
		if slices.Contains(credentials, held) && w.reaches(presenter, v.name) && !w.options.Erring[v.name] &&
			w.fits(v.name, held) && w.fits(presenter, held) {
			return held, true
		}
	}
	return "", false
}

// tell gives an emitter something to present to one validator.
func (c *client) tell(s *session) {
	w := c.world
	front := history.CellKey{Source: history.FromLoad, Presenter: c.limits.Name, Validator: c.limits.To}
	e, v := w.emitters[c.limits.To], w.validators[c.limits.Endpoint]
	if e == nil || v == nil || w.down[e.name] {
		w.count(front, decision{session: s, outcome: history.Unavailable, status: "refused"})
		return
	}
	w.deliveries.attempt(&delivery{session: s, from: e, to: v, fails: fails(c.random, w.services[v.name])}, w.deliveries.due())
	w.count(front, decision{session: s, outcome: history.OK, status: "202"})
}

// fails draws whether an event is one that its receiver cannot process.
func fails(random *rand.Rand, s scenario.Service) bool { return random.Float64() < float64(s.Fails) }

// readsItself makes a validator read the published secret itself, as the scenario sets it up.
func (v *validator) readsItself(s scenario.Service, learns time.Duration) {
	v.reads, v.pinned = true, v.pinned || s.Pinned
	v.distribution, v.rollout = runbook.Way(s.Distribution), v.world.rolloutOf(s)
	v.behaviour = Behaviour{Refresh: s.Refresh.Duration(), Keys: s.Holds}
	if v.behaviour.Refresh == 0 {
		v.behaviour.Refresh = learns
	}
}
