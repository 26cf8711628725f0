package load

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// minRenewal is the least age at which a token is renewed, whatever its
// issuer says: an issuer of tokens that last no time is not to be flooded.
const minRenewal = 100 * time.Millisecond

// maxHoldBack bounds how long before its end a token is no longer sent: issuers
// usually count in whole seconds (RFC 7519 §2, NumericDate), which makes the last
// one uncertain where the token itself does not tell. It is less where renewal
// would get no time.
const maxHoldBack = time.Second

// token is one token of a session. It is never changed once made; its value
// exists in header only.
type token struct {
	header http.Header // of every request that presents it
	kid    string
	cell   *cell
	// Microseconds since the Unix epoch. unusable comes shortly before expiry;
	// both it and renewAt are endless where there is nothing to renew.
	issuedAt, renewAt, unusable int64
	// life is for how long it is good, whenever it is renewed, in microseconds; 0: it does not tell.
	life int64
}

// issuer fetches the tokens of one client.
type issuer struct {
	client *ClientConfig
	http   *http.Client
	clock  clock
	cells  *cells
}

// fetch asks for a token for a session. No error holds any part of the answer.
func (i *issuer) fetch(ctx context.Context, session string) (*token, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(i.client.Timeout))
	defer cancel()
	asked := i.clock.now()
	answer, err := i.call(session).Ask(ctx, i.http, i.client.Token.URL, i.client.userAgent())
	if err != nil {
		return nil, fmt.Errorf("fetch token for session %s: %w", session, err)
	}
	kid := answer.Kid
	// The age counts from when it was asked for, so that it is never
	// underestimated.
	issued, expiry := timesOf(answer.Token)
	life := lifeOf(answer.ExpiresIn, time.Duration(i.client.Token.Life), asked, expiry)
	renewal := renewalPeriod(i.client.Token, life)
	holdBack := min(maxHoldBack, max(life-renewal, 0)*3/4)
	if expiry != math.MaxInt64 {
		holdBack = 0
	}
	return &token{
		header:   i.client.header(answer.Token),
		kid:      kid,
		cell:     i.cells.cell(i.client.Name, i.client.To, kid),
		issuedAt: asked,
		renewAt:  asked + renewal.Microseconds(),
		unusable: asked + (life - holdBack).Microseconds(),
		life:     max(life, ownLife(issued, expiry, asked)).Microseconds(),
	}, nil
}

// lifeOf is for how long a token is used that was promised to last so long (0:
// nothing was said, and as long as wanted is meant), and was asked for at a moment.
// Its exp, endless where it has none, is in whole seconds: it may be up to one
// less, or up to one more than wanted, which is not used. Whatever followed from
// the part of a second in which tokens happen to end would gather all sessions in
// it: at 0.8 of a life that is f shorter one is renewed 0.8f earlier.
func lifeOf(promised, wanted time.Duration, asked, expiry int64) time.Duration {
	life := promised
	if promised <= 0 {
		life = wanted
	}
	if expiry != math.MaxInt64 {
		life = min(life, time.Duration(expiry-asked)*time.Microsecond)
	}
	if life > wanted && life < wanted+time.Second {
		life = wanted
	}
	return life
}

// call is how a token is asked for: as is said, or as a stand-in takes it.
func (i *issuer) call(session string) contract.TokenCall {
	t := i.client.Token
	form := map[string]string{"client": i.client.Name, "session": session, "life": time.Duration(t.Life).String()}
	for name, value := range map[string]string{"iss": t.Issuer, "aud": t.Audience, "claims": t.Claims} {
		if value != "" {
			form[name] = value
		}
	}
	return t.TokenCall.Or(form)
}

// renewalPeriod is the age at which a token of a life is renewed. A token that
// was given longer than it was asked for is renewed as if it were not.
func renewalPeriod(c *TokenConfig, life time.Duration) time.Duration {
	return max(minRenewal, time.Duration(c.RenewAt*float64(min(life, time.Duration(c.Life)))))
}

// ownLife is for how long a JWT is good by its own claims: whoever checks it looks at those, and not at
// when its client renews it. It counts from the later of when it was made and when it was asked for: an
// issuer's clock may be ahead, and some date tokens back. 0: it does not tell.
func ownLife(issued, expiry, asked int64) time.Duration {
	if expiry == math.MaxInt64 {
		return 0
	}
	return time.Duration(expiry-max(issued, asked)) * time.Microsecond
}

// expiryOf is the exp of a JWT, as timesOf reads it.
func expiryOf(jwt string) int64 {
	_, expiry := timesOf(jwt)
	return expiry
}

// timesOf reads iat and exp of a JWT's claims (RFC 7519 §4.1.6 and §4.1.4) without checking anything, in
// microseconds since the Unix epoch. Where they are not there iat is 0, and exp endless.
func timesOf(jwt string) (issued, expiry int64) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 { // RFC 7515 §7.1
		return 0, math.MaxInt64
	}
	var claims struct {
		Expiry float64 `json:"exp"` // seconds; a fraction is allowed (RFC 7519 §2)
		Issued float64 `json:"iat"`
	}
	_ = contract.DecodePart(parts[1], &claims) // what is not there stays as it was
	micros := func(seconds float64, none int64) int64 {
		if seconds <= 0 || seconds > math.MaxInt64/1e6 {
			return none
		}
		return int64(seconds * 1e6)
	}
	return micros(claims.Issued, 0), micros(claims.Expiry, math.MaxInt64)
}

// header is what every request of a client carries with a credential, or with
// none for "".
func (c *ClientConfig) header(credential string) http.Header {
	h := http.Header{"User-Agent": {c.userAgent()}}
	for name, value := range c.Headers {
		h.Set(name, value)
	}
	if credential != "" {
		says := ""
		if c.Token != nil {
			says = c.Token.Header
		}
		contract.Present(h, says, credential)
	}
	return h
}
