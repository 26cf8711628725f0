package load

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// Waits between attempts to renew a token: doubled from the first to the last.
const (
	firstBackoff = 50 * time.Millisecond
	lastBackoff  = time.Second
)

// heldBackEvery is the least time between two records of one session.
const heldBackEvery = time.Second

// session is one user of a client: the token that its requests present, and
// how it is renewed.
type session struct {
	name    string
	clock   clock
	fetch   func(ctx context.Context, session string) (*token, error)
	current atomic.Pointer[token]
	trouble atomic.Pointer[string] // why the last renewal failed
	flight  chan struct{}          // holds an item while a renewal is under way
}

func newSession(name string, c clock, fetch func(context.Context, string) (*token, error)) *session {
	return &session{name: name, clock: c, fetch: fetch, flight: make(chan struct{}, 1)}
}

// newSessions makes the sessions of a client that are of this service, in the order of
// their requests. All of the client are named CLIENT-1 and on.
func newSessions(client *ClientConfig, c clock, fetch func(context.Context, string) (*token, error)) []*session {
	size := int64(client.Sessions)
	if !client.part.whole() {
		size = client.part.size()
	}
	sessions := make([]*session, size)
	for i := range sessions {
		of := client.part.number(int64(i)) % int64(client.Sessions)
		sessions[i] = newSession(client.Name+"-"+strconv.FormatInt(of+1, 10), c, fetch)
	}
	return sessions
}

// renew replaces the token old and returns the one that replaced it. Of
// several callers one fetches; the others get what it fetched.
func (s *session) renew(ctx context.Context, old *token) (*token, error) {
	select {
	case s.flight <- struct{}{}:
		defer func() { <-s.flight }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the renewal of session %s: %w", s.name, ctx.Err())
	}
	if now := s.current.Load(); now != old {
		return now, nil
	}
	fresh, err := s.fetch(ctx, s.name)
	if err != nil {
		why := err.Error()
		s.trouble.Store(&why)
		return nil, err
	}
	s.current.Store(fresh)
	return fresh, nil
}

// keepFresh renews the token ahead of its expiry, as real clients do, until ctx
// ends. A renewal that fails is tried again, less and less often.
func (s *session) keepFresh(ctx context.Context, log *slog.Logger) {
	backoff := firstBackoff
	for {
		tok := s.current.Load()
		if wait := time.Duration(tok.renewAt-s.clock.now()) * time.Microsecond; wait > 0 {
			if (world.WallClock{}).Sleep(ctx, wait) != nil {
				return
			}
			continue // a request may have renewed it meanwhile
		}
		if _, err := s.renew(ctx, tok); err != nil {
			if ctx.Err() != nil {
				return
			}
			log.Warn("renewal failed", "detail", err.Error())
			if (world.WallClock{}).Sleep(ctx, backoff) != nil {
				return
			}
			backoff = min(2*backoff, lastBackoff)
			continue
		}
		backoff = firstBackoff
	}
}

// stagger makes the sessions look as if they had begun at different times:
// their first renewals are spread evenly at random over one renewal period,
// the same way for the same seed and client, whichever of them are here.
func stagger(sessions []*session, part share, seed int64, client string, period time.Duration) {
	name := fnv.New64a()
	_, _ = name.Write([]byte(client)) // a hash's Write never fails
	random := rand.New(rand.NewPCG(uint64(seed), name.Sum64()))
	drawn := int64(0) // ages, of this service's and of others'
	for i, s := range sessions {
		age := int64(0)
		for ; drawn <= part.number(int64(i)); drawn++ {
			age = random.Int64N(max(period.Microseconds(), 1))
		}
		aged := *s.current.Load()
		aged.renewAt = min(aged.renewAt, aged.issuedAt+age)
		s.current.Store(&aged)
	}
}

// heldBack counts requests that were not sent, by session.
type heldBack struct {
	client string
	clock  clock

	mu        sync.Mutex
	bySession map[string]*held
}

type held struct {
	pending Session // not yet told
	told    int64   // when it was last told, microseconds since the Unix epoch
}

func newHeldBack(client string, c clock) *heldBack {
	return &heldBack{client: client, clock: c, bySession: map[string]*held{}}
}

// add counts one request of s that was not sent.
func (h *heldBack) add(s *session) {
	detail := "its token ran out and was not renewed in time"
	if why := s.trouble.Load(); why != nil {
		detail = *why
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	entry := h.bySession[s.name]
	if entry == nil {
		entry = &held{}
		h.bySession[s.name] = entry
	}
	if entry.pending.Count == 0 {
		entry.pending = Session{Client: h.client, Session: s.name, At: h.clock.now()}
	}
	entry.pending.Count++
	entry.pending.Detail = detail
}

// take hands over what is to be told now: the first of a session at once,
// those after it once in heldBackEvery; with all, everything.
func (h *heldBack) take(all bool) []Session {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.clock.now()
	var taken []Session
	for name, entry := range h.bySession {
		quiet := now-entry.told >= heldBackEvery.Microseconds()
		switch {
		case entry.pending.Count > 0 && (quiet || all):
			taken = append(taken, entry.pending)
			entry.pending, entry.told = Session{}, now
		case entry.pending.Count == 0 && quiet:
			delete(h.bySession, name)
		}
	}
	return taken
}
