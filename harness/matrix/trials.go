package matrix

import (
	"context"
	"time"
)

// Trial is one question that every library is asked, by an instance of its own.
type Trial struct {
	Name string
	Asks string // as the head of a column
	run  func(ctx context.Context, s *subject) Cell
}

// aged is older than the cooldown of any library that has a short one.
const aged = 40 * time.Second

// Trials are in the order of the table's columns.
var Trials = []Trial{
	{"new-fresh", "new kid, cache just filled: learned after", func(ctx context.Context, s *subject) Cell {
		s.publish(ctx, "k1", "k2")
		return s.until(ctx, "k2", taken)
	}},
	{"new-aged", "new kid, cache 40 s old: learned after", func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.publish(ctx, "k1", "k2")
		return s.until(ctx, "k2", taken)
	}},
	{"garbage-new", "garbage kid, then a new one, cache 40 s old: learned after", func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.present(ctx, "garbage")
		s.publish(ctx, "k1", "k2")
		return s.until(ctx, "k2", taken)
	}},
	{"garbage-many", "fetches caused by 30 garbage kids in 15 s", func(ctx context.Context, s *subject) Cell {
		before := s.fetches(ctx)
		for range 30 {
			s.present(ctx, "garbage")
			s.rest(ctx, 500*time.Millisecond)
		}
		return Cell{Ended: true, Fetches: s.fetches(ctx) - before}
	}},
	{"down", "JWKS answers 503: known key refused after", func(ctx context.Context, s *subject) Cell {
		s.breakDown(ctx)
		return s.until(ctx, "k1", refused)
	}},
	{"down-garbage", "JWKS answers 503 and a garbage kid comes, cache 40 s old: known key refused after", func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.breakDown(ctx)
		s.present(ctx, "garbage")
		return s.until(ctx, "k1", refused)
	}},
	{"removed", "removed key, nothing else presented: forgotten after", func(ctx context.Context, s *subject) Cell {
		s.publish(ctx, "k2")
		return s.until(ctx, "k1", refused)
	}},
	{"removed-met", "removed key, the new one presented too, cache 40 s old: forgotten after", func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.publish(ctx, "k2")
		s.present(ctx, "k2")
		return s.until(ctx, "k1", refused)
	}},
	{"reuse", "kid reused for another key: learned after", func(ctx context.Context, s *subject) Cell {
		s.publish(ctx, "k1-again")
		return s.until(ctx, "k1-again", taken)
	}},
	{"no-kid", "token without kid, one key in the set", func(ctx context.Context, s *subject) Cell {
		return Cell{Ended: true, Accepted: s.present(ctx, "no-kid") == taken, Decides: true}
	}},
	{"algorithm", "ES256 → RS256, cache 40 s old: learned after", func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.publish(ctx, "k1", "rsa")
		return s.until(ctx, "rsa", taken)
	}},
	{"max-age", "removed key under max-age=5: forgotten after", func(ctx context.Context, s *subject) Cell {
		s.maxAge = true
		s.publish(ctx, "k2")
		return s.until(ctx, "k1", refused)
	}},
}
