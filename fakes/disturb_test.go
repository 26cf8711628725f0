package fakes

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const disturbToken = "token-of-the-run"

// disturb orders a stand-in, or takes back where value is "", and returns the status.
func disturb(t *testing.T, base, token, kind, value string) int {
	t.Helper()
	method, path := http.MethodPost, DisturbPath
	if value == "" {
		method, path = http.MethodDelete, DisturbPath+"?kind="+kind
	}
	body, err := json.Marshal(map[string]string{"kind": kind, "value": value})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func TestNobodyIsDisturbedWithoutTheToken(t *testing.T) {
	store := newStore(t)
	store.publish(t, "kid-1", newKey(t, "kid-1", "ES256").published())
	closed, _ := serveIssuer(t, store, nil)
	open, _ := serveIssuer(t, store, map[string]any{"disturb": disturbToken})
	for _, tt := range []struct {
		name, base, token, kind, value string
		want                           int
	}{
		{"one that has no such token", closed, disturbToken, DisturbJWKS, "500", http.StatusNotFound},
		{"another token", open, "guess", DisturbJWKS, "500", http.StatusUnauthorized},
		{"a kind that there is not", open, disturbToken, "melt", "500", http.StatusBadRequest},
		{"a value that there is not", open, disturbToken, DisturbJWKS, "418", http.StatusBadRequest},
		{"no duration", open, disturbToken, DisturbClock, "late", http.StatusBadRequest},
	} {
		if got := disturb(t, tt.base, tt.token, tt.kind, tt.value); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestIssuerAnswersBadly(t *testing.T) {
	store := newStore(t)
	store.publish(t, "kid-1", newKey(t, "kid-1", "ES256").published())
	issuer, _ := serveIssuer(t, store, map[string]any{"disturb": disturbToken})
	awaitReady(t, issuer)
	for _, tt := range []struct {
		order  string
		status int
		empty  bool // its body is a set without keys
	}{
		{"429", 429, false}, {"500", 500, false}, {"503", 503, false}, {"503-empty", 503, true}, {"empty", 200, true}, {"garbage", 200, false},
	} {
		if status := disturb(t, issuer, disturbToken, DisturbJWKS, tt.order); status != http.StatusNoContent {
			t.Fatalf("order %s: got %d", tt.order, status)
		}
		status, body := call(t, http.MethodGet, issuer+"/.well-known/jwks.json", "", nil)
		kids, err := kidsOf([]byte(body))
		if status != tt.status || tt.empty != (err == nil && len(kids) == 0 && strings.Contains(body, "keys")) {
			t.Errorf("%s: got %d %s, want %d and an empty set: %t", tt.order, status, body, tt.status, tt.empty)
		}
	}
	disturb(t, issuer, disturbToken, DisturbJWKS, "")
	if kids, _ := getJWKS(t, issuer); len(kids) != 1 {
		t.Errorf("undone: got %v, want the key", kids)
	}
}

func TestIssuerNamesKeysBadly(t *testing.T) {
	store := newStore(t)
	one, two := newKey(t, "kid-1", "ES256"), newKey(t, "kid-2", "ES256")
	store.publish(t, "kid-1", one.published())
	issuer, _ := serveIssuer(t, store, map[string]any{"disturb": disturbToken})
	awaitReady(t, issuer)
	header := func() string {
		token, err := jwt.ParseSigned(mint(t, issuer, "1m").AccessToken, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		return token.Headers[0].KeyID
	}
	disturb(t, issuer, disturbToken, DisturbKid, "none")
	eventually(t, "a token without a kid", func() bool { return header() == "" })
	disturb(t, issuer, disturbToken, DisturbKid, "same")
	store.publish(t, "kid-2", one.published(), two.published())
	eventually(t, "two keys of one name", func() bool {
		kids, _ := getJWKS(t, issuer)
		return len(kids) == 2 && kids[0] == "kid-1" && kids[1] == "kid-1"
	})
	if got, told := header(), mint(t, issuer, "1m").KID; got != "kid-1" || told != "kid-2" {
		t.Errorf("a token: got kid %q and told %q, want the old name in it, and the key that it is", got, told)
	}
	disturb(t, issuer, disturbToken, DisturbKid, "")
	eventually(t, "their own names", func() bool { return header() == "kid-2" })
}

func TestIssuerClock(t *testing.T) {
	store := newStore(t)
	store.publish(t, "kid-1", newKey(t, "kid-1", "ES256").published())
	issuer, _ := serveIssuer(t, store, map[string]any{"disturb": disturbToken})
	awaitReady(t, issuer)
	disturb(t, issuer, disturbToken, DisturbClock, "1h")
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

func TestSpoiledSecrets(t *testing.T) {
	document := func(tags ...string) []byte {
		keys := []any{}
		for _, tag := range tags {
			keys = append(keys, map[string]any{"tag": tag, "value": "whsec_" + tag + "-0123456789abcdef"})
		}
		encoded, err := json.Marshal(map[string]any{"emit": tags[0], "keys": keys})
		if err != nil {
			t.Fatal(err)
		}
		return encoded
	}
	type entry struct{ Tag, Value string }
	for _, tt := range []struct {
		how   string
		wants func(was, is string) bool
	}{
		{"newline", func(was, is string) bool { return is == was+"\n" }},
		{"truncated", func(was, is string) bool { return is == was[:len(was)-cutOff] }},
		{"foreign", func(was, is string) bool { return is != was && len(is) == len(was) && strings.HasPrefix(is, "whsec_") }},
	} {
		t.Run(tt.how, func(t *testing.T) {
			var s spoiler
			read := func(content []byte, version int) (keys map[string]string, as int) {
				t.Helper()
				out, as, err := s.passed(content, version)
				var read struct{ Keys []entry }
				if err == nil {
					err = json.Unmarshal(out, &read)
				}
				if err != nil {
					t.Fatal(err)
				}
				keys = map[string]string{}
				for _, e := range read.Keys {
					keys[e.Tag] = e.Value
				}
				return keys, as
			}
			clean, first := read(document("v1"), 1)
			s.set(DisturbValue, tt.how)
			spoiled, second := read(document("v1", "v2"), 2)
			again, _ := read(document("v1", "v2"), 2)
			s.set(DisturbValue, "")
			mended, third := read(document("v1", "v2"), 2)
			if spoiled["v1"] != clean["v1"] || !tt.wants(mended["v2"], spoiled["v2"]) || again["v2"] != spoiled["v2"] {
				t.Errorf("got %q, want only what is new spoiled, in the same way each time", spoiled)
			}
			if first == second || second == third {
				t.Errorf("versions: got %d, %d, %d, want another one whenever what is read changes", first, second, third)
			}
		})
	}
}

func TestHeldBackReadsNothingNew(t *testing.T) {
	store := newStore(t)
	store.publish(t, "v1", apiKeyEntry("v1", "sk_one"))
	charger, log := serveCharger(t, store, "http://127.0.0.1:1", map[string]any{"disturb": disturbToken})
	awaitReady(t, charger)
	disturb(t, charger, disturbToken, DisturbHold, "all")
	store.publish(t, "v2", apiKeyEntry("v2", "sk_two"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, charger+DisturbPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+disturbToken)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	told, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(told), `"v1"`) || strings.Contains(string(told), "sk_") {
		t.Errorf("what it holds: got %s, want v1 by its fingerprint", told)
	}
	disturb(t, charger, disturbToken, DisturbHold, "")
	eventually(t, "the switch", func() bool {
		for _, tag := range log.identifiers("emitting") {
			if tag == "v2" {
				return true
			}
		}
		return false
	})
}
