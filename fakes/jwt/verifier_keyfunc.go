package jwt

import (
	"context"
	"fmt"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"

	"github.com/rehearse-dev/rehearse/fakes/standin"
)

// Defaults of keyfunc v3.9.2 (jwkset v0.11.4, NewDefaultHTTPClientCtx).
const (
	keyfuncRefresh  = time.Hour
	keyfuncCooldown = 5 * time.Minute
	keyfuncWaitMax  = time.Minute
)

// keyfuncLibrary is MicahParks/keyfunc under golang-jwt: a refresh every hour,
// and one fetch per five minutes for kids that it does not know.
type keyfuncLibrary struct {
	keys   keyfunc.Keyfunc
	parser *jwt.Parser
}

var _ library = keyfuncLibrary{}

func newKeyfunc(ctx context.Context, c settings) (library, string, error) {
	var keys keyfunc.Keyfunc
	var err error
	if c.Speed == 1 {
		keys, err = keyfunc.NewDefaultCtx(ctx, []string{c.JWKS})
	} else {
		keys, err = keyfunc.NewDefaultOverrideCtx(ctx, []string{c.JWKS}, keyfunc.Override{
			RefreshInterval:   c.scaled(keyfuncRefresh),
			RefreshUnknownKID: rate.NewLimiter(rate.Every(c.scaled(keyfuncCooldown)), 1),
			RateLimitWaitMax:  c.scaled(keyfuncWaitMax),
		})
	}
	if err != nil {
		return nil, "", err
	}
	settings := fmt.Sprintf("keyfunc %s: refresh %s, unknown kid once per %s, waits at most %s",
		standin.ModuleVersion("github.com/MicahParks/keyfunc/v3"),
		c.scaled(keyfuncRefresh), c.scaled(keyfuncCooldown), c.scaled(keyfuncWaitMax))
	return keyfuncLibrary{keys, newParser(c)}, settings, nil
}

// newParser checks tokens as golang-jwt does, with the claims that matter here
// required.
func newParser(c settings) *jwt.Parser {
	return jwt.NewParser(
		jwt.WithIssuer(c.Issuer),
		jwt.WithValidMethods(c.Algorithms),
		jwt.WithLeeway(time.Duration(c.Leeway)),
		jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(c.now),
	)
}

// Verify leaves the request's context aside, as keyfunc's documented Keyfunc does.
func (k keyfuncLibrary) Verify(_ context.Context, raw string) (string, error) {
	return parseWith(k.parser, raw, k.keys.Keyfunc)
}

func parseWith(parser *jwt.Parser, raw string, keys jwt.Keyfunc) (string, error) {
	token, err := parser.ParseWithClaims(raw, &jwt.RegisteredClaims{}, keys)
	if err != nil {
		return "", err
	}
	return token.Claims.GetSubject()
}

// Keeps reads the storage; it is in memory, and reading it fetches nothing.
func (k keyfuncLibrary) Keeps([]string) []string {
	held, err := k.keys.Storage().KeyReadAll(context.Background())
	if err != nil {
		return []string{} // what cannot be read verifies nothing
	}
	kids := make([]string, 0, len(held))
	for _, key := range held {
		kids = append(kids, key.Marshal().KID)
	}
	return kids
}

// Close has nothing to wait for: keyfunc's refresh ends with its context.
func (keyfuncLibrary) Close() error { return nil }
