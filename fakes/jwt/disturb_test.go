package jwt

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func TestNobodyIsDisturbedWithoutTheToken(t *testing.T) {
	store := standintest.NewStore(t)
	store.Publish(t, "kid-1", newKey(t, "kid-1", "ES256").published())
	closed, _ := serveIssuer(t, store, nil)
	open, _ := serveIssuer(t, store, map[string]any{"disturb": standintest.DisturbToken})
	for _, tt := range []struct {
		name, base, token, kind, value string
		want                           int
	}{
		{"one that has no such token", closed, standintest.DisturbToken, contract.OrderJWKS, "500", http.StatusNotFound},
		{"another token", open, "guess", contract.OrderJWKS, "500", http.StatusUnauthorized},
		{"a kind that there is not", open, standintest.DisturbToken, "melt", "500", http.StatusBadRequest},
		{"a value that there is not", open, standintest.DisturbToken, contract.OrderJWKS, "418", http.StatusBadRequest},
		{"no duration", open, standintest.DisturbToken, contract.OrderClock, "late", http.StatusBadRequest},
	} {
		if got := standintest.Disturb(t, tt.base, tt.token, tt.kind, tt.value); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestIssuerAnswersBadly(t *testing.T) {
	store := standintest.NewStore(t)
	store.Publish(t, "kid-1", newKey(t, "kid-1", "ES256").published())
	issuer, _ := serveIssuer(t, store, map[string]any{"disturb": standintest.DisturbToken})
	standintest.AwaitReady(t, issuer)
	for _, tt := range []struct {
		order  string
		status int
		empty  bool // its body is a set without keys
	}{
		{"429", 429, false}, {"500", 500, false}, {"503", 503, false}, {"503-empty", 503, true}, {"empty", 200, true}, {"garbage", 200, false},
	} {
		if status := standintest.Disturb(t, issuer, standintest.DisturbToken, contract.OrderJWKS, tt.order); status != http.StatusNoContent {
			t.Fatalf("order %s: got %d", tt.order, status)
		}
		status, body := standintest.Call(t, http.MethodGet, issuer+"/.well-known/jwks.json", "", nil)
		kids, err := kidsOf([]byte(body))
		if status != tt.status || tt.empty != (err == nil && len(kids) == 0 && strings.Contains(body, "keys")) {
			t.Errorf("%s: got %d %s, want %d and an empty set: %t", tt.order, status, body, tt.status, tt.empty)
		}
	}
	standintest.Disturb(t, issuer, standintest.DisturbToken, contract.OrderJWKS, "")
	if kids, _ := getJWKS(t, issuer); len(kids) != 1 {
		t.Errorf("undone: got %v, want the key", kids)
	}
}

func TestIssuerNamesKeysBadly(t *testing.T) {
	store := standintest.NewStore(t)
	one, two := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
	store.Publish(t, "kid-1", one.published())
	issuer, _ := serveIssuer(t, store, map[string]any{"disturb": standintest.DisturbToken})
	standintest.AwaitReady(t, issuer)
	header := func() string {
		token, err := jwt.ParseSigned(mint(t, issuer, "1m").AccessToken, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		return token.Headers[0].KeyID
	}
	standintest.Disturb(t, issuer, standintest.DisturbToken, contract.OrderKid, "none")
	standintest.Eventually(t, "a token without a kid", func() bool { return header() == "" })
	standintest.Disturb(t, issuer, standintest.DisturbToken, contract.OrderKid, "same")
	store.Publish(t, "kid-2", one.published(), two.published())
	standintest.Eventually(t, "two keys of one name", func() bool {
		kids, _ := getJWKS(t, issuer)
		return len(kids) == 2 && kids[0] == "kid-1" && kids[1] == "kid-1"
	})
	if got, told := header(), mint(t, issuer, "1m").KID; got != "kid-1" || told != "kid-2" {
		t.Errorf("a token: got kid %q and told %q, want the old name in it, and the key that it is", got, told)
	}
	standintest.Disturb(t, issuer, standintest.DisturbToken, contract.OrderKid, "old")
	standintest.Eventually(t, "a set with their own names, and tokens under the old one", func() bool {
		kids, _ := getJWKS(t, issuer)
		return len(kids) == 2 && kids[0] == "kid-2" && kids[1] == "kid-1" && header() == "kid-1"
	})
	standintest.Disturb(t, issuer, standintest.DisturbToken, contract.OrderKid, "")
	standintest.Eventually(t, "their own names", func() bool { return header() == "kid-2" })
}

func TestIssuerClock(t *testing.T) {
	store := standintest.NewStore(t)
	store.Publish(t, "kid-1", newKey(t, "kid-1", "ES256").published())
	issuer, _ := serveIssuer(t, store, map[string]any{"disturb": standintest.DisturbToken})
	standintest.AwaitReady(t, issuer)
	standintest.Disturb(t, issuer, standintest.DisturbToken, contract.OrderClock, "1h")
	token, err := jwt.ParseSigned(mint(t, issuer, "1m").AccessToken, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		t.Fatal(err)
	}
	if ahead := time.Until(claims.IssuedAt.Time()); ahead < 59*time.Minute {
		t.Errorf("issued %s from now, want an hour", ahead)
	}
}
