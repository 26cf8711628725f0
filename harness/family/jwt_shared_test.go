package family

import (
	"slices"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func TestSharedSecrets(t *testing.T) {
	for _, algorithm := range contract.SharedAlgorithms() {
		entry, err := sharedKind{algorithm}.generate("k1")
		if err != nil {
			t.Fatal(err)
		}
		c, err := sharedKind{algorithm}.parse(entry)
		if err != nil {
			t.Fatal(err)
		}
		value, _ := entry["value"].(string)
		if len(value) < 64 || c.identifier != entry["kid"] || !strings.HasPrefix(c.identifier, "k1-") || strings.Contains(c.identifier, value[:6]) || entry["alg"] != algorithm {
			t.Errorf("%s: got %s for %d bytes, want a kid that says nothing of at least 64", algorithm, c.identifier, len(value))
		}
		if !slices.Contains(c.values, value) {
			t.Errorf("%s: what could leak lacks the value", algorithm)
		}
		key, err := signingKey(entry)
		if secret, _ := key.Key.([]byte); err != nil || string(secret) != value {
			t.Errorf("%s: signs with %v, %v, want the bytes of the text", algorithm, key.Key, err)
		}
	}
	for _, entry := range []map[string]any{{"kid": "k1"}, {"kid": "k1", "alg": "HS256", "value": ""}, {"alg": "HS256", "value": "one"}} {
		if _, err := (sharedKind{"HS256"}).parse(entry); err == nil || strings.Contains(err.Error(), "one") && strings.Contains(err.Error(), "value one") {
			t.Errorf("%v: got %v, want an error that does not quote it", entry, err)
		}
	}
}
