package matrix

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Question is what every row of a table is asked.
type Question struct {
	Name string
	Asks string // as the head of a line
	// Of is what all cells of a row come to, where nothing is asked besides.
	Of func(r Row, bound float64) string
}

// Trial is one question that every library is asked, by an instance of its own.
type Trial struct {
	Question
	run func(ctx context.Context, s *subject) Cell
}

// aged is older than the cooldown of any library that has a short one.
const aged = 40 * time.Second

// madeUp is how many kids that nobody has made are shown to a library to count what it fetches for them.
const madeUp = 30

// Trials are in the order of the table's lines.
var Trials = []Trial{
	{Question{Name: "new-fresh", Asks: "new kid, cache just filled: learned after"}, func(ctx context.Context, s *subject) Cell {
		s.publish(ctx, "k1", "k2")
		return s.until(ctx, "k2", taken)
	}},
	{Question{Name: "new-aged", Asks: "new kid, cache 40 s old: learned after"}, func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.publish(ctx, "k1", "k2")
		return s.until(ctx, "k2", taken)
	}},
	{Question{Name: "garbage-new", Asks: "garbage kid, then a new one, cache 40 s old: learned after"}, func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.present(ctx, "garbage")
		s.publish(ctx, "k1", "k2")
		return s.until(ctx, "k2", taken)
	}},
	{Question{Name: "garbage-many", Asks: "fetches per made-up kid, of 30 in 15 s"}, func(ctx context.Context, s *subject) Cell {
		before := s.fetches(ctx)
		for range madeUp {
			s.present(ctx, "garbage")
			s.rest(ctx, 500*time.Millisecond)
		}
		return Cell{Ended: true, Fetches: s.fetches(ctx) - before, Counts: true}
	}},
	{Question{Name: "down", Asks: "JWKS answers 503: known key refused after"}, func(ctx context.Context, s *subject) Cell {
		s.breakDown(ctx)
		return s.until(ctx, "k1", refused)
	}},
	{Question{Name: "down-garbage", Asks: "JWKS answers 503 and a garbage kid comes, cache 40 s old: known key refused after"}, func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.breakDown(ctx)
		s.present(ctx, "garbage")
		return s.until(ctx, "k1", refused)
	}},
	{Question{Name: "removed", Asks: "removed key, nothing else presented: forgotten after"}, func(ctx context.Context, s *subject) Cell {
		s.publish(ctx, "k2")
		return s.until(ctx, "k1", refused)
	}},
	{Question{Name: "removed-met", Asks: "removed key, the new one presented too, cache 40 s old: forgotten after"}, func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.publish(ctx, "k2")
		s.present(ctx, "k2")
		return s.until(ctx, "k1", refused)
	}},
	{Question{Name: "reuse", Asks: "kid reused for another key: learned after"}, func(ctx context.Context, s *subject) Cell {
		s.publish(ctx, "k1-again")
		return s.until(ctx, "k1-again", taken)
	}},
	{Question{Name: "no-kid", Asks: "token without kid, one key in the set"}, func(ctx context.Context, s *subject) Cell {
		return Cell{Ended: true, Accepted: s.present(ctx, "no-kid") == taken, Decides: true}
	}},
	{Question{Name: "algorithm", Asks: "ES256 → RS256, cache 40 s old: learned after"}, func(ctx context.Context, s *subject) Cell {
		s.rest(ctx, aged)
		s.publish(ctx, "k1", "rsa")
		return s.until(ctx, "rsa", taken)
	}},
	{Question{Name: "max-age", Asks: "removed key under max-age=5: forgotten after"}, func(ctx context.Context, s *subject) Cell {
		s.maxAge = true
		s.publish(ctx, "k2")
		return s.until(ctx, "k1", refused)
	}},
}

// forgets says what makes a library forget a key that was removed.
func forgets(r Row, bound float64) string {
	alone, asked := r.Cell("removed")
	if !asked {
		return "–"
	}
	var by []string
	if c, ok := r.Cell("removed-met"); ok && c.Ended && c.Seconds < atOnce {
		by = append(by, "a kid that it does not have")
	}
	if alone.Ended {
		by = append(by, "its own time, "+seconds(alone.Seconds))
	} else {
		by = append(by, "by itself not within "+seconds(bound))
	}
	return strings.Join(by, "; ")
}

// refusals are the statuses with which a library, or the service that it is in, refused.
func refusals(r Row, _ float64) string {
	var all []string
	for _, c := range r.Cells {
		if text := strconv.Itoa(c.Status); c.Status != 0 && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return cmp.Or(strings.Join(all, ", "), "–")
}
