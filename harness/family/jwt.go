package family

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/contract"
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
			// A second signer off the page signs in the name of the one on it: otherwise its tokens
			// would be refused for their iss.
			s.Config = &contract.Issuer{Name: s.Name, Issuer: contract.AddressOf(emitter), Published: readsOf(p, s)}
		case "cache", "relay":
			s.Config = &contract.Cache{Name: s.Name, Of: contract.AddressOf(s.Of), TTL: contract.Duration(p.Wall(s.TTL.Duration()))}
		case "verifier":
			s.Config = &contract.Verifier{
				Name: s.Name, Library: s.Library, JWKS: contract.AddressOf(s.Of) + p.Runbook.Storage.JWKS, Issuer: contract.AddressOf(emitter),
				Speed: p.Speed, Algorithms: s.Algorithms, Leeway: contract.Duration(s.Leeway.Duration()),
			}
		}
	}
	return nil
}

// readsOf is how often a consumer reads what is published; from where is added at its start.
func readsOf(p *plan.Plan, s *plan.Service) contract.Published {
	return contract.Published{Refresh: contract.Duration(p.Wall(s.Refresh.Duration())), Pinned: s.Pinned}
}

// pageEmitter is the first consumer on the page that emits.
func pageEmitter(p *plan.Plan) (string, error) {
	for _, c := range p.Runbook.Consumers {
		if c.Has(runbook.Emits) {
			return c.Name, nil
		}
	}
	return "", errors.New("configure services: no consumer on the page has the role emit")
}

// Bind makes the family's steps on the store, and probes that sign tokens of
// their own.
func (jwtSigningKey) Bind(b Backend) Binding {
	return bindTokens(b, jwtKind{b.Plan.Runbook.Format.Type, b.Type})
}

// bindTokens is a family whose credentials sign tokens.
func bindTokens(b Backend, k kind) Binding {
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
	s := newSteps(k, b, nil)
	return &jwtBound{
		steps: s,
		tokenProbes: &tokenProbes{
			lookup: s.lookup, issuer: issuer, algorithm: b.Plan.Runbook.Format.Type, held: map[heldKey]heldToken{}, asks: askings(b.Plan), ofClient: b.Token, through: gateways(b.Plan),
			url: func(validator string) string { return b.URL(validator, false) }, see: b.See,
		},
	}
}

// gateways are the gateways from which validators have their key sets, by validator.
func gateways(p *plan.Plan) map[string]string {
	through := map[string]string{}
	for _, v := range p.Limits.Validators {
		if v.Through != "" {
			through[v.Name] = v.Through
		}
	}
	return through
}

// jwtBound is the family with a world behind it.
type jwtBound struct {
	*steps
	*tokenProbes
}
