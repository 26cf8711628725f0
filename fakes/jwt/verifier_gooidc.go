package jwt

import (
	"context"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/rehearse-dev/rehearse/fakes/standin"
)

// goOIDC is coreos/go-oidc's RemoteKeySet: no expiry, and a fetch at every kid
// that it does not know. It has no times that could be scaled, and fetches for
// the first time when the first token comes.
type goOIDC struct{ verifier *oidc.IDTokenVerifier }

var _ library = goOIDC{}

func newGoOIDC(ctx context.Context, c settings) (library, string, error) {
	keys := oidc.NewRemoteKeySet(ctx, c.JWKS)
	verifier := oidc.NewVerifier(c.Issuer, keys, &oidc.Config{
		SkipClientIDCheck:    true,
		SupportedSigningAlgs: c.Algorithms,
		Now:                  c.now,
	})
	return goOIDC{verifier}, "go-oidc " + standin.ModuleVersion("github.com/coreos/go-oidc/v3") + ": no expiry, fetches at every unknown kid", nil
}

// Verify does as go-oidc does: it fetches for a kid that it does not have.
func (g goOIDC) Verify(ctx context.Context, raw string) (string, error) {
	token, err := g.verifier.Verify(ctx, raw)
	if err != nil {
		return "", err
	}
	return token.Subject, nil
}

// Keeps takes its word for what was fetched, as go-oidc does not tell. It would
// be wrong about a set with a malformed key, which go-oidc refuses as a whole.
func (goOIDC) Keeps(fetched []string) []string { return fetched }

// Close has nothing to wait for: go-oidc runs nothing by itself.
func (goOIDC) Close() error { return nil }
