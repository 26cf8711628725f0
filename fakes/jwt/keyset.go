package jwt

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// publishedKeys is the document that an issuer reads: all keys in it are
// accepted, and the one named by Emit signs.
type publishedKeys struct {
	Emit string `json:"emit"`
	Keys []struct {
		KID string `json:"kid"`
		// Algorithm is one of contract.SignatureAlgorithms.
		Algorithm string `json:"alg"`
		// JWK is the private key (RFC 7517); Value the secret in its place, where the
		// algorithm is one of contract.SharedAlgorithms.
		JWK   json.RawMessage `json:"jwk"`
		Value string          `json:"value"`
	} `json:"keys"`
}

// keySet is what an issuer makes of the document: the public set that it
// serves, and the signer of the emitted key.
type keySet struct {
	kids   []string // the emitted one first
	emit   string
	signer jose.Signer
	// others sign with the accepted keys that are not emitted: for a canary.
	others map[string]jose.Signer
	jwks   []byte
	// emitted is how many keys are the one to emit, and shared the kids of secrets, which
	// are in no set.
	emitted int
	shared  []string
}

// newKeySet checks every key of the document, and names each. An error names the kid and never
// what the key holds.
func newKeySet(doc publishedKeys, n kidNames) (*keySet, error) {
	set := &keySet{emit: doc.Emit, others: map[string]jose.Signer{}}
	var emitted, others []jose.JSONWebKey
	for _, entry := range doc.Keys {
		algorithm := jose.SignatureAlgorithm(entry.Algorithm)
		if entry.Value != "" && slices.Contains(contract.SharedAlgorithms(), entry.Algorithm) {
			if entry.KID == "" {
				return nil, fmt.Errorf("load a secret: want a kid")
			}
			shared := jose.JSONWebKey{Key: []byte(entry.Value), KeyID: n.inToken(entry.KID)}
			if err := set.add(doc, entry.KID, algorithm, shared); err != nil {
				return nil, err
			}
			set.shared = append(set.shared, entry.KID)
			continue
		}
		if !slices.Contains(contract.SignatureAlgorithms(), entry.Algorithm) {
			return nil, fmt.Errorf("load key %s: alg %q is not supported, only %s are", entry.KID, entry.Algorithm, strings.Join(contract.SignatureAlgorithms(), ", "))
		}
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(entry.JWK); err != nil {
			return nil, fmt.Errorf("load key %s: %w", entry.KID, err)
		}
		key.KeyID = entry.KID
		public := key.Public()
		if entry.KID == "" || key.IsPublic() || !public.Valid() {
			return nil, fmt.Errorf("load key %s: want a kid and a private asymmetric key", entry.KID)
		}
		public.Algorithm, public.Use, public.KeyID = entry.Algorithm, "sig", n.inSet(entry.KID)
		key.KeyID = n.inToken(entry.KID)
		if err := set.add(doc, entry.KID, algorithm, key); err != nil {
			return nil, err
		}
		if entry.KID != doc.Emit {
			others = append(others, public)
			continue
		}
		emitted = append(emitted, public)
	}
	if set.emitted != 1 {
		return nil, fmt.Errorf("load keys: emit names %q: want exactly one such key among %d, got %d", doc.Emit, len(doc.Keys), set.emitted)
	}
	all := append(emitted, others...)
	for _, key := range all {
		set.kids = append(set.kids, key.KeyID)
	}
	if len(set.shared) > 0 {
		all = []jose.JSONWebKey{} // a secret is in no set
	}
	jwks, err := json.Marshal(jose.JSONWebKeySet{Keys: all})
	if err != nil {
		return nil, fmt.Errorf("load keys: encode the public set: %w", err)
	}
	set.jwks = jwks
	return set, nil
}

// add takes a key of the document to sign with.
func (s *keySet) add(doc publishedKeys, kid string, algorithm jose.SignatureAlgorithm, key jose.JSONWebKey) error {
	options := (&jose.SignerOptions{}).WithType("JWT")
	if secret, shared := key.Key.([]byte); shared { // of which the library tells no kid
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: secret}, options.WithHeader("kid", key.KeyID))
		return s.take(doc, kid, signer, err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	return s.take(doc, kid, signer, err)
}

func (s *keySet) take(doc publishedKeys, kid string, signer jose.Signer, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("load key %s: %w", kid, err)
	case kid == doc.Emit:
		s.signer = signer
		s.emitted++
	default:
		s.others[kid] = signer
	}
	return nil
}

// signing is the set with another published key to sign with; nil where the kid
// is none of them, itself for "".
func (s *keySet) signing(kid string) *keySet {
	if kid == "" || kid == s.emit {
		return s
	}
	signer, ok := s.others[kid]
	if !ok {
		return nil
	}
	other := *s
	other.emit, other.signer = kid, signer
	return &other
}
