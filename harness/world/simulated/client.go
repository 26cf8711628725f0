package simulated

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const (
	// renewAgain is the time between attempts to renew a token, the longest of
	// the load service's own backoff; it is also the least time between two
	// records of one session that holds requests back.
	renewAgain = history.Offset(time.Second)
	// minRenewal is the least age at which a token is renewed, as in the load
	// service.
	minRenewal = history.Offset(100 * time.Millisecond)
	// loadName is what the load is called among services.
	loadName = "load"
	// latency is what every attempt takes, in microseconds.
	latency = 1000
)

// client is a stream of load. Its requests are due at moments that lie evenly apart.
// Between two changes of what they meet they are counted by arithmetic; one that itself
// changes something, or hangs on chance, is made by itself.
//
//	   change              change          a request that acts      change
//	─────┼───────────────────┼───────────────────────┼──────────────────┼──► time
//	     └─ settled: so many ┘                       └ made             └ settled: so many
type client struct {
	world    *World
	limits   plan.Client
	renewAt  float64 // share of a token's life
	retries  bool    // renews a refused token and tries once more
	random   *rand.Rand
	sessions []*session

	begins  float64 // its rate at the start, and what changes it later
	changes []scenario.RateStep
	// At each moment, one every interval since begun, at requests are made; interval is 0
	// while its rate is. Of them moments were so far, and turns in all.
	interval       history.Offset
	begun          history.Offset
	at             int64
	moments, turns int64
	left           float64 // of an interval until the next, of one that was stopped

	outlooks map[string]expectedAnswer // of its requests until something changes, by their credentials

	planned int            // how often what it does next was planned: what was on the agenda before is off it
	acts    int64          // the next moment of which the request acts; -1: none
	stirred bool           // it is to be planned anew
	held    bool           // some of its sessions hold requests back, or did when last told
	mixed   history.Offset // until when some of its sessions have another credential than is emitted
	fails   bool           // not all of its requests are taken, or soon are not
}

// session is one user of a client and its token, as of when it was last looked at.
type session struct {
	name       string
	credential string
	issued     history.Offset
	expires    history.Offset
	renews     history.Offset // when next
	held       int64          // requests not sent and not yet told
	told       history.Offset
	renewed    int64 // how many of those that it stands for have a new token
}

func newClient(w *World, c plan.Client, load scenario.Client) *client {
	made := &client{world: w, limits: c, renewAt: plan.DefaultRenewAt, random: w.random(c.Name), outlooks: map[string]expectedAnswer{}, acts: -1}
	begins, changes := load.Pace()
	made.begins, made.changes = float64(begins), changes
	if token := load.Token; token != nil {
		made.renewAt, made.retries = token.RenewAt, token.OnRefusal == scenario.Renew
	}
	for i := range c.Sessions {
		made.sessions = append(made.sessions, &session{name: c.Name + "-" + strconv.Itoa(i+1)})
	}
	return made
}

// setRate changes how many requests it makes in a second from now on.
func (c *client) setRate(rate float64) {
	w := c.world
	w.settle(c)
	w.stir(c)
	if c.interval > 0 {
		c.left = float64(c.moment(c.moments)-w.now()) / float64(c.interval)
	}
	rate *= w.options.RateFactor
	c.moments, c.interval = 0, 0
	if rate == 0 {
		return
	}
	c.at = 1
	if c.limits.From != "" { // what others present because of it is not counted, but done
		c.at = max(1, int64(math.Ceil(rate/plan.MostMoments)))
	}
	c.interval = max(1, history.Offset(float64(c.at)*float64(time.Second)/rate))
	c.begun = w.now() + history.Offset(c.left*float64(c.interval))
}

// moment is when its requests of a number since begun are due.
func (c *client) moment(n int64) history.Offset { return c.begun + history.Offset(n)*c.interval }

// before is how many moments since begun lie before an offset.
func (c *client) before(at history.Offset) int64 {
	return int64(max(0, at-c.begun+c.interval-1) / c.interval)
}

func (c *client) life() history.Offset { return history.Offset(c.world.limits.Wall(c.limits.Life)) }

// renewal is the age at which a token is renewed.
func (c *client) renewal() history.Offset {
	return max(minRenewal, history.Offset(c.renewAt*float64(c.life())))
}

// start gives every session its first token, the renewals spread over one
// period as those of sessions that began at different times, and begins to send.
func (c *client) start() {
	if c.limits.From != "" {
		for _, s := range c.sessions {
			if c.mint(s) {
				s.renews = s.issued + history.Offset(c.random.Int64N(int64(c.renewal())))
			}
		}
	}
	c.setRate(c.begins)
}

// pace changes its rate, and records that.
func (c *client) pace(rate float64) {
	c.setRate(rate)
	c.world.record(history.Event{Kind: history.KindRate, Service: c.limits.Name, Rate: &rate})
}

// mint gives a session a token of what the emitter emits; false where it is down.
func (c *client) mint(s *session) bool {
	w := c.world
	if w.down[c.limits.From] {
		return false
	}
	c.give(s, w.now())
	return true
}

// give gives a session a token.
func (c *client) give(s *session, at history.Offset) {
	s.credential = c.world.emitters[c.limits.From].any().loaded.emit
	s.issued, s.expires, s.renews, s.renewed = at, at+c.life(), at+c.renewal(), 0
}

// advance brings a session to a moment, with the renewals until then: one that fails
// is tried again soon. Its emitter was since as it is now.
func (c *client) advance(s *session, to history.Offset) {
	switch {
	case s.renews > to:
	case c.world.down[c.limits.From]:
		s.renews += ((to-s.renews)/renewAgain + 1) * renewAgain
	default:
		c.give(s, s.renews+(to-s.renews)/c.renewal()*c.renewal())
	}
}

// next makes the requests of a moment that act.
func (c *client) next() {
	w := c.world
	w.settle(c)
	w.stir(c)
	c.acts = -1
	s := c.sessions[c.turns%int64(len(c.sessions))]
	c.turns++
	c.moments++
	w.totals.Scheduled += c.at
	switch {
	case c.limits.From != "":
		c.advance(s, w.now())
		c.present(s)
	case c.limits.Endpoint != "":
		c.tell(s)
	default:
		c.ask(s)
	}
}

// present shows a session's token to the validator.
func (c *client) present(s *session) {
	w := c.world
	if w.now() >= s.expires {
		c.hold(s)
		return
	}
	d := c.decision(s, c.limits.Name, c.limits.To)
	w.count(history.CellKey{Source: history.FromLoad, Presenter: c.limits.Name, Validator: c.limits.To, Credential: s.credential}, d)
	before := *s
	if d.outcome != history.AuthFailure || !c.retries || !c.mint(s) {
		return
	}
	defer func() {
		if n := before.renewed + c.at; n < int64(c.limits.Each) {
			*s = before // of the others
			s.renewed = n
		}
	}()
	again := c.decision(s, c.limits.Name, c.limits.To)
	again.retry = true
	w.count(history.CellKey{Source: history.FromLoad, Presenter: c.limits.Name, Validator: c.limits.To, Credential: s.credential}, again)
}

// hold does not send what a session has no valid token for.
func (c *client) hold(s *session) {
	c.world.totals.NotSent += c.at
	s.held += c.at
	c.held = true
}

// decision is what a validator makes of a session's credential and its presenter.
func (c *client) decision(s *session, presenter, to string) decision {
	outcome, status := history.OK, "200"
	if broken := c.world.broken[edge{loadName, to}]; broken != "" && presenter == c.limits.Name {
		return decision{session: s, outcome: history.Unavailable, status: broken, more: c.at - 1}
	}
	if v := c.world.validators[to]; v != nil {
		outcome, status = v.decide(presenter, s.credential)
	}
	if outcome == history.OK && c.random.Float64() < c.world.options.Failing {
		outcome, status = history.AuthFailure, "401"
	}
	return decision{session: s, outcome: outcome, status: status, more: c.at - 1}
}

// tellHeld records the sessions that held requests back, each at once and then
// once in renewAgain; with all, everything.
func (c *client) tellHeld(all bool) {
	w := c.world
	if !c.held {
		return
	}
	c.held = false
	for _, s := range c.sessions {
		c.held = c.held || s.held > 0
		if s.held == 0 || !all && s.told != 0 && w.now()-s.told < renewAgain {
			continue
		}
		w.record(history.Event{
			Kind: history.KindSession, Service: c.limits.Name, Count: s.held, Credential: s.credential,
			Detail: "session " + s.name + ": its token ran out and " + c.limits.From + " gave no other",
		})
		s.held, s.told = 0, w.now()
	}
}
