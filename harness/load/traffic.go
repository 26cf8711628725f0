package load

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
)

// parallelFetches bounds how many first tokens a client fetches at a time.
const parallelFetches = 16

// traffic is everything that a service's clients do, from start to stop.
type traffic struct {
	config Config
	log    *slog.Logger
	clock  clock
	cells  *cells
	totals totals
	out    *outbox
	begun  atomic.Bool // every client has its attack

	strains strains
	clients []*client
	cancel  context.CancelFunc // ends renewals and flushing
	running sync.WaitGroup     // of both
}

// client is one stream of load and what it owns.
type client struct {
	config   *ClientConfig
	wire     *http.Transport
	tokens   *http.Transport
	sessions []*session
	heldBack *heldBack
	attack   *attack
}

func newTraffic(config Config, log *slog.Logger) *traffic {
	clock := newClock()
	t := &traffic{
		config: config, log: log, clock: clock,
		cells: newCells(clock, time.Duration(config.Bucket)), out: newOutbox(),
	}
	t.out.beats = config.Shard.Of > 1
	for i := range config.Clients {
		if c := &config.Clients[i]; c.part.fraction() > 0 {
			t.clients = append(t.clients, t.newClient(c))
		}
	}
	return t
}

func (t *traffic) newClient(config *ClientConfig) *client {
	c := &client{
		config:   config,
		wire:     newWire(config.workers()),
		tokens:   newWire(parallelFetches),
		heldBack: newHeldBack(config.Name, t.clock),
	}
	issuer := &issuer{client: config, http: &http.Client{Transport: c.tokens}, clock: t.clock, cells: t.cells}
	c.sessions = newSessions(config, t.clock, issuer.fetch)
	return c
}

// start gives every session its first token and then begins to send. If any
// token cannot be had nothing is sent, and start may be tried again.
func (t *traffic) start(ctx context.Context) error {
	for _, c := range t.clients {
		if err := t.firstTokens(ctx, c); err != nil {
			return fmt.Errorf("start client %s: %w", c.config.Name, err)
		}
	}
	background, cancel := context.WithCancel(context.Background()) // ended by stop
	t.cancel = cancel
	for _, c := range t.clients {
		if c.config.fetches() {
			for _, s := range c.sessions {
				t.running.Go(func() { s.keepFresh(background, t.log) })
			}
		}
		c.attack = startAttack(c.config, t.transport(c))
	}
	t.begun.Store(true)
	t.running.Go(func() { t.strains.watch(background, t.clock, t.clients) })
	t.running.Go(func() { t.flushEvery(background, time.Duration(t.config.Bucket)) })
	return nil
}

func (t *traffic) transport(c *client) *transport {
	return &transport{
		client: c.config, wire: c.config.Protocol.Wire(c.wire, maxAnswer), clock: t.clock,
		totals: &t.totals, heldBack: c.heldBack, sessions: c.sessions,
	}
}

// fixed is what a client presents that fetches nothing: a token that stays the
// same, or none.
func (t *traffic) fixed(c *ClientConfig) *token {
	value := ""
	if c.Token != nil {
		value = c.Token.Value
	}
	kid := contract.KidOf(value)
	return &token{
		header: c.header(value), kid: kid, cell: t.cells.cell(c.Name, c.To, kid),
		renewAt: math.MaxInt64, unusable: expiryOf(value),
	}
}

func (t *traffic) firstTokens(ctx context.Context, c *client) error {
	if !c.config.fetches() {
		plain := t.fixed(c.config)
		for _, s := range c.sessions {
			s.current.Store(plain)
		}
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelFetches)
	for _, s := range c.sessions {
		group.Go(func() error {
			_, err := s.renew(ctx, s.current.Load())
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	stagger(c.sessions, c.config.part, t.config.Seed, c.config.Name, renewalPeriod(c.config.Token, time.Duration(c.config.Token.Life)))
	return nil
}

// stop ends the pacing, waits until every request that was sent is decided
// (at most the longest timeout of a client), and puts out the final batch.
func (t *traffic) stop() history.Totals {
	for _, c := range t.clients {
		c.attack.stop()
	}
	for _, c := range t.clients {
		<-c.attack.drained
	}
	t.cancel()
	t.running.Wait()
	t.flush(true)
	for _, c := range t.clients {
		c.wire.CloseIdleConnections()
		c.tokens.CloseIdleConnections()
	}
	return t.out.totals()
}

// setRate changes the rate of a client that has begun; false: there is none of that name.
// One whose requests are all other shards' has nothing to change.
func (t *traffic) setRate(name string, rate float64) bool {
	for _, c := range t.clients {
		if c.config.Name == name {
			c.attack.pace.schedule.set(rate)
		}
	}
	return slices.ContainsFunc(t.config.Clients, func(c ClientConfig) bool { return c.Name == name })
}

func (t *traffic) flushEvery(ctx context.Context, width time.Duration) {
	ticker := time.NewTicker(width)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			t.flush(false)
		case <-ctx.Done():
			return
		}
	}
}

// flush puts out what was counted in past buckets; the final flush, when
// nothing runs any more, everything.
func (t *traffic) flush(final bool) {
	until := t.cells.begun()
	batch := Batch{Counts: t.cells.take(final), Until: until, Final: final}
	for _, c := range t.clients {
		batch.Sessions = append(batch.Sessions, c.heldBack.take(final)...)
	}
	batch.Strains, batch.Behind = t.strains.take()
	batch.Totals = t.sum()
	t.out.add(batch)
}

// sum is what was counted so far; Recorded is the outbox's to say.
func (t *traffic) sum() history.Totals {
	sum := t.totals.sum()
	if !t.begun.Load() {
		return sum
	}
	for _, c := range t.clients {
		due, begun := c.attack.pace.counts()
		sum.Scheduled, sum.Behind = sum.Scheduled+due, sum.Behind+due-begun
	}
	return sum
}
