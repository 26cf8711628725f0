package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// defaultTTL is longer than any lead that was measured without the cache.
const defaultTTL = 40 * time.Minute

// leastTTL is the least wall time of a cache: a shorter one is over before the harness has asked twice.
const leastTTL = askWithin

// cache puts a shared cache in front of a key set, like a CDN left at its defaults: it keeps an answer
// for a fixed time, whatever the issuer says. Any reader's first request fills it, the harness's too.
var cache = Kind{
	Name:     "cache",
	Does:     "puts a shared cache in front of a key set, which keeps every answer for `ttl` (page time, default 40m); until `for` is over, or the end",
	Where:    "from: a verifier, or a cache, to: an issuer; both served by rehearse",
	Evidence: "the harness, asking for the set over the same edge, is answered with an Age by a cache, and the issuer counts fewer questions than that",
	Edge:     true,
	prepare: func(f scenario.Fault, g *Graph) error {
		if s, there := g.service(f.To); !there || s.Serve != "issuer" {
			return fmt.Errorf("%s is no issuer that rehearse serves, and a cache is in front of a key set: %w", f.To, ErrCannot)
		}
		// The issuer's log shows the answers to an external reader; with a cache between them nobody's
		// does.
		if s, there := g.service(f.From); !there || s.Serve != "verifier" && s.Serve != byCache {
			return fmt.Errorf("%s is no reader of a key set that rehearse serves: %w", f.From, ErrCannot)
		}
		if wall := g.wallTTL(f); wall < leastTTL {
			return fmt.Errorf("ttl: %s is %s of wall time, in which the harness cannot see it: at least %s", f.TTL, wall, g.plan.Limits.Page(leastTTL))
		}
		return g.between(f, byCache)
	},
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		via, err := s.Graph.via(f, byCache)
		return orderedFault{
			ordered{site: s, service: via, kind: contract.OrderKeep, setting: s.wallTTL(f).String()},
			cacheGauge{site: s, via: via, issuer: f.To},
		}, err
	},
}

// wallTTL is how long a cache keeps an answer, in wall time.
func (g *Graph) wallTTL(f scenario.Fault) time.Duration {
	if f.TTL == 0 {
		return g.plan.Wall(defaultTTL)
	}
	return g.plan.Wall(f.TTL.Duration())
}

// Names of the figures of a cache.
const (
	cached = "cached" // 1 where every answer had an Age (RFC 9111 §5.1), 0 where none had
	served = "served" // by the issuer in the meantime, to everybody
)

// cacheGauge asks for the key set over an edge, and the issuer how many it has served: neither is the
// cache or its injector.
type cacheGauge struct {
	site        *site
	via, issuer string
}

var _ Gauge = cacheGauge{}

// Measure asks several times until a cache answers. The first request may fill it, and others may ask
// the issuer meanwhile.
func (g cacheGauge) Measure(ctx context.Context, span time.Duration) Reading {
	return watch(ctx, span, g.once, keeps)
}

// keeps reports whether a cache answers in the issuer's place.
func keeps(r Reading) bool { return r[cached] == 1 && r[served] < r[asked] }

// Took reports whether a cache appeared.
func (cacheGauge) Took(before, during Reading) bool {
	return len(before) > 0 && before[cached] == 0 && before[served] >= before[asked] && keeps(during)
}

// Back reports whether the issuer answers itself again.
func (cacheGauge) Back(_, after Reading) bool {
	return len(after) > 0 && after[cached] == 0 && after[served] >= after[asked]
}

// once is empty where an answer is missing, or only some came from a cache: it was being switched.
func (g cacheGauge) once(ctx context.Context) Reading {
	before, err := g.count(ctx)
	if err != nil {
		return Reading{}
	}
	var aged float64
	for range asks {
		header, err := g.look(ctx)
		if err != nil {
			return Reading{}
		}
		if header.Get("Age") != "" {
			aged++
		}
	}
	after, err := g.count(ctx)
	if err != nil || aged != 0 && aged != asks {
		return Reading{}
	}
	return Reading{asked: asks, cached: aged / asks, served: after - before}
}

// look asks for the key set over the edge, without credentials, which would make a cache pass the
// request on.
func (g cacheGauge) look(ctx context.Context) (http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.site.Runtime.URL(g.via, false)+g.site.plan.Runbook.Storage.JWKS, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", probeAgent)
	resp, err := orders.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", g.via, err)
	}
	return resp.Header, resp.Body.Close()
}

// count is how many key sets the issuer says it has served.
func (g cacheGauge) count(ctx context.Context) (float64, error) {
	_, _, body, err := g.site.fetch(ctx, g.issuer, contract.StatusPath)
	if err != nil {
		return 0, err
	}
	var counters struct {
		Reads *float64 `json:"jwks_reads"`
	}
	if err := json.Unmarshal(body, &counters); err != nil || counters.Reads == nil {
		return 0, fmt.Errorf("ask %s: it does not say how many key sets it has served", g.issuer)
	}
	return *counters.Reads, nil
}
