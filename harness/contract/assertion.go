package contract

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// KeyClient is a client that proves who it is by a key that only it has (RFC 7523 §2.2).
type KeyClient struct {
	ID string `yaml:"id" json:"id"` // its identifier, as checkout
	// Key is its private key, PEM as PKCS #8, PKCS #1 or SEC 1: {{ .env.CLIENT_KEY }}.
	Key string `yaml:"key" json:"key"`
	Kid string `yaml:"kid,omitempty" json:"kid,omitempty"` // by which the issuer knows the key
	// Audience is who is to take it; default is the endpoint's own address.
	Audience string `yaml:"audience,omitempty" json:"audience,omitempty"`
	// Algorithm is how it is signed; default is RS256 of an RSA key, and of others the
	// one of their curve (RFC 7518 §3.1, RFC 8037 §3.1).
	Algorithm string `yaml:"algorithm,omitempty" json:"algorithm,omitempty"`
}

// AssertionAlgorithms are those by which a client's own token can be signed.
var AssertionAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// assertionType is what a form says that a client's own token is (RFC 7523 §2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// assertionLife is how long one may be shown; each is made for one request.
const assertionLife = time.Minute

// errKey stands for what is wrong with a key: a parser's own errors may quote it.
var errKey = errors.New("the key of private_key_jwt is no private key as PEM (RSA, EC or Ed25519)")

// assertion is a client's own token for one request (OpenID Connect Core §9). The error
// quotes nothing of the key.
func (k KeyClient) assertion(endpoint string, now time.Time) (string, error) {
	key, usual, err := readKey(k.Key)
	if err != nil {
		return "", err
	}
	id := rand.Text()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(cmp.Or(k.Algorithm, usual)), jwt.MapClaims{
		"iss": k.ID, "sub": k.ID, "aud": cmp.Or(k.Audience, endpoint), "jti": id,
		"iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	if k.Kid != "" {
		token.Header["kid"] = k.Kid
	}
	signed, err := token.SignedString(key)
	if err != nil {
		return "", fmt.Errorf("sign by private_key_jwt: %w: a key of another type than %s wants", errKey, token.Method.Alg())
	}
	return signed, nil
}

// readKey reads a private key, and says how one of its kind usually signs. Where a
// shell or a file of variables has its lines as \n, they are taken for lines.
func readKey(text string) (crypto.Signer, string, error) {
	block, _ := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
	if block == nil {
		return nil, "", errKey
	}
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, "", errKey
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, "RS256", nil
	case *ecdsa.PrivateKey:
		if usual, known := map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[key.Curve.Params().BitSize]; known {
			return key, usual, nil
		}
	case ed25519.PrivateKey:
		return key, "EdDSA", nil
	}
	return nil, "", errKey
}
