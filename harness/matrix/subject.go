package matrix

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	fakejwt "github.com/rehearse-dev/rehearse/fakes/jwt"
)

const (
	// issuer and audience are those of the tokens that are presented.
	issuer, audience = "https://issuer.test", fakejwt.Audience
	// each is the time between two presentations of a wait, and oneTry bounds one.
	each, oneTry = time.Second, 3 * time.Second
)

// subject is one instance of a library in one trial.
type subject struct {
	name   string
	url    string // of the service
	path   string // that is asked with a token
	keys   string // of the key server
	bound  time.Duration
	maxAge bool
	status int // of the last refusal
	ring   map[string]jose.JSONWebKey
	err    error // the first of the harness itself
}

// newRing makes the keys that trials publish. They are of one run, and end with it.
func newRing() (map[string]jose.JSONWebKey, error) {
	ring := map[string]jose.JSONWebKey{}
	for name, kid := range map[string]string{"k1": "k1", "k2": "k2", "k1-again": "k1", "garbage": "garbage"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		ring[name] = jose.JSONWebKey{Key: key, KeyID: kid, Algorithm: "ES256", Use: "sig"}
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	ring["rsa"] = jose.JSONWebKey{Key: key, KeyID: "rsa", Algorithm: "RS256", Use: "sig"}
	return ring, nil
}

func (s *subject) fail(err error) {
	if s.err == nil && err != nil {
		s.err = fmt.Errorf("%s: %w", s.name, err)
	}
}

// publish sets the keys of the set.
func (s *subject) publish(ctx context.Context, names ...string) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, name := range names {
		key := s.ring[name]
		set.Keys = append(set.Keys, key.Public())
	}
	body, err := json.Marshal(set)
	s.fail(err)
	answer := fakejwt.KeySet{Status: http.StatusOK, Body: body}
	if s.maxAge {
		answer.CacheControl = "max-age=5"
	}
	s.set(ctx, answer)
}

// breakDown makes the key server answer 503, with a body that is no key set.
func (s *subject) breakDown(ctx context.Context) {
	s.set(ctx, fakejwt.KeySet{Status: http.StatusServiceUnavailable, Body: json.RawMessage(`{"error": "down"}`)})
}

func (s *subject) set(ctx context.Context, answer fakejwt.KeySet) {
	body, err := json.Marshal(answer)
	s.fail(err)
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, s.keys+"/"+s.name, bytes.NewReader(body))
	if err != nil {
		s.fail(err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		s.fail(err)
		return
	}
	s.fail(resp.Body.Close())
}

// fetches is how often the set was asked for.
func (s *subject) fetches(ctx context.Context) (n int) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.keys+"/"+s.name, nil)
	if err != nil {
		s.fail(err)
		return 0
	}
	resp, err := client.Do(req)
	if err != nil {
		s.fail(err)
		return 0
	}
	defer resp.Body.Close()
	s.fail(json.NewDecoder(resp.Body).Decode(&n))
	return n
}

var client = &http.Client{Timeout: oneTry, Transport: &http.Transport{DisableKeepAlives: true}}

// rest lets time pass.
func (s *subject) rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
		s.fail(ctx.Err())
	case <-time.After(d):
	}
}

// decision is what an instance said to a token.
type decision int

// The decisions. No answer in time is none.
const (
	none decision = iota
	taken
	refused
)

// present shows a token of a key once.
func (s *subject) present(ctx context.Context, name string) decision {
	raw, err := s.token(name)
	if err != nil {
		s.fail(err)
		return none
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+s.path, nil)
	if err != nil {
		s.fail(err)
		return none
	}
	req.Header.Set("Authorization", "Bearer "+raw)
	resp, err := client.Do(req)
	if err != nil {
		return none
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return taken
	}
	s.status = resp.StatusCode
	return refused
}

// token signs one. Garbage has a kid that was never used, and no-kid none.
func (s *subject) token(name string) (string, error) {
	options := (&jose.SignerOptions{}).WithType("JWT")
	key := s.ring[name]
	switch name {
	case "garbage":
		key.KeyID = rand.Text()
	case "no-kid":
		key = s.ring["k1"]
		key.KeyID = ""
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, options)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", name, err)
	}
	now := time.Now()
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: issuer, Subject: "matrix", Audience: jwt.Audience{audience}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Hour)),
	}).Serialize()
}

// until presents a key's token every second until that is decided, or the bound
// is reached.
func (s *subject) until(ctx context.Context, name string, wanted decision) Cell {
	began := time.Now()
	for {
		if s.present(ctx, name) == wanted {
			return Cell{Ended: true, Seconds: time.Since(began).Seconds(), Fetches: s.fetches(ctx)}
		}
		if time.Since(began) > s.bound || ctx.Err() != nil {
			return Cell{Fetches: s.fetches(ctx)}
		}
		s.rest(ctx, each)
	}
}
