package contract

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

func pemOf(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// TestPrivateKeyJWT asks an endpoint that knows the client's public key: with its key,
// and with that of another client.
func TestPrivateKeyJWT(t *testing.T) {
	t.Parallel()
	ec, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	another, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	old, _ := rsa.GenerateKey(rand.Reader, 2048)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(old)}))
	for _, tt := range []struct {
		name   string
		client KeyClient
		public crypto.PublicKey
		alg    string
		aud    string // "": the endpoint
		fails  string
	}{
		{"EC", KeyClient{ID: "shop", Key: pemOf(t, ec), Kid: "c1"}, ec.Public(), "ES384", "", ""},
		{"RSA, PKCS #1, another audience", KeyClient{ID: "shop", Key: pkcs1, Audience: "https://idp.example"}, old.Public(), "RS256", "https://idp.example", ""},
		{"RSA, PSS", KeyClient{ID: "shop", Key: pkcs1, Algorithm: "PS256"}, old.Public(), "PS256", "", ""},
		{"Ed25519, in one line", KeyClient{ID: "shop", Key: strings.ReplaceAll(pemOf(t, ed), "\n", `\n`)}, ed.Public(), "EdDSA", "", ""},
		{"the key of another", KeyClient{ID: "shop", Key: pemOf(t, another)}, ec.Public(), "ES384", "", "answered 401; want 200"},
		{"no key", KeyClient{ID: "shop", Key: "payload"}, ec.Public(), "ES384", "", "is no private key as PEM"},
		{"another algorithm than the key's", KeyClient{ID: "shop", Key: pkcs1, Algorithm: "ES256"}, ec.Public(), "ES256", "", "another type than ES256"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seen := map[string]bool{}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.FormValue("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || r.FormValue("grant_type") != "client_credentials" {
					t.Errorf("the form is %v", r.Form)
				}
				aud := tt.aud
				if aud == "" {
					aud = "http://" + r.Host + "/token"
				}
				token, err := jwt.Parse(r.FormValue("client_assertion"), func(*jwt.Token) (any, error) { return tt.public, nil },
					jwt.WithValidMethods([]string{tt.alg}), jwt.WithAudience(aud), jwt.WithIssuer("shop"), jwt.WithSubject("shop"), jwt.WithExpirationRequired())
				if err != nil {
					if tt.fails == "" {
						t.Errorf("it is not taken: %v", err)
					}
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				if kid, _ := token.Header["kid"].(string); kid != tt.client.Kid {
					t.Errorf("kid %q, want %q", kid, tt.client.Kid)
				}
				id, _ := token.Claims.(jwt.MapClaims)["jti"].(string)
				if id == "" || seen[id] {
					t.Errorf("jti %q was there before", id)
				}
				seen[id] = true
				_, _ = io.WriteString(w, `{"access_token":"a.b.c"}`)
			}))
			defer server.Close()
			call := TokenCall{Form: map[string]string{"grant_type": "client_credentials"}, PrivateKeyJWT: &tt.client}
			for range 2 {
				_, err := call.Ask(t.Context(), server.Client(), server.URL, "tester")
				if tt.fails == "" && err != nil || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails) || strings.Contains(err.Error(), "payload")) {
					t.Errorf("got %v, want %q", err, tt.fails)
				}
			}
		})
	}
}
