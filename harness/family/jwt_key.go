package family

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// jwtKind makes signing keys. Its entries are what fakes.ServeIssuer reads: the
// kid, the algorithm, and the private key as a JWK (RFC 7517).
type jwtKind struct {
	algorithm string                   // the page's
	other     func(page string) string // makes it another; nil: it is not
}

var _ kind = jwtKind{}

// rsaBits is the least size that RS256 and PS256 allow (RFC 7518 §3.3, §3.5).
const rsaBits = 2048

// generate makes a key that is named by its thumbprint (RFC 7638, SHA-256), so
// that no kid is ever used for two keys.
func (k jwtKind) generate(string) (map[string]any, error) {
	algorithm := k.algorithm
	if k.other != nil {
		algorithm = k.other(algorithm)
	}
	private, err := newKey(algorithm)
	if err != nil {
		return nil, err
	}
	key := jose.JSONWebKey{Key: private, Algorithm: algorithm, Use: "sig"}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("take the thumbprint of a key: %w", err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return document(map[string]any{"kid": key.KeyID, "alg": algorithm, "jwk": key})
}

func newKey(algorithm string) (crypto.Signer, error) {
	switch jose.SignatureAlgorithm(algorithm) {
	case jose.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.ES512:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case jose.EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	}
	return nil, fmt.Errorf("make a key of type %q: known are %s", algorithm, strings.Join(contract.SignatureAlgorithms(), ", "))
}

// errNotASigningKey stands for whatever is wrong with an entry: the decoder's
// own errors may quote it.
var errNotASigningKey = errors.New("it is not a kid with a private key as a JWK (RFC 7517)")

// parse reads an entry.
func (jwtKind) parse(entry map[string]any) (credential, error) {
	key, err := signingKey(entry)
	if err != nil {
		return credential{}, err
	}
	values, err := privateParts(key)
	if err != nil {
		return credential{}, err
	}
	return credential{identifier: key.KeyID, entry: entry, values: values}, nil
}

// signingKey is the private key of an entry, or the secret.
func signingKey(entry map[string]any) (jose.JSONWebKey, error) {
	if _, shared := entry["value"]; shared {
		return sharedKey(entry)
	}
	encoded, err := json.Marshal(entry["jwk"])
	if err != nil {
		return jose.JSONWebKey{}, errNotASigningKey
	}
	var key jose.JSONWebKey
	if key.UnmarshalJSON(encoded) != nil || key.KeyID == "" || key.KeyID != entry["kid"] || key.IsPublic() || !key.Valid() {
		return jose.JSONWebKey{}, errNotASigningKey
	}
	return key, nil
}

// privateParts are the forms in which a key could leak: the private members of
// its JWK (RFC 7518 §6.2.2 and §6.3.2, RFC 8037 §2) as they are written and as bytes, and
// its PKCS #8 form.
func privateParts(key jose.JSONWebKey) ([]string, error) {
	var numbers [][]byte
	switch private := key.Key.(type) {
	case *ecdsa.PrivateKey:
		d, err := private.Bytes()
		if err != nil {
			return nil, errNotASigningKey
		}
		numbers = append(numbers, d)
	case ed25519.PrivateKey:
		numbers = append(numbers, private.Seed()) // d (RFC 8037 §2)
	case *rsa.PrivateKey:
		p := private.Precomputed
		numbers = append(numbers, private.D.Bytes(), p.Dp.Bytes(), p.Dq.Bytes(), p.Qinv.Bytes())
		for _, prime := range private.Primes {
			numbers = append(numbers, prime.Bytes())
		}
	default:
		return nil, errNotASigningKey
	}
	der, err := x509.MarshalPKCS8PrivateKey(key.Key)
	if err != nil {
		return nil, errNotASigningKey
	}
	block := bytes.TrimSpace(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	parts := []string{string(block), string(der)}
	for _, n := range numbers {
		parts = append(parts, string(n), base64.RawURLEncoding.EncodeToString(n))
	}
	return parts, nil
}
