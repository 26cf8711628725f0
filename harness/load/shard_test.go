package load

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// sharedBy is a client as each of some shards has it.
func sharedBy(c ClientConfig, of int) (parts []ClientConfig) {
	for i := range of {
		one := c
		one.fill()
		one.part = one.share(Shard{Index: i, Of: of})
		parts = append(parts, one)
	}
	return parts
}

// withTokens is a client whose sessions have tokens of their own, or present the same.
func withTokens(sessions int, own bool) ClientConfig {
	c := ClientConfig{Name: "web", To: "shop", URL: "http://shop.test", Rate: 10, Sessions: sessions}
	if own {
		c.Token = &TokenConfig{URL: "http://auth.test", Life: Duration(time.Minute)}
	}
	return c
}

// TestSharesAddUp: of any number of shards, each request is exactly one's, by the session
// that has its turn, and no session that has a token of its own is at two.
func TestSharesAddUp(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		sessions, of, own := 1+random.IntN(40), 1+random.IntN(12), random.IntN(2) == 0
		const requests = 2000
		parts := sharedBy(withTokens(sessions, own), of)
		sentBy := make([]int, requests)
		holders, sum := map[string]int{}, 0.0
		for i, c := range parts {
			sum += c.part.fraction()
			if c.part.fraction() == 0 {
				continue
			}
			held := newSessions(&c, newClock(), nil)
			for nth := int64(0); ; nth++ {
				n := c.part.number(nth)
				if n >= requests {
					break
				}
				sentBy[n]++
				if got := c.part.upTo(n); got != nth {
					t.Fatalf("shard %d of %d, %d sessions: %d of the first %d requests, want %d", i, of, sessions, got, n, nth)
				}
				if got, want := held[nth%int64(len(held))].name, fmt.Sprintf("web-%d", n%int64(sessions)+1); got != want {
					t.Fatalf("shard %d of %d, %d sessions: request %d is of %s, want %s", i, of, sessions, n, got, want)
				}
			}
			for _, s := range held {
				holders[s.name]++
			}
		}
		if i := slices.IndexFunc(sentBy, func(n int) bool { return n != 1 }); i >= 0 {
			t.Fatalf("%d sessions, %d shards: request %d is sent by %d", sessions, of, i, sentBy[i])
		}
		if sum < 1-1e-9 || sum > 1+1e-9 {
			t.Fatalf("%d sessions, %d shards: parts add up to %v", sessions, of, sum)
		}
		if own && (len(holders) != sessions || slices.ContainsFunc(holdings(holders), func(n int) bool { return n != 1 })) {
			t.Fatalf("%d sessions, %d shards: sessions are held by %v", sessions, of, holders)
		}
	}
}

func holdings(of map[string]int) (all []int) {
	for _, n := range of {
		all = append(all, n)
	}
	return all
}

// TestSchedulesOfShardsAddUp: at any moment, and whatever the rate was changed to, as many
// requests are due of all shards as are of one that sends all.
func TestSchedulesOfShardsAddUp(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		sessions, of := 1+random.IntN(30), 2+random.IntN(7)
		begun := time.Now()
		whole := &schedule{begun: begun, rate: 10}
		var parts []*schedule
		for _, c := range sharedBy(withTokens(sessions, random.IntN(2) == 0), of) {
			if c.part.fraction() > 0 {
				parts = append(parts, &schedule{part: c.part, begun: begun, rate: 10})
			}
		}
		elapsed := time.Duration(0)
		for range 20 {
			elapsed += time.Duration(1 + random.Int64N(int64(3*time.Second)))
			rate := float64(random.IntN(3)) * 100 * random.Float64()
			sum := int64(0)
			for _, s := range append(slices.Clone(parts), whole) {
				s.ended = elapsed
				n, _ := s.count()
				if s != whole {
					sum += n
				} else if sum != n {
					t.Fatalf("%d shards, %d sessions, after %v: %d are due in all, want %d", of, sessions, elapsed, sum, n)
				}
				s.due, s.since, s.rate = s.until(elapsed), elapsed, rate
			}
		}
	}
}

// TestShardsStaggerAlike: a session is as old at the start in whichever shard it is.
func TestShardsStaggerAlike(t *testing.T) {
	t.Parallel()
	ages := func(parts []ClientConfig) map[string]int64 {
		all := map[string]int64{}
		for _, c := range parts {
			held := newSessions(&c, newClock(), nil)
			for _, s := range held {
				s.current.Store(&token{renewAt: 1 << 60})
			}
			stagger(held, c.part, 7, c.Name, time.Minute)
			for _, s := range held {
				all[s.name] = s.current.Load().renewAt
			}
		}
		return all
	}
	want := ages(sharedBy(withTokens(23, true), 1))
	for _, of := range []int{2, 4, 5, 23} {
		if got := ages(sharedBy(withTokens(23, true), of)); !reflect.DeepEqual(got, want) {
			t.Errorf("%d shards: got ages %v, want %v", of, got, want)
		}
	}
}

func TestShardIsChecked(t *testing.T) {
	t.Parallel()
	for s, ok := range map[Shard]bool{{}: true, {Of: 1}: true, {Index: 3, Of: 4}: true, {Index: 4, Of: 4}: false, {Index: -1, Of: 2}: false, {Index: 1}: false} {
		if err := s.check(); (err == nil) != ok {
			t.Errorf("%v: got %v", s, err)
		}
	}
}
