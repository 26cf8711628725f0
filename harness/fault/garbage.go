package fault

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// defaultEvery is how often a made-up kid is shown: often enough to take every
// slot of a verifier that refetches once in five minutes and lets wait a minute.
const defaultEvery = time.Minute

// refused is how many of the made-up tokens were refused.
const refused = "refused"

// garbageKids shows a verifier tokens with kids that nobody has, as a scanner
// or a client of another environment does. Each is a miss, and a library that
// refetches at a miss may not do so again for the next kid, which is real.
var garbageKids = Kind{
	Name:       "garbage-kids",
	Does:       "shows a verifier a token with a made-up kid at once and then `every` so often (page time, default 1m)",
	Where:      "on: a verifier",
	Evidence:   "the verifier refuses them",
	Unprepared: true,
	prepare: func(f scenario.Fault, g *Graph) error {
		if s, there := g.service(f.On); !there || s.Serve != "" && s.Serve != "verifier" {
			return fmt.Errorf("%s is no verifier: %w", f.On, ErrCannot)
		}
		return nil
	},
	bind: func(f scenario.Fault, s *site) (Fault, error) {
		if service, there := s.service(f.On); !there || service.Serve != "verifier" {
			return nil, fmt.Errorf("%s is no verifier: %w", f.On, ErrCannot)
		}
		every := s.plan.Wall(f.Every.Duration())
		if every == 0 {
			every = s.plan.Wall(defaultEvery)
		}
		return &garbage{site: s, service: f.On, every: every}, nil
	},
}

// garbage is a stream of made-up tokens.
type garbage struct {
	lasting
	site    *site
	service string
	every   time.Duration // wall

	stream sync.WaitGroup
	stop   context.CancelFunc
	mu     sync.Mutex
	shown  Reading
}

// Inject shows the first, and goes on showing until Undo.
func (g *garbage) Inject(ctx context.Context) error {
	ctx, g.stop = context.WithCancel(context.WithoutCancel(ctx))
	err := g.show(ctx)
	g.stream.Go(func() {
		for (world.WallClock{}).Sleep(ctx, g.every) == nil {
			if err := g.show(ctx); err != nil && ctx.Err() == nil {
				g.site.Evidence.Record(history.Event{At: g.site.Evidence.Offset(), Kind: history.KindTrouble, Detail: err.Error()})
			}
		}
	})
	return err
}

// Undo ends it.
func (g *garbage) Undo(context.Context) error {
	if g.stop != nil {
		g.stop()
	}
	g.stream.Wait()
	return nil
}

// Measure is what became of those that were shown.
func (g *garbage) Measure(ctx context.Context, span time.Duration) Reading {
	look := func(context.Context) Reading {
		g.mu.Lock()
		defer g.mu.Unlock()
		return Reading{asked: g.shown[asked], refused: g.shown[refused]}
	}
	return watch(ctx, span, look, func(r Reading) bool { return r[refused] > 0 })
}

// Took says that some were refused, by the verifier.
func (g *garbage) Took(before, during Reading) bool { return during[refused] > before[refused] }

// Back says that no more are shown.
func (g *garbage) Back(_, _ Reading) bool { return true }

// show presents one token, which is counted as the harness's own.
func (g *garbage) show(ctx context.Context) error {
	raw, err := madeUp(g.site)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.site.Runtime.URL(g.service, false)+"/", http.NoBody)
	if err != nil {
		return fmt.Errorf("show a made-up kid to %s: %w", g.service, err)
	}
	req.Header.Set("Authorization", "Bearer "+raw)
	req.Header.Set("User-Agent", probeAgent)
	begin := time.Now()
	resp, err := orders.Do(req)
	probe := history.Probe{Purpose: history.Garbage, Outcome: history.Unavailable, Status: "error", Latency: history.Offset(time.Since(begin))}
	if err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // the status says all
		resp.Body.Close()
		probe.Status = strconv.Itoa(resp.StatusCode)
		switch {
		case resp.StatusCode == http.StatusUnauthorized:
			probe.Outcome = history.AuthFailure
		case resp.StatusCode < http.StatusMultipleChoices:
			probe.Outcome = history.OK
		}
	}
	g.mu.Lock()
	if g.shown == nil {
		g.shown = Reading{}
	}
	g.shown[asked]++
	if probe.Outcome == history.AuthFailure {
		g.shown[refused]++
	}
	g.mu.Unlock()
	g.site.Evidence.Record(history.Event{At: g.site.Evidence.Offset(), Kind: history.KindProbe, Service: g.service, Probe: &probe})
	return nil
}

// madeUp is a token in the name of the page's issuer, signed with a key that
// nobody has published, under a kid of its own.
func madeUp(s *site) (string, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make up a token: %w", err)
	}
	key := jose.JSONWebKey{Key: private, KeyID: "made-up-" + rand.Text()}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("make up a token: %w", err)
	}
	issuer := ""
	for _, e := range s.plan.Limits.Emitters {
		if e.OnPage && issuer == "" {
			issuer = s.Runtime.URL(e.Name, true)
		}
	}
	now := time.Now()
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: issuer, Subject: probeAgent, Audience: jwt.Audience{"rehearse"},
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(probeLife)),
	}).Serialize()
}
