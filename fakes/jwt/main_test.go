package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

func TestMain(m *testing.M) {
	intercept() // before any test uses http.DefaultTransport beside it
	os.Exit(m.Run())
}

// testKey is a signing key.
type testKey struct {
	jose.JSONWebKey
	document string // the private JWK
	secret   string // its d member
}

func newKey(t *testing.T, kid, algorithm string) testKey {
	t.Helper()
	var private crypto.Signer
	var err error
	switch {
	case algorithm == "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	case !strings.HasPrefix(algorithm, "ES"):
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		private, err = ecdsa.GenerateKey(map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()}[algorithm], rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	key := jose.JSONWebKey{Key: private, KeyID: kid, Algorithm: algorithm, Use: "sig"}
	document, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var members struct {
		D string `json:"d"`
	}
	if err := json.Unmarshal(document, &members); err != nil {
		t.Fatal(err)
	}
	return testKey{key, string(document), members.D}
}

const testIssuer = "http://auth.test"

// token signs a token of client web, good for life.
func (k testKey) token(t *testing.T, issuer string, life time.Duration) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Algorithm), Key: k.JSONWebKey}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jwt.Signed(signer).Claims(accessClaims{
		Claims: jwt.Claims{Issuer: issuer, Subject: "s1", Audience: jwt.Audience{Audience},
			IssuedAt: jwt.NewNumericDate(time.Now()), Expiry: jwt.NewNumericDate(time.Now().Add(life))},
		ClientID: "web",
	}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (k testKey) published() map[string]any {
	return map[string]any{"kid": k.KeyID, "alg": k.Algorithm, "jwk": json.RawMessage(k.document)}
}
