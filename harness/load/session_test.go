package load

import (
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// mint makes tokens without a network: of a life, renewed at 0.8 of it.
type mint struct {
	clock   clock
	life    time.Duration
	takes   time.Duration
	failing atomic.Bool
	minted  atomic.Int64
}

func (m *mint) fetch(_ context.Context, _ string) (*token, error) {
	asked := m.clock.now()
	time.Sleep(m.takes) // of the bubble's time
	if m.failing.Load() {
		return nil, errors.New("issuer is down")
	}
	m.minted.Add(1)
	return &token{
		issuedAt: asked,
		renewAt:  asked + (m.life * 8 / 10).Microseconds(),
		unusable: asked + (m.life * 9 / 10).Microseconds(),
	}, nil
}

func (m *mint) sessions(t *testing.T, n int) []*session {
	t.Helper()
	sessions := newSessions(&ClientConfig{Name: "web", Sessions: n}, m.clock, m.fetch)
	for _, s := range sessions {
		if _, err := s.renew(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	return sessions
}

func TestStaggerSpreadsRenewals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const period = 8 * time.Second
		renewals := func(seed int64, client string) []time.Duration {
			m := &mint{clock: newClock(), life: 10 * time.Second}
			sessions := m.sessions(t, 400)
			stagger(sessions, share{}, seed, client, period)
			var ages []time.Duration
			for _, s := range sessions {
				tok := s.current.Load()
				ages = append(ages, time.Duration(tok.renewAt-tok.issuedAt)*time.Microsecond)
			}
			return ages
		}
		first := renewals(1, "web")
		if again := renewals(1, "web"); !reflect.DeepEqual(first, again) {
			t.Error("the same seed and client gave other ages; want the same")
		}
		if other := renewals(2, "web"); reflect.DeepEqual(first, other) {
			t.Error("another seed gave the same ages; want others")
		}
		if other := renewals(1, "app"); reflect.DeepEqual(first, other) {
			t.Error("another client got the same ages; want others")
		}
		var quarters [4]int
		for _, age := range first {
			if age < 0 || age >= period {
				t.Fatalf("first renewal after %v; want it within %v", age, period)
			}
			quarters[age*4/period]++
		}
		for i, n := range quarters {
			if n < 60 || n > 140 {
				t.Errorf("quarter %d of the period has %d of 400 renewals; want about 100", i+1, n)
			}
		}
	})
}

func TestSessionRenewsBeforeExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mint{clock: newClock(), life: 10 * time.Second, takes: 50 * time.Millisecond}
		s := m.sessions(t, 1)[0]
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.keepFresh(ctx, history.NewLogger(io.Discard, "load")) })
		for range 1000 { // 100 s: an expiry every 10 s if nothing renewed
			time.Sleep(100 * time.Millisecond)
			if tok := s.current.Load(); tok.unusable <= s.clock.now() {
				t.Fatalf("token ran out %v ago; want it renewed before", time.Duration(s.clock.now()-tok.unusable)*time.Microsecond)
			}
		}
		cancel()
		running.Wait()
		if n := m.minted.Load(); n < 12 || n > 14 { // the first, then one every 8 s
			t.Errorf("minted %d tokens in 100 s; want about 13", n)
		}
	})
}

func TestSessionRecoversAfterFailedRenewals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mint{clock: newClock(), life: 10 * time.Second}
		s := m.sessions(t, 1)[0]
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.keepFresh(ctx, history.NewLogger(io.Discard, "load")) })
		m.failing.Store(true)
		time.Sleep(60 * time.Second)
		if s.current.Load().unusable > s.clock.now() {
			t.Error("token is usable though no renewal succeeded; want it to have run out")
		}
		if why := s.trouble.Load(); why == nil || *why != "issuer is down" {
			t.Errorf("trouble is %v; want the last error", why)
		}
		m.failing.Store(false)
		time.Sleep(lastBackoff + time.Millisecond)
		if s.current.Load().unusable <= s.clock.now() {
			t.Errorf("token still out %v after the issuer came back; want it renewed", lastBackoff)
		}
		cancel()
		running.Wait()
	})
}

func TestRenewIsSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &mint{clock: newClock(), life: 10 * time.Second, takes: time.Second}
		s := m.sessions(t, 1)[0]
		old := s.current.Load()
		tokens := make([]*token, 20)
		var running sync.WaitGroup
		for i := range tokens {
			running.Go(func() {
				tok, err := s.renew(t.Context(), old)
				if err != nil {
					t.Error(err)
				}
				tokens[i] = tok
			})
		}
		short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		synctest.Wait()
		if _, err := s.renew(short, old); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting longer than its context: got %v; want %v", err, context.DeadlineExceeded)
		}
		running.Wait()
		if n := m.minted.Load(); n != 2 {
			t.Errorf("minted %d tokens; want 2: the first and one for all who asked at once", n)
		}
		if slices.Contains(tokens, old) || len(slices.Compact(tokens)) != 1 {
			t.Error("callers got different or old tokens; want all the fresh one")
		}
	})
}

func TestHeldBackTellsFirstAndCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeldBack("web", newClock())
		s := newSession("web-1", newClock(), nil)
		start := time.Now().UnixMicro()
		var told []Session
		for range 25 { // one every 100 ms
			h.add(s)
			told = append(told, h.take(false)...)
			time.Sleep(100 * time.Millisecond)
		}
		told = append(told, h.take(true)...)
		const why = "its token ran out and was not renewed in time"
		want := []Session{
			{Client: "web", Session: "web-1", At: start, Count: 1, Detail: why},
			{Client: "web", Session: "web-1", At: start + 100_000, Count: 10, Detail: why},
			{Client: "web", Session: "web-1", At: start + 1_100_000, Count: 10, Detail: why},
			{Client: "web", Session: "web-1", At: start + 2_100_000, Count: 4, Detail: why},
		}
		if !reflect.DeepEqual(told, want) {
			t.Errorf("got  %+v\nwant %+v", told, want)
		}
		time.Sleep(heldBackEvery)
		h.take(false)
		if len(h.bySession) != 0 {
			t.Errorf("%d sessions are remembered when all is told; want none", len(h.bySession))
		}
	})
}
