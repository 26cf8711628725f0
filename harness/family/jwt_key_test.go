package family

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func TestSigningKeysAreNamedByTheirThumbprint(t *testing.T) {
	for _, algorithm := range contract.SignatureAlgorithms() {
		entry, err := jwtKind{algorithm: algorithm}.generate("k1")
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		key, err := signingKey(entry)
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		thumbprint, err := key.Thumbprint(crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if want := base64.RawURLEncoding.EncodeToString(thumbprint); key.KeyID != want || entry["kid"] != want || entry["alg"] != algorithm {
			t.Errorf("%s: got kid %q and entry %v %v, want %s", algorithm, key.KeyID, entry["kid"], entry["alg"], want)
		}
	}
	if _, err := (jwtKind{algorithm: "HS256"}).generate("k1"); err == nil || !strings.Contains(err.Error(), "ES256") {
		t.Errorf("HS256: got %v, want an error that says what is known", err)
	}
}

func TestPrivatePartsAreAllThatTheJWKHides(t *testing.T) {
	tests := map[string][]string{"ES256": {"d"}, "ES512": {"d"}, "EdDSA": {"d"}, "RS256": {"d", "p", "q", "dp", "dq", "qi"}}
	for algorithm, members := range tests {
		k := jwtKind{algorithm: algorithm}
		entry, err := k.generate("k1")
		if err != nil {
			t.Fatal(err)
		}
		c, err := k.parse(entry)
		if err != nil {
			t.Fatal(err)
		}
		jwk := entry["jwk"].(map[string]any)
		for _, member := range members {
			text := jwk[member].(string)
			raw, err := base64.RawURLEncoding.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(c.values, text) || !slices.Contains(c.values, string(raw)) {
				t.Errorf("%s: the values lack %s as written or as bytes", algorithm, member)
			}
		}
		if !slices.ContainsFunc(c.values, func(v string) bool { return strings.HasPrefix(v, "-----BEGIN PRIVATE KEY-----") }) {
			t.Errorf("%s: the values lack the PEM form", algorithm)
		}
		public, err := json.Marshal(jwk["kid"])
		if err != nil {
			t.Fatal(err)
		}
		if holdsAny(string(public), printable(c.values)) {
			t.Errorf("%s: the kid counts as secret", algorithm)
		}
	}
}

func TestEntriesThatAreNoSigningKeys(t *testing.T) {
	good, err := jwtKind{algorithm: "ES256"}.generate("k1")
	if err != nil {
		t.Fatal(err)
	}
	key, err := signingKey(good)
	if err != nil {
		t.Fatal(err)
	}
	public, err := document(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]map[string]any{
		"nothing":        {},
		"no key":         {"kid": "x", "jwk": "text"},
		"another kid":    {"kid": "x", "jwk": good["jwk"]},
		"a public key":   {"kid": key.KeyID, "jwk": public},
		"a symmetric":    {"kid": "x", "jwk": jose.JSONWebKey{Key: []byte("secret-value"), KeyID: "x", Algorithm: "HS256"}},
		"not to be read": {"kid": "x", "jwk": func() {}},
	}
	for name, entry := range tests {
		_, err := jwtKind{algorithm: "ES256"}.parse(entry)
		if err == nil {
			t.Errorf("%s: got no error", name)
			continue
		}
		if strings.Contains(err.Error(), "secret-value") {
			t.Errorf("%s: the error quotes the entry: %v", name, err)
		}
	}
}
