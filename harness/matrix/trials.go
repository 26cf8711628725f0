package matrix

import (
	"context"
	"time"
)

// Question is what every row of a table is asked.
type Question struct {
	Name string
	Asks string // as the head of a line
}

// Trial is one question that every library is asked, by an instance of its own.
type Trial struct {
	Question
	run func(ctx context.Context, s *subject) Cell
}

// aged is older than the cooldown of any library that has a short one.
const aged = 40 * time.Second

// Trials are in the order of the table's lines.
var Trials = []Trial{
	{Question{"new-fresh", "new kid, cache just filled: learned after"}, func(ctx context.Context, s *subject) Cell {
		s.publish(ctx, "k1", "k2")
		return s.until(ctx, "k2", taken)
	}},
	{Question{"new-aged", "new kid, cache 40 s old: learned after"}, func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.publish(ctx, "k1", "k2")
		return s.until(ctx, "k2", taken)
	}},
	{Question{"garbage-new", "garbage kid, then a new one, cache 40 s old: learned after"}, func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.present(ctx, "garbage")
		s.publish(ctx, "k1", "k2")
		return s.until(ctx, "k2", taken)
	}},
	{Question{"garbage-many", "fetches caused by 30 garbage kids in 15 s"}, func(ctx context.Context, s *subject) Cell {
		before := s.fetches(ctx)
		for range 30 {
			s.present(ctx, "garbage")
			s.rest(ctx, 500*time.Millisecond)
		}
		return Cell{Ended: true, Fetches: s.fetches(ctx) - before, Counts: true}
	}},
	{Question{"down", "JWKS answers 503: known key refused after"}, func(ctx context.Context, s *subject) Cell {
		s.breakDown(ctx)
		return s.until(ctx, "k1", refused)
	}},
	{Question{"down-garbage", "JWKS answers 503 and a garbage kid comes, cache 40 s old: known key refused after"}, func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.breakDown(ctx)
		s.present(ctx, "garbage")
		return s.until(ctx, "k1", refused)
	}},
	{Question{"removed", "removed key, nothing else presented: forgotten after"}, func(ctx context.Context, s *subject) Cell {
		s.publish(ctx, "k2")
		return s.until(ctx, "k1", refused)
	}},
	{Question{"removed-met", "removed key, the new one presented too, cache 40 s old: forgotten after"}, func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.publish(ctx, "k2")
		s.present(ctx, "k2")
		return s.until(ctx, "k1", refused)
	}},
	{Question{"reuse", "kid reused for another key: learned after"}, func(ctx context.Context, s *subject) Cell {
		s.publish(ctx, "k1-again")
		return s.until(ctx, "k1-again", taken)
	}},
	{Question{"no-kid", "token without kid, one key in the set"}, func(ctx context.Context, s *subject) Cell {
		return Cell{Ended: true, Accepted: s.present(ctx, "no-kid") == taken, Decides: true}
	}},
	{Question{"algorithm", "ES256 → RS256, cache 40 s old: learned after"}, func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.publish(ctx, "k1", "rsa")
		return s.until(ctx, "rsa", taken)
	}},
	{Question{"max-age", "removed key under max-age=5: forgotten after"}, func(ctx context.Context, s *subject) Cell {
		s.maxAge = true
		s.publish(ctx, "k2")
		return s.until(ctx, "k1", refused)
	}},
}
