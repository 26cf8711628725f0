package family

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// Parts are the parts of a published entry that a service can be given separately
// (runbook.FamilyTraits.Parts), by name. The value of a login is its password; that of a signing key
// its PKCS #8 form in PEM (RFC 7468 §10), and the public key of that is there in PEM (§13) and as a
// JWK (RFC 7517 §4), for a service that only checks. Errors never quote an entry.
func Parts(entry map[string]any) (map[string]string, error) {
	parts := map[string]string{"identifier": contract.EntryName(entry)}
	if _, key := entry["jwk"]; key {
		return parts, keyParts(parts, entry)
	}
	for part, field := range map[string]string{"value": "value", "user": "user"} {
		if text, ok := entry[field].(string); ok {
			parts[part] = text
		}
	}
	if password, ok := entry["password"].(string); ok {
		parts["value"] = password
	}
	if parts["value"] == "" {
		return nil, fmt.Errorf("%q has no value", parts["identifier"])
	}
	return parts, nil
}

// keyParts adds those of a signing key.
func keyParts(parts map[string]string, entry map[string]any) error {
	key, err := signingKey(entry)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(entry["jwk"])
	if err != nil {
		return errNotASigningKey
	}
	der, err := x509.MarshalPKCS8PrivateKey(key.Key)
	if err != nil {
		return errNotASigningKey
	}
	parts["value"] = string(bytes.TrimSpace(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	public := key.Public()
	set, err := json.Marshal(public)
	if err != nil {
		return errNotASigningKey
	}
	if der, err = x509.MarshalPKIXPublicKey(public.Key); err != nil {
		return errNotASigningKey
	}
	parts["jwk"], parts["public_jwk"] = string(encoded), string(set)
	parts["public"] = string(bytes.TrimSpace(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	return nil
}
