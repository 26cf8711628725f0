package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// ErrLost is in the chain of Stream's error where a shard was lost; Shards.Lost was told.
var ErrLost = errors.New("a part of the load was lost")

// Loss is a shard that is there no more, before it was stopped.
type Loss struct {
	Shard int
	// Since is the moment from which nothing of it was counted; zero: it never counted.
	Since time.Time
	// Rate is how many requests a second it was to send.
	Rate float64
	Err  error // how that is known
}

// Shards speaks to the services that share a load, as to one. One goroutine may Stream
// while others call Start, SetRate, Gone and Stop.
type Shards struct {
	clients []*Client
	config  Config
	lost    func(Loss)

	mu    sync.Mutex
	rates []float64                 // of each client of the whole load, now
	ends  []context.CancelCauseFunc // of each stream that is under way
	gone  []error                   // of each shard that is there no more
}

// NewShards are those of a load, by their clients, of which each knows its address. lost
// is told of each that is lost.
func NewShards(config Config, clients []*Client, lost func(Loss)) *Shards {
	config.Clients = slices.Clone(config.Clients) // what is filled in is not the caller's
	s := &Shards{
		clients: clients, config: config, lost: lost,
		ends: make([]context.CancelCauseFunc, len(clients)), gone: make([]error, len(clients)),
	}
	s.config.Shard.Of = len(clients)
	s.config.fill()
	for _, c := range config.Clients {
		s.rates = append(s.rates, c.Rate)
	}
	return s
}

// each calls all shards that are there, at the same time.
func (s *Shards) each(call func(shard int, c *Client) error) error {
	var group errgroup.Group
	for i, c := range s.clients {
		if s.wentAway(i) == nil {
			group.Go(func() error {
				if err := call(i, c); err != nil && s.wentAway(i) == nil {
					return s.name(i, err)
				}
				return nil
			})
		}
	}
	return group.Wait()
}

// name says of which shard an error is, where there are several.
func (s *Shards) name(shard int, err error) error {
	if len(s.clients) == 1 {
		return err
	}
	return fmt.Errorf("shard %v: %w", Shard{Index: shard, Of: len(s.clients)}, err)
}

// wentAway is how it is known that a shard is there no more; nil: it may be.
func (s *Shards) wentAway(shard int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone[shard]
}

// Start lets all begin, and returns when each sends.
func (s *Shards) Start(ctx context.Context) error {
	return s.each(func(_ int, c *Client) error { return c.Start(ctx) })
}

// SetRate changes how many requests a client sends in a second from now on, in all.
func (s *Shards) SetRate(ctx context.Context, client string, rate float64) error {
	s.mu.Lock()
	for i, c := range s.config.Clients {
		if c.Name == client {
			s.rates[i] = rate
		}
	}
	s.mu.Unlock()
	return s.each(func(_ int, c *Client) error { return c.SetRate(ctx, client, rate) })
}

// Stop ends load, waits until all of it has drained, and returns the totals of those
// that are there.
func (s *Shards) Stop(ctx context.Context) (history.Totals, error) {
	all := make([]history.Totals, len(s.clients))
	err := s.each(func(i int, c *Client) (err error) {
		all[i], err = c.Stop(ctx)
		return err
	})
	var sum history.Totals
	for _, t := range all {
		sum = sumOf(sum, t)
	}
	return sum, err
}

// Gone says that a shard has ended by itself: nothing more is waited for.
func (s *Shards) Gone(shard int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone[shard] == nil {
		s.gone[shard] = err
	}
	if end := s.ends[shard]; end != nil {
		end(err)
	}
}

// Stream hands what all of them count to deliver, as one stream (see merger), and
// returns when each has said its last or is lost. A shard is lost when it is gone, or
// when its stream has not worked for 15 s. The error then is ErrLost.
func (s *Shards) Stream(ctx context.Context, deliver func(Batch) error) error {
	m := newMerger(len(s.clients), deliver)
	var group errgroup.Group
	for i, c := range s.clients {
		group.Go(func() error { return s.stream(ctx, m, i, c) })
	}
	return group.Wait()
}

func (s *Shards) stream(ctx context.Context, m *merger, shard int, c *Client) error {
	streaming, end := context.WithCancelCause(ctx)
	defer end(nil)
	s.mu.Lock()
	s.ends[shard] = end
	if gone := s.gone[shard]; gone != nil {
		end(gone)
	}
	s.mu.Unlock()
	failed := error(nil) // of whom it was delivered to
	err := c.Stream(streaming, func(b Batch) error {
		failed = m.add(shard, b)
		return failed
	})
	switch {
	case err == nil || failed != nil:
		return failed
	case ctx.Err() != nil:
		return s.name(shard, err)
	}
	if cause := context.Cause(streaming); cause != nil {
		err = cause
	}
	s.Gone(shard, err)
	until, failed := m.lose(shard)
	loss := Loss{Shard: shard, Rate: s.rate(shard), Err: err}
	if until > 0 {
		loss.Since = time.UnixMicro(until)
	}
	s.lost(loss)
	if failed != nil {
		return failed
	}
	return s.name(shard, fmt.Errorf("%w: %w", ErrLost, err))
}

// rate is how many requests a second a shard is to send now.
func (s *Shards) rate(shard int) (sum float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.config.Clients {
		sum += s.rates[i] * s.config.Clients[i].share(Shard{Index: shard, Of: len(s.clients)}).fraction()
	}
	return sum
}

// clockAsks is how often a clock is read: the quickest answer tells it best.
const clockAsks = 5

// Clock is by how much the clock of a shard is ahead of this process's, and how far that
// may be off: by half of what the answer took.
func (s *Shards) Clock(ctx context.Context, shard int) (ahead, within time.Duration, err error) {
	for range clockAsks {
		asked := time.Now()
		there, err := s.clients[shard].clock(ctx)
		if err != nil {
			return 0, 0, s.name(shard, err)
		}
		took := time.Since(asked)
		if half := took / 2; within == 0 || half < within {
			ahead, within = there.Sub(asked.Add(half).Round(0)), half
		}
	}
	return ahead, within, nil
}
