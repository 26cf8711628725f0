package family

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// tokenAudience is the aud of the issuer's own tokens.
	tokenAudience = "rehearse"
	// probeLife is the life of a token that is made to be shown once; it leaves
	// room for clocks that are kept to whole seconds.
	probeLife = 30 * time.Second
	// fetchLogged bounds the wait for the log line of a fetch that a canary may have caused.
	fetchLogged = 300 * time.Millisecond
	fetchPoll   = 10 * time.Millisecond
)

// tokenProbes shows tokens that the harness signs itself, with an issuer's claims: the question is
// whether the key is taken.
type tokenProbes struct {
	lookup func(ctx context.Context, name string) (credential, error)
	issuer func() (string, error)        // the iss that validators expect
	url    func(validator string) string // as the harness sees it
	asks   map[string]tokenRequest       // how validators are asked; the zero value for others
	see    func(func(*history.View))
	// through are the gateways by which validators have their key sets, whose fetches are told.
	through map[string]string
	// ofClient is a token of a client's own; nil: nobody can ask for one.
	ofClient func(ctx context.Context, client string) (string, error)
	// algorithm is that of a key which is made up.
	algorithm string

	mu     sync.Mutex
	held   map[heldKey]heldToken
	alike  map[string]pattern // by client
	nobody any                // a key that is not published; nil: not made yet
}

// heldKey identifies a held token: its credential, and the validator that it is for; "" is any that
// takes a stand-in's tokens.
type heldKey struct{ credential, validator string }

// heldToken is a token that was made to be shown later.
type heldToken struct {
	raw    string
	expiry time.Time
}

var (
	_ world.Probes     = (*tokenProbes)(nil)
	_ UnknownKeyShower = (*tokenProbes)(nil)
	_ world.Doubter    = (*tokenProbes)(nil)
	_ world.Spoiler    = (*tokenProbes)(nil)
)

// Doubts are a token signed just now, and one that nobody signed: that one may have a validator fetch, after which it
// refuses the other.
func (t *tokenProbes) Doubts() []history.Purpose {
	return []history.Purpose{history.Anew, history.MadeUp}
}

// Spoils reports true: a token can be shown with another signature to anybody.
func (t *tokenProbes) Spoils(string) bool { return true }

// Hold makes a token of a credential now, one for each validator that wants other claims, which Present
// shows from then on.
func (t *tokenProbes) Hold(ctx context.Context, name string, life time.Duration) error {
	asks := map[string]tokenRequest{"": {}}
	maps.Copy(asks, t.asks)
	for validator, ask := range asks {
		raw, expiry, err := t.mint(ctx, name, ask, life)
		if err != nil {
			return fmt.Errorf("hold a token of %s: %w", name, err)
		}
		t.mu.Lock()
		t.held[heldKey{name, validator}] = heldToken{raw, expiry}
		t.mu.Unlock()
	}
	return nil
}

// Present shows a validator the held token of a credential, or else a new one. Of a canary that may
// teach the validator, it also says whether the validator fetched a key set just then; a fetch that was
// due anyway counts as caused.
func (t *tokenProbes) Present(ctx context.Context, validator, name string, purpose history.Purpose) (history.Probe, error) {
	if purpose == history.MadeUp {
		probe, err := t.UnknownKey(ctx, validator)
		probe.Purpose = purpose
		return probe, err
	}
	at := t.url(validator)
	if at == "" {
		return history.Probe{}, fmt.Errorf("present %s to %s: it has no address", name, validator)
	}
	ask := t.asks[validator]
	raw, presentation, err := t.token(ctx, name, purpose, validator)
	if err != nil {
		return history.Probe{}, fmt.Errorf("present %s to %s: %w", name, validator, err)
	}
	if purpose == history.Control {
		raw, presentation = Spoilt(raw), spoiltToken
	}
	before, had := t.fetches(validator), t.has(validator, name)
	probe, err := ask.show(ctx, at, raw)
	if err != nil {
		return history.Probe{}, fmt.Errorf("present %s to %s: %w", name, validator, err)
	}
	probe.Purpose, probe.Presentation = purpose, presentation
	if purpose == history.Canary && !had && t.news(validator, name, probe.Outcome) {
		probe.CausedFetch = t.fetchedSince(ctx, validator, before)
	}
	return probe, nil
}

// UnknownKey shows a validator a token that has all that others have, and is signed
// with a key that nobody has published, under a kid of its own.
func (t *tokenProbes) UnknownKey(ctx context.Context, validator string) (history.Probe, error) {
	fail := func(err error) (history.Probe, error) {
		return history.Probe{}, fmt.Errorf("present a made-up token to %s: %w", validator, err)
	}
	at := t.url(validator)
	if at == "" {
		return fail(errors.New("it has no address"))
	}
	key, err := t.nobodys()
	if err != nil {
		return fail(err)
	}
	ask := t.asks[validator]
	raw, _, err := t.sign(ctx, key, ask, probeLife)
	if err != nil {
		return fail(err)
	}
	probe, err := ask.show(ctx, at, raw)
	if err != nil {
		return fail(err)
	}
	probe.Purpose, probe.Presentation = history.Garbage, "token under a made-up kid"
	return probe, nil
}

// nobodys is an unpublished key, under a name that is new every time.
func (t *tokenProbes) nobodys() (jose.JSONWebKey, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.nobody == nil {
		key, err := any([]byte(newShared())), error(nil)
		if !slices.Contains(contract.SharedAlgorithms(), t.algorithm) {
			key, err = newKey(t.algorithm)
		}
		if err != nil {
			return jose.JSONWebKey{}, err
		}
		t.nobody = key
	}
	return jose.JSONWebKey{Key: t.nobody, Algorithm: t.algorithm, KeyID: "made-up-" + rand.Text()}, nil
}

// token is the token to present, and how it was made.
func (t *tokenProbes) token(ctx context.Context, name string, purpose history.Purpose, validator string) (raw, presentation string, err error) {
	ask, known := t.asks[validator]
	key := heldKey{name, validator}
	if !known {
		key.validator = ""
	}
	t.mu.Lock()
	held, ok := t.held[key]
	t.mu.Unlock()
	if ok && purpose != history.Anew && time.Now().Before(held.expiry) {
		return held.raw, "unexpired token, made before", nil
	}
	raw, _, err = t.mint(ctx, name, ask, probeLife)
	return raw, "token made for this probe", err
}

func (t *tokenProbes) fetches(validator string) (n int64) {
	t.see(func(v *history.View) { n = v.Fetches[validator] + v.Fetches[t.through[validator]] })
	return n
}

// has reports whether a validator is known to have a credential.
func (t *tokenProbes) has(validator, name string) (has bool) {
	t.see(func(v *history.View) { _, has = v.Holds[validator][name] })
	return has
}

// news reports whether an answer to a canary may come from a validator that just learned the
// credential: the first answer, or the first that takes it. Only then does Present wait for a fetch:
// doing so for each canary of a series would stretch the lead.
func (t *tokenProbes) news(validator, name string, answer history.Outcome) (may bool) {
	t.see(func(v *history.View) {
		said := v.Said(validator, name, history.Canary)
		may = said.Asked()+said.Unanswered == 0 || said.Taken == 0 && answer == history.OK
	})
	return may
}

// fetchedSince waits, for a short time, for a validator's log to tell of more fetches.
func (t *tokenProbes) fetchedSince(ctx context.Context, validator string, before int64) bool {
	ctx, cancel := context.WithTimeout(ctx, fetchLogged)
	defer cancel()
	tick := time.NewTicker(fetchPoll)
	defer tick.Stop()
	for {
		if t.fetches(validator) > before {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// pattern is what a client's own token has beside times, number and key.
type pattern struct {
	Typ    string `json:"typ"`
	claims map[string]any
}

// like is the pattern of a client's own tokens, asked for once; zero where there is none. A service may
// require any of their claims.
func (t *tokenProbes) like(ctx context.Context, client string) pattern {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.alike[client]; ok || client == "" || t.ofClient == nil {
		return p
	}
	raw, err := t.ofClient(ctx, client)
	parts := strings.Split(raw, ".")
	var p pattern
	if err != nil || len(parts) != 3 || contract.DecodePart(parts[0], &p) != nil || contract.DecodePart(parts[1], &p.claims) != nil {
		return pattern{} // it is asked again the next time
	}
	for _, own := range []string{"exp", "iat", "nbf", "jti"} { // RFC 7519 §4.1
		delete(p.claims, own)
	}
	if t.alike == nil {
		t.alike = map[string]pattern{}
	}
	t.alike[client] = p
	return p
}

// mint signs a token with a credential.
func (t *tokenProbes) mint(ctx context.Context, name string, ask tokenRequest, life time.Duration) (raw string, expiry time.Time, err error) {
	c, err := t.lookup(ctx, name)
	if err != nil {
		return "", time.Time{}, err
	}
	key, err := signingKey(c.entry)
	if err != nil {
		return "", time.Time{}, err
	}
	return t.sign(ctx, key, ask, life)
}

// sign makes a token that lives at least so long: exp is in whole seconds (RFC 7519 §2, as every
// library writes it) and rounded up. Its claims are an issuer's (RFC 9068 §2.2), then the client's own,
// then the scenario's: the later ones win.
func (t *tokenProbes) sign(ctx context.Context, key jose.JSONWebKey, ask tokenRequest, life time.Duration) (raw string, expiry time.Time, err error) {
	like := t.like(ctx, ask.like)
	claims := map[string]any{"sub": ProbeAgent, "client_id": ProbeAgent, "aud": tokenAudience}
	maps.Copy(claims, like.claims)
	maps.Copy(claims, ask.further)
	for name, said := range map[string]string{"iss": ask.issuer, "aud": ask.audience} {
		if said != "" {
			claims[name] = said
		}
	}
	if claims["iss"] == nil {
		if claims["iss"], err = t.issuer(); err != nil {
			return "", time.Time{}, err
		}
	}
	with, options := any(key), (&jose.SignerOptions{}).WithType(jose.ContentType(cmp.Or(like.Typ, "JWT")))
	if secret, shared := key.Key.([]byte); shared { // of which the library tells no kid
		with, options = secret, options.WithHeader("kid", key.KeyID)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: with}, options)
	if err != nil {
		return "", time.Time{}, errNotASigningKey
	}
	now := time.Now()
	expiry = now.Add(life).Truncate(time.Second).Add(time.Second)
	claims["iat"], claims["exp"], claims["jti"] = jwt.NewNumericDate(now), jwt.NewNumericDate(expiry), rand.Text()
	raw, err = jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", time.Time{}, errors.New("sign a token: the key cannot be used")
	}
	return raw, expiry, nil
}
