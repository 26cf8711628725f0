package jwt

import (
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/fakes/standin/standintest"
)

// TestSharedSecretsAreSignedAndChecked rotates a secret that an issuer and checkers have.
func TestSharedSecretsAreSignedAndChecked(t *testing.T) {
	one, two := strings.Repeat("one-of-the-two-", 5), strings.Repeat("two-of-the-two-", 5)
	entry := func(kid, value string) map[string]any {
		return map[string]any{"kid": kid, "alg": "HS256", "value": value}
	}
	store := standintest.NewStore(t)
	store.Publish(t, "k1-a", entry("k1-a", one))
	issuer, issued := serveIssuer(t, store, nil)
	serve := func(name string, holds int) (string, *standintest.Log) {
		at, log := standintest.Serve(t, ServeChecker, map[string]any{
			"name": name, "issuer": testIssuer, "store": store.Config(), "refresh": "10ms", "holds": holds,
		})
		standintest.AwaitReady(t, at)
		log.Forbid(one, two)
		return at, log
	}
	issued.Forbid(one, two)
	standintest.AwaitReady(t, issuer)
	all, allLog := serve("checkout", 0)
	single, singleLog := serve("search", 1)
	want := func(when string, token minted, kid string, atAll, atSingle int) {
		t.Helper()
		if token.KID != kid {
			t.Errorf("%s: signed with %s, want %s", when, token.KID, kid)
		}
		if got := [2]int{show(t, all, allLog, token.AccessToken), show(t, single, singleLog, token.AccessToken)}; got != [2]int{atAll, atSingle} {
			t.Errorf("%s: who holds all answers %d, and who holds one %d; want %d and %d", when, got[0], got[1], atAll, atSingle)
		}
	}
	old := mint(t, issuer, "10m")
	want("before", old, "k1-a", 200, 200)
	store.Publish(t, "k2-b", entry("k1-a", one), entry("k2-b", two))
	standintest.Eventually(t, "both", func() bool { return slices.Contains(allLog.Identifiers("learned"), "k2-b") })
	standintest.Eventually(t, "the new one", func() bool { return slices.Contains(singleLog.Identifiers("learned"), "k2-b") })
	standintest.Eventually(t, "the emit", func() bool { return slices.Contains(issued.Identifiers("emitting"), "k2-b") })
	want("of the old one in the overlap", old, "k1-a", 200, 401)
	want("of the new one in the overlap", mint(t, issuer, "10m"), "k2-b", 200, 200)
	if kids, body := getJWKS(t, issuer); len(kids) > 0 || strings.Contains(body, one) || len(issued.Lines("published")) > 0 {
		t.Errorf("a shared secret is published: %q", body)
	}
	store.Publish(t, "k2-b", entry("k2-b", two))
	standintest.Eventually(t, "the revoke", func() bool { return slices.Contains(allLog.Identifiers("forgot"), "k1-a") })
	want("of the old one after the revoke", old, "k1-a", 401, 401)
}
