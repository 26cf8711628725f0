package family

import (
	"maps"
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// TestPartsAreThoseOfTheFamily: what settings may ask for is there, in every family.
func TestPartsAreThoseOfTheFamily(t *testing.T) {
	key, err := jwtKind{algorithm: "ES256"}.generate("k1")
	if err != nil {
		t.Fatal(err)
	}
	for name, entry := range map[string]map[string]any{
		"api-key":           {"tag": "k1", "value": "one"},
		"webhook-secret":    {"tag": "k1", "value": "one", "revoked": false},
		"database-password": {"tag": "k1", "user": "shop", "password": "one"},
		"jwt-signing-key":   key,
		"jwt-shared-secret": {"kid": "k1-x", "alg": "HS256", "value": "one"},
	} {
		parts, err := Parts(entry)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, want := slices.Sorted(maps.Keys(parts)), runbook.Traits[name].Parts; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
		for part, text := range parts {
			if text == "" {
				t.Errorf("%s: %s is empty", name, part)
			}
		}
	}
	if _, err := Parts(map[string]any{"tag": "k1"}); err == nil {
		t.Error("want an error for an entry without a value")
	}
}
