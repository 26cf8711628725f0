package jwt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"

	"github.com/golang-jwt/jwt/v5"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/history"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// secret is one that tokens are checked with.
type secret struct {
	kid   string
	value []byte
}

// sharedSecrets checks tokens with the secrets that it holds, by kid.
type sharedSecrets struct {
	parser *jwt.Parser
	held   *atomic.Pointer[[]secret]
}

var _ library = sharedSecrets{}

// Verify takes what is signed with a secret that it holds.
func (s sharedSecrets) Verify(_ context.Context, raw string) (string, error) {
	return parseWith(s.parser, raw, func(token *jwt.Token) (any, error) {
		kid, _ := token.Header["kid"].(string)
		for _, secret := range *s.held.Load() {
			if secret.kid == kid {
				return secret.value, nil
			}
		}
		return nil, fmt.Errorf("kid %q is not among the secrets that it holds", kid)
	})
}

// Keeps are those that it holds.
func (s sharedSecrets) Keeps([]string) []string { return heldKids(*s.held.Load()) }

// Close has nothing to wait for: it runs nothing by itself.
func (sharedSecrets) Close() error { return nil }

func heldKids(secrets []secret) []string {
	kids := make([]string, 0, len(secrets))
	for _, s := range secrets {
		kids = append(kids, s.kid)
	}
	return kids
}

// ServeChecker runs a service that checks the bearer token of every request with the
// secrets that it reads from what is published, by golang-jwt: 200 with the token's
// subject, or 401.
func ServeChecker(ctx context.Context, config []byte, listener net.Listener, log io.Writer) error {
	var c contract.Checker
	if err := contract.Decode(config, &c); err != nil {
		return err
	}
	if err := errors.Join(standin.Require("name", c.Name, "issuer", c.Issuer), standin.CheckPublished(c.Published)); err != nil {
		return err
	}
	if c.Holds < 0 {
		return fmt.Errorf("check configuration: holds is %d, want at least 0", c.Holds)
	}
	logger, ready := history.NewLogger(log, c.Name), &standin.Readiness{}
	source, err := standin.NewPublishedSecret(c.Published, logger, ready)
	if err != nil {
		return err
	}
	clock := standin.NewClock(source.Orders())
	k := &checker{holds: c.Holds, source: source, log: logger}
	parser := newParser(settings{Verifier: contract.Verifier{Issuer: c.Issuer, Algorithms: contract.SharedAlgorithms()}, now: clock.Now})
	room := "all"
	if c.Holds > 0 {
		room = fmt.Sprint(c.Holds)
	}
	logger.Info(string(history.KindService), "detail", fmt.Sprintf("checker: golang-jwt, %s, holds %s", source.Describe(), room))
	if err := source.Start(ctx, k.load); err != nil {
		return err
	}
	v := &verifier{log: logger}
	var lib library = sharedSecrets{parser, &k.held}
	v.library.Store(&lib)
	mux := standin.NewMux(ready, func() map[string]int64 {
		accepted, refused, undecided := v.accepted.Load(), v.refused.Load(), v.undecided.Load()
		return map[string]int64{"served": accepted + refused + undecided, "accepted": accepted, "refused": refused, "undecided": undecided}
	})
	mux.HandleFunc("/", v.check)
	source.Disturbable(mux, map[string]func(string) error{contract.OrderClock: standin.CheckShift})
	return standin.ServeHTTP(ctx, listener, source.Handler(clock.Dated(mux)), logger, func(ctx context.Context) error {
		return source.Follow(ctx, k.load)
	})
}

// checker holds the secrets that are published.
type checker struct {
	holds  int
	source *standin.PublishedSecret
	log    *slog.Logger
	held   atomic.Pointer[[]secret]
}

// load reads the published secrets once. What is logged as learned is in effect already.
func (k *checker) load(ctx context.Context) error {
	var doc publishedKeys
	if _, err := k.source.Read(ctx, &doc); err != nil {
		return err
	}
	var all []secret
	for _, entry := range doc.Keys {
		if entry.KID == "" || entry.Value == "" {
			return fmt.Errorf("load secret %s: want a kid and a value", entry.KID)
		}
		s := secret{entry.KID, []byte(entry.Value)}
		if entry.KID == doc.Emit {
			all = slices.Insert(all, 0, s)
		} else {
			all = append(all, s)
		}
	}
	keeps := all
	if k.holds > 0 && len(keeps) > k.holds {
		keeps = keeps[:k.holds]
	}
	var before []string
	if old := k.held.Swap(&keeps); old != nil {
		before = heldKids(*old)
	}
	standin.TellFetched(k.log, "store", heldKids(all), before, heldKids(keeps))
	return nil
}
