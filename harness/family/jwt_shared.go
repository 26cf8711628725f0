package family

import (
	"crypto/rand"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// jwtSharedSecret is the family of the secrets that both sign and check JSON Web Tokens (HS256 and its
// like). There is no key set: validators hold what signers hold, and learn and forget by how they get
// it.
type jwtSharedSecret struct{}

var _ Family = jwtSharedSecret{}

// Configure tells issuers and checkers who they are and how fast time runs.
func (jwtSharedSecret) Configure(p *plan.Plan) error {
	emitter, err := pageEmitter(p)
	if err != nil {
		return err
	}
	for i := range p.Services {
		s := &p.Services[i]
		switch s.Serve {
		case "issuer":
			s.Config = &contract.Issuer{Name: s.Name, Issuer: contract.AddressOf(emitter), Published: readsOf(p, s)}
		case "checker":
			s.Config = &contract.Checker{Name: s.Name, Issuer: contract.AddressOf(emitter), Published: readsOf(p, s), Holds: s.Holds}
		}
	}
	return nil
}

// Bind makes the family's steps on the store, and probes that sign tokens of their own.
func (jwtSharedSecret) Bind(b Backend) Binding {
	return bindTokens(b, sharedKind{b.Plan.Runbook.Format.Type})
}

// sharedKind makes secrets. Its entries are what issuers and checkers read: the kid, the
// algorithm, and the secret as a text, whose bytes are the key.
type sharedKind struct{ algorithm string }

var _ kind = sharedKind{}

// generate makes a secret. Its kid says nothing of it, as a thumbprint would (RFC 7638 §7).
func (k sharedKind) generate(name string) (map[string]any, error) {
	kid := name + "-" + strings.ToLower(rand.Text()[:8])
	return map[string]any{"kid": kid, "alg": k.algorithm, "value": newShared()}, nil
}

// newShared is a secret of some 80 letters and digits, which is more than the 64 bytes
// that HS512 wants at least (RFC 7518 §3.2).
func newShared() string { return rand.Text() + rand.Text() + rand.Text() }

var errNotAShared = errors.New("it is not a kid with an algorithm and a value")

// parse reads an entry.
func (sharedKind) parse(entry map[string]any) (credential, error) {
	key, err := sharedKey(entry)
	if err != nil {
		return credential{}, err
	}
	return credential{identifier: key.KeyID, entry: entry, values: []string{string(key.Key.([]byte))}}, nil
}

// sharedKey is the key of an entry.
func sharedKey(entry map[string]any) (jose.JSONWebKey, error) {
	kid, _ := entry["kid"].(string)
	algorithm, _ := entry["alg"].(string)
	value, _ := entry["value"].(string)
	if kid == "" || algorithm == "" || value == "" {
		return jose.JSONWebKey{}, errNotAShared
	}
	return jose.JSONWebKey{Key: []byte(value), KeyID: kid, Algorithm: algorithm, Use: "sig"}, nil
}
