package jwt

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// Audience is the aud claim of a token that an issuer mints, unless it is asked
// for another.
const Audience = "rehearse"

type issuer struct {
	config contract.Issuer
	source *standin.PublishedSecret
	log    *slog.Logger
	// version, kid, first and keys are written by the one goroutine that loads.
	version int
	kid     string // what was ordered of DisturbKid
	first   string // the kid of the key that it signed with first
	keys    atomic.Pointer[keySet]
	minted  atomic.Int64
	read    atomic.Int64
	spare   untilSpent
}

// ServeIssuer runs an issuer of tokens: it reads its signing keys from the
// store, publishes their public halves as a JWKS, and mints a token for
// whoever asks at POST /token. It has no client authentication, as it listens
// on the run's own network only.
func ServeIssuer(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c contract.Issuer
	if err := contract.Decode(config, &c); err != nil {
		return err
	}
	if err := errors.Join(standin.Require("name", c.Name, "issuer", c.Issuer), standin.CheckPublished(c.Published)); err != nil {
		return err
	}
	logger, ready := history.NewLogger(log, c.Name), &standin.Readiness{}
	source, err := standin.NewPublishedSecret(c.Published, logger, ready)
	if err != nil {
		return err
	}
	i := &issuer{config: c, source: source, log: logger}
	logger.Info(string(history.KindService), "detail", "issuer: "+source.Describe())
	if err := source.Start(ctx, i.load); err != nil {
		return err
	}

	mux := standin.NewMux(ready, func() map[string]int64 {
		return map[string]int64{"served": i.minted.Load(), "jwks_reads": i.read.Load()}
	})
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /.well-known/jwks.json", i.jwks)
	mux.HandleFunc("POST /token", i.token)
	source.Disturbable(mux, issuerDisturbances)
	return standin.ServeHTTP(ctx, listener, source.Handler(mux), logger, func(ctx context.Context) error {
		return source.Follow(ctx, i.load)
	})
}

// load reads the published keys once and takes them over as a whole. What is
// logged as published or emitting is in effect already.
func (i *issuer) load(ctx context.Context) error {
	var doc publishedKeys
	version, err := i.source.Read(ctx, &doc)
	if err != nil {
		return err
	}
	kid := i.source.Orders().Value(contract.OrderKid)
	if version == i.version && kid == i.kid {
		return nil
	}
	if i.first == "" {
		i.first = doc.Emit
	}
	set, err := newKeySet(doc, i.naming(kid))
	if err != nil {
		return err
	}
	old := i.keys.Swap(set)
	i.version, i.kid = version, kid
	i.log.Info(string(history.KindLoaded), "identifiers", slices.Concat(set.kids, set.shared), "identifier", set.emit)
	if len(set.shared) > 0 {
		// Nobody is to fetch them.
	} else if old == nil || !bytes.Equal(old.jwks, set.jwks) {
		i.log.Info(string(history.KindPublished), "identifiers", set.kids)
	}
	if old == nil || old.emit != set.emit {
		i.log.Info(string(history.KindEmitting), "identifier", set.emit)
	}
	return nil
}

// discovery answers as OpenID Connect Discovery 1.0 §3 asks, in what applies.
func (i *issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	base := strings.TrimSuffix(i.config.Issuer, "/")
	standin.WriteJSON(w, http.StatusOK, map[string]any{
		"issuer":                                i.config.Issuer,
		"jwks_uri":                              base + "/.well-known/jwks.json",
		"token_endpoint":                        base + "/token",
		"response_types_supported":              []string{"token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": contract.SignatureAlgorithms(),
	})
}

// jwks serves the public keys, with no word on how long they may be cached.
func (i *issuer) jwks(w http.ResponseWriter, r *http.Request) {
	set := i.keys.Load()
	if set == nil {
		standin.WriteError(w, http.StatusServiceUnavailable, "no keys yet")
		return
	}
	i.read.Add(1)
	remote := standin.Caller(r)
	if how := i.spare.answer(i.source.Orders().Value(contract.OrderJWKS)); how != "" {
		i.log.Info(string(history.KindRead), "reader", r.UserAgent(), "remote", remote, "what", "jwks", "detail", how)
		answerBadly(w, how)
		return
	}
	i.log.Info(string(history.KindRead), "reader", r.UserAgent(), "remote", remote, "what", "jwks", "identifiers", set.kids)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(set.jwks) // an error is that of a client that left
}

// accessClaims are the claims of a minted token beside the registered ones.
type accessClaims struct {
	jwt.Claims
	ClientID string `json:"client_id"` // RFC 9068 §2.2
}

// token mints a token for the form fields client, session (its subject) and
// life, which is wall time; iss and aud, where it is to have others than the
// issuer's own; and claims, a JSON object of further ones. A kid, where it is given, is the published key to sign with
// in place of the emitted one: so a canary is had.
func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	client, session := r.PostFormValue("client"), r.PostFormValue("session")
	life, err := time.ParseDuration(r.PostFormValue("life"))
	if err != nil || life <= 0 || client == "" || session == "" {
		standin.WriteError(w, http.StatusBadRequest, "invalid_request: want the form fields client, session, and life as a positive duration")
		return
	}
	set := i.keys.Load()
	if set == nil {
		standin.WriteError(w, http.StatusServiceUnavailable, "no key to sign with yet")
		return
	}
	if set = set.signing(r.PostFormValue("kid")); set == nil {
		standin.WriteError(w, http.StatusBadRequest, "invalid_request: kid names no key that is published")
		return
	}
	further := map[string]any{}
	if text := r.PostFormValue("claims"); text != "" && json.Unmarshal([]byte(text), &further) != nil {
		standin.WriteError(w, http.StatusBadRequest, "invalid_request: claims is no JSON object")
		return
	}
	iss, aud := cmp.Or(r.PostFormValue("iss"), i.config.Issuer), cmp.Or(r.PostFormValue("aud"), Audience)
	raw, seconds, err := i.mint(set, claimed{iss, aud, session, client, further}, life)
	if err != nil {
		i.log.Error("mint", "identifier", set.emit, "detail", err.Error())
		standin.WriteError(w, http.StatusInternalServerError, "server_error: "+err.Error())
		return
	}
	i.minted.Add(1)
	i.log.Info("minted", "identifier", set.emit, "presenter", client)
	standin.WriteJSON(w, http.StatusOK, map[string]any{
		"access_token": raw, "token_type": "Bearer", "expires_in": seconds, "kid": set.emit,
	})
}

// claimed is of whom, for whom and about whom a token speaks, and what else it says.
type claimed struct {
	issuer, audience, session, client string
	further                           map[string]any
}

// mint signs a token. Its times are whole seconds (RFC 7519 §2, as most issuers
// write them): iat is the present second, exp the one in which its life is over,
// rounded up, so that it lives for all of it. Seconds is the life, rounded up too.
func (i *issuer) mint(set *keySet, c claimed, life time.Duration) (raw string, seconds int64, err error) {
	now := standin.NewClock(i.source.Orders()).Now()
	roundUp := time.Second - 1
	seconds = int64((life + roundUp) / time.Second)
	raw, err = jwt.Signed(set.signer).Claims(c.further).Claims(accessClaims{
		Claims: jwt.Claims{
			Issuer:   c.issuer,
			Subject:  c.session,
			Audience: jwt.Audience{c.audience},
			IssuedAt: jwt.NewNumericDate(now),
			Expiry:   jwt.NewNumericDate(now.Add(life + roundUp)),
			ID:       rand.Text(),
		},
		ClientID: c.client,
	}).Serialize()
	if err != nil {
		return "", 0, fmt.Errorf("sign token with key %s: %w", set.emit, err)
	}
	return raw, seconds, nil
}
