package family

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// jwtSigningKey is the family of the keys that sign JSON Web Tokens. It has no
// authority: a validator takes what the key set at the page's JWKS path holds,
// and the issuer serves what is published for it.
type jwtSigningKey struct{}

var _ Family = jwtSigningKey{}

// Configure tells issuers, caches and verifiers who they are, whom they ask and
// how fast time runs.
func (jwtSigningKey) Configure(p *plan.Plan) error {
	emitter, err := pageEmitter(p)
	if err != nil {
		return err
	}
	for i := range p.Services {
		s := &p.Services[i]
		switch s.Serve {
		case "issuer":
			s.Config = map[string]any{
				"name": s.Name,
				// A second signer off the page signs in the name of the one on it:
				// tokens with another iss would be refused for that, not for their key.
				"issuer":  urlOf(emitter),
				"refresh": p.Wall(s.Refresh.Duration()).String(),
				"pinned":  s.Pinned,
			}
		case "cache":
			s.Config = map[string]any{"name": s.Name, "of": urlOf(s.Of), "ttl": p.Wall(s.TTL.Duration()).String()}
		case "verifier":
			s.Config = map[string]any{
				"name":    s.Name,
				"library": s.Library,
				"jwks":    urlOf(s.Of) + p.Page.Storage.JWKS,
				"issuer":  urlOf(emitter),
				"speed":   p.Speed,
			}
			if len(s.Algorithms) > 0 {
				s.Config["algorithms"] = s.Algorithms
			}
			if s.Leeway > 0 {
				s.Config["leeway"] = s.Leeway.Duration().String()
			}
		}
	}
	return nil
}

// pageEmitter is the first consumer on the page that emits.
func pageEmitter(p *plan.Plan) (string, error) {
	for _, c := range p.Page.Consumers {
		if c.Has(runbook.Emits) {
			return c.Name, nil
		}
	}
	return "", errors.New("configure services: no consumer on the page has the role emit")
}

// Bind makes the family's steps on the store, and probes that sign tokens of
// their own.
func (jwtSigningKey) Bind(b Backend) Bound {
	emitter, err := pageEmitter(b.Plan)
	issuer := func() (string, error) {
		if err != nil {
			return "", err
		}
		if url := b.URL(emitter, true); url != "" {
			return strings.TrimSuffix(url, "/"), nil
		}
		return "", fmt.Errorf("sign a token as %s: it was not started", emitter)
	}
	s := newSteps(jwtKind{b.Plan.Page.Format.Type, b.Type}, b, nil)
	return &jwtBound{
		steps: s,
		tokenProbes: &tokenProbes{
			lookup: s.lookup, issuer: issuer, algorithm: b.Plan.Page.Format.Type, held: map[heldKey]heldToken{}, asks: askings(b.Plan),
			url: func(validator string) string { return b.URL(validator, false) }, see: b.See,
		},
	}
}

// jwtBound is the family with a world behind it.
type jwtBound struct {
	*steps
	*tokenProbes
}
