package simulated

import (
	"math"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// expectedAnswer is the answer to each request of a client with a credential, for as long as nothing changes.
type expectedAnswer struct {
	answer
	// counted is where each is counted, and as what; charges is how many charges each makes.
	counted []counted
	charges int64
}

// counted is a decision in its cell.
type counted struct {
	cell *cell
	decision
}

// touch is called before something changes for a service's callers, for those with its tokens, or for
// those that have it asked: what came until now is counted under the old state. "": for all.
func (w *World) touch(service string) {
	if service == "" {
		for _, c := range w.clients {
			w.settle(c)
			c.bring()
			w.stir(c)
		}
		return
	}
	for _, c := range w.concerned[service] {
		w.settle(c)
		if c.limits.From == service {
			c.bring()
		}
		w.stir(c)
	}
}

// concern finds the clients that each service matters to.
func (w *World) concern() {
	w.concerned, w.sharing = map[string][]*client{}, map[string][]*client{}
	for _, c := range w.clients {
		services := []string{c.limits.From, c.limits.To, c.limits.Endpoint}
		if c.limits.From == "" && c.limits.Endpoint == "" {
			for name, v := range w.validators {
				if v.authority {
					services = append(services, name)
				}
			}
		}
		slices.Sort(services)
		for _, name := range slices.Compact(services) {
			if name != "" {
				w.concerned[name] = append(w.concerned[name], c)
			}
		}
		if c.limits.From == "" {
			w.sharing[c.limits.To] = append(w.sharing[c.limits.To], c)
		}
	}
}

// stir plans a client's next request anew, before time goes on.
func (w *World) stir(c *client) {
	if !c.stirred {
		c.stirred = true
		w.stirred = append(w.stirred, c)
	}
}

// replan plans anew for the clients that a change affects.
func (w *World) replan() {
	for len(w.stirred) > 0 {
		c := w.stirred[0]
		w.stirred = w.stirred[1:]
		c.stirred = false
		c.replan()
	}
}

// settle counts the requests of a client, and of others counted in the same cells, until now.
func (w *World) settle(c *client) {
	if c.limits.From != "" {
		c.settle()
		return
	}
	w.settleFor(c.limits.To)
}

// settleFor settles the clients for which a presenter presents something.
func (w *World) settleFor(presenter string) {
	var cells []*cell
	for _, c := range w.sharing[presenter] {
		for _, counted := range c.settle() {
			if counted.together.n > 0 && !slices.Contains(cells, counted) {
				cells = append(cells, counted)
			}
		}
	}
	for _, c := range cells {
		s := c.together
		c.together = stretch{}
		w.countStretch(c, s)
	}
}

// settleAll settles everybody.
func (w *World) settleAll() {
	for _, c := range w.clients {
		w.settle(c)
	}
}

// settle counts the requests that were due until now, and returns the cells that several clients share.
func (c *client) settle() (together []*cell) {
	w := c.world
	if c.interval == 0 || w.loadEnded || c.stirred { // who is stirred was settled now
		return nil
	}
	// At the same moment a request comes before whoever sleeps.
	due := c.before(w.now() + 1)
	if c.acts >= 0 {
		due = min(due, c.acts)
	}
	if due <= c.moments {
		return nil
	}
	w.totals.Scheduled += (due - c.moments) * c.at
	if c.limits.From != "" {
		c.settleSessions(due)
	}
	n := due - c.moments
	if n == 0 {
		return nil
	}
	s := stretch{first: c.moment(c.moments), end: c.moment(due), n: n}
	emit := ""
	if c.limits.From != "" {
		emit = w.emitters[c.limits.From].loaded.emit
	}
	out := c.outlooks[emit]
	for _, each := range out.counted {
		s.decision = each.decision
		if each.cell.key.Presenter == c.limits.Name {
			w.countStretch(each.cell, s)
			continue
		}
		joint := &each.cell.together
		if joint.n == 0 {
			*joint = s
		} else {
			joint.first, joint.end, joint.n = min(joint.first, s.first), max(joint.end, s.end), joint.n+n
		}
		together = append(together, each.cell)
	}
	w.ledger.Orders += out.charges * n
	w.ledger.Done += out.charges * n
	w.ledger.Effects += out.charges * n
	c.moments, c.turns = due, c.turns+n
	return together
}

// settleSessions counts the requests before a moment that differ by session: with another credential
// than is emitted, without one, or refused.
func (c *client) settleSessions(due int64) {
	w := c.world
	emit, down := w.emitters[c.limits.From].loaded.emit, w.down[c.limits.From]
	for ; c.moments < due; c.moments++ {
		at := c.moment(c.moments)
		if !down && at >= c.mixed && c.outlooks[emit].outcome != history.AuthFailure {
			return
		}
		s := c.sessions[c.turns%int64(len(c.sessions))]
		c.turns++
		c.advance(s, at)
		if at >= s.expires {
			c.hold(s)
			continue
		}
		out := c.outlooks[s.credential]
		for _, each := range out.counted {
			each.session = s
			each.outcome, each.status = out.draw(c.random)
			w.countAt(each.cell, at, each.decision)
		}
	}
}

// bring brings all sessions up to date, before their emitter changes.
func (c *client) bring() {
	if c.limits.From == "" {
		return
	}
	for _, s := range c.sessions {
		c.advance(s, c.world.now())
	}
}

// foresee is the result of a request with a credential until something changes.
func (c *client) foresee(credential string) expectedAnswer {
	if out, known := c.outlooks[credential]; known {
		return out
	}
	var out expectedAnswer
	switch {
	case c.limits.From != "":
		out = c.foreseePresent(credential)
	case c.limits.Endpoint != "":
		out = c.foreseeTell()
	default:
		out = c.foreseeAsk()
	}
	c.outlooks[credential] = out
	return out
}

// counts is a result that is counted at the client itself.
func (c *client) counts(a answer, validator, credential string) expectedAnswer {
	key := history.CellKey{Source: history.FromLoad, Presenter: c.limits.Name, Validator: validator, Credential: credential}
	return expectedAnswer{answer: a, counted: []counted{{c.world.cells.cell(key), decision{session: c.sessions[0], outcome: a.outcome, status: a.status, more: c.at - 1}}}}
}

func (c *client) foreseePresent(credential string) expectedAnswer {
	w, to := c.world, c.limits.To
	a := answer{outcome: history.OK, status: "200"}
	if broken := w.broken[edge{loadName, to}]; broken != "" {
		a = answer{outcome: history.Unavailable, status: broken}
	} else if v := w.validators[to]; v != nil {
		a = v.answers(c.limits.Name, credential)
	}
	a.acts = a.acts || a.outcome == history.OK && w.options.Failing > 0 || a.outcome == history.AuthFailure && c.retries && !w.down[c.limits.From]
	if a.acts {
		return expectedAnswer{answer: a}
	}
	return c.counts(a, to, credential)
}

// foreseeTell is the result of a request that gives an emitter something to present.
func (c *client) foreseeTell() expectedAnswer {
	w := c.world
	e, v := w.emitters[c.limits.To], w.validators[c.limits.Endpoint]
	if e == nil || v == nil || w.down[e.name] {
		return c.counts(answer{outcome: history.Unavailable, status: "refused"}, c.limits.To, "")
	}
	if e.mixed || v.mixed {
		return expectedAnswer{answer: answer{acts: true}}
	}
	credential, takes := v.takesAmong(v.holds, e.name, e.presents())
	if !takes || w.options.Failing > 0 || w.services[v.name].Fails > 0 {
		return expectedAnswer{answer: answer{acts: true}}
	}
	out := c.counts(answer{outcome: history.OK, status: "202"}, c.limits.To, "")
	key := history.CellKey{Source: w.limits.JudgedAt, Presenter: e.name, Validator: v.name, Credential: credential}
	out.counted = append(out.counted, counted{w.cells.cell(key), decision{outcome: history.OK, status: delivered}})
	return out
}

// foreseeAsk is the result of a request for which an emitter presents its credential to an authority.
func (c *client) foreseeAsk() expectedAnswer {
	w := c.world
	e, v := w.emitters[c.limits.To], w.authority()
	switch {
	case e == nil || !w.reaches(loadName, e.name):
		return c.counts(answer{outcome: history.Unavailable, status: "refused"}, c.limits.To, "")
	case v == nil || e.mixed:
		return expectedAnswer{answer: answer{acts: true}}
	}
	credential := e.loaded.emit
	a := v.answers(e.name, credential)
	if a.acts || a.outcome != history.OK || w.options.Failing > 0 || w.services[v.name].Fails > 0 {
		return expectedAnswer{answer: answer{acts: true}}
	}
	out := c.counts(answer{outcome: history.OK, status: "200"}, c.limits.To, "")
	key := history.CellKey{Source: history.FromAuthority, Presenter: e.name, Validator: v.name, Credential: credential}
	out.counted = append(out.counted, counted{w.cells.cell(key), decision{outcome: history.OK, status: a.status}})
	out.charges = 1
	return out
}

// replan schedules the client's next request that acts, and finds out whether all others succeed.
func (c *client) replan() {
	w := c.world
	c.planned++
	c.fails, c.acts = false, -1
	clear(c.outlooks)
	if c.interval == 0 || w.loadEnded || !w.started {
		return
	}
	next := int64(-1)
	acts := func(n int64) {
		if n >= 0 && (next < 0 || n < next) {
			next = n
		}
	}
	now := max(c.moments, c.before(w.now()))
	if c.limits.From == "" {
		out := c.foresee("")
		c.fails = out.outcome != history.OK
		acts(c.actsFrom(out, now))
	} else {
		c.planSessions(now, acts)
	}
	if next < 0 {
		return
	}
	c.acts = next
	planned := c.planned
	w.clock.at(max(w.now(), c.moment(next)), func() {
		if planned == c.planned && !w.loadEnded {
			c.next()
		}
	})
}

// actsFrom is the first moment, of those from one on, at which a request acts; -1: none.
func (c *client) actsFrom(out expectedAnswer, from int64) int64 {
	switch {
	case out.acts:
		return from
	case out.until > 0:
		return max(from, c.before(out.until))
	}
	return -1
}

// planSessions finds the first moment at which a session's request acts.
func (c *client) planSessions(now int64, acts func(int64)) {
	w := c.world
	e, down := w.emitters[c.limits.From], w.down[c.limits.From]
	emit := e.loaded.emit
	c.fails = down
	fresh := make([]expectedAnswer, 0, len(e.emits))
	for _, emits := range e.emits {
		out := c.foresee(emits)
		fresh = append(fresh, out)
		c.fails = c.fails || out.outcome != history.OK
	}
	switch c.mixed = 0; {
	case e.mixed:
		c.mixed = math.MaxInt64 // a token of now may be of any of them
	case !down:
		for _, s := range c.sessions {
			if s.credential != emit {
				c.mixed = max(c.mixed, s.renews)
			}
		}
	}
	if !down && c.mixed <= w.now() {
		acts(c.actsFrom(fresh[0], now))
		return
	}
	size := int64(len(c.sessions))
	// turn is the first moment from an offset on that belongs to a session.
	turn := func(session int64, at history.Offset) int64 {
		n := max(now, c.before(at))
		ahead := (session - (c.turns+n-c.moments)%size + size) % size
		return n + ahead
	}
	for i, s := range c.sessions {
		out := c.foresee(s.credential)
		c.fails = c.fails || out.outcome != history.OK
		if n := c.actsFrom(out, now); n >= 0 {
			if n = turn(int64(i), c.moment(n)); down || c.moment(n) < s.renews {
				acts(n)
			}
		}
		for _, out := range fresh {
			if n := c.actsFrom(out, now); n >= 0 && !down {
				acts(turn(int64(i), max(s.renews, c.moment(n))))
			}
		}
	}
	if c.fails && c.mixed > w.now() {
		c.stirLater()
	}
}

// stirLater wakes those who pause when a renewal makes refusals begin.
func (c *client) stirLater() {
	w := c.world
	first := history.Offset(-1)
	for _, s := range c.sessions {
		if s.renews > w.now() && (first < 0 || s.renews < first) {
			first = s.renews
		}
	}
	planned := c.planned
	w.clock.at(first, func() {
		if planned == c.planned {
			w.clock.changed()
		}
	})
}
