package jwt

import (
	"context"
	"fmt"
	"time"

	"github.com/lestrrat-go/httprc/v3"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/rehearse-dev/rehearse/fakes/standin"
)

// Defaults of httprc v3.0.6, on which jwx v3.4.0's jwk.Cache is built.
const (
	jwxMinInterval = 15 * time.Minute
	jwxMaxInterval = 30 * 24 * time.Hour
)

// closeWithin bounds the wait for the end of the cache's workers.
const closeWithin = 2 * time.Second

// jwxLibrary is lestrrat-go/jwx with its jwk.Cache: a refresh every 15 minutes
// unless the issuer's headers ask for less often, and no fetch for a kid that
// it does not know.
type jwxLibrary struct {
	cache  *jwk.Cache
	set    jwk.Set
	issuer string
	leeway time.Duration
	now    func() time.Time
}

var _ library = jwxLibrary{}

func newJWX(ctx context.Context, c settings) (library, string, error) {
	cache, err := jwk.NewCache(ctx, httprc.NewClient())
	if err != nil {
		return nil, "", err
	}
	var options []jwk.RegisterOption
	if c.Speed != 1 {
		options = append(options, jwk.WithMinInterval(c.scaled(jwxMinInterval)), jwk.WithMaxInterval(c.scaled(jwxMaxInterval)))
	}
	if err := cache.Register(ctx, c.JWKS, options...); err != nil {
		return nil, "", err
	}
	set, err := cache.CachedSet(c.JWKS)
	if err != nil {
		return nil, "", err
	}
	settings := fmt.Sprintf("jwx %s: refresh every %s without headers, at most %s with them, none at an unknown kid",
		standin.ModuleVersion("github.com/lestrrat-go/jwx/v3"), c.scaled(jwxMinInterval), c.scaled(jwxMaxInterval))
	return jwxLibrary{cache, set, c.Issuer, time.Duration(c.Leeway), c.now}, settings, nil
}

// Verify looks a key up in the cache, and does with the token as jwx does.
func (j jwxLibrary) Verify(ctx context.Context, raw string) (string, error) {
	token, err := jwt.Parse([]byte(raw),
		jwt.WithContext(ctx),
		jwt.WithKeySet(j.set),
		jwt.WithIssuer(j.issuer),
		jwt.WithAcceptableSkew(j.leeway),
		jwt.WithRequiredClaim(jwt.ExpirationKey),
		jwt.WithClock(jwt.ClockFunc(j.now)),
	)
	if err != nil {
		return "", err
	}
	subject, _ := token.Subject()
	return subject, nil
}

// Keeps reads the cache.
func (j jwxLibrary) Keeps([]string) []string {
	kids := make([]string, 0, j.set.Len())
	for n := range j.set.Len() {
		if key, ok := j.set.Key(n); ok {
			kid, _ := key.KeyID()
			kids = append(kids, kid)
		}
	}
	return kids
}

// Close ends the cache's workers and waits for them.
func (j jwxLibrary) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	if err := j.cache.Shutdown(ctx); err != nil {
		return fmt.Errorf("shut down jwk cache: %w", err)
	}
	return nil
}
