package scenarios_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// elsewhere are the keys that everything.yaml does not show, and why.
var elsewhere = map[string][]string{
	"of stand-ins alone": {
		"serve", "library", "algorithms", "leeway", "of", "refresh", "ttl", "pinned", "holds", "users", "fails", "retries", "retry_after", "idempotency",
		"checks_late", "lag", "taken", "lockout", "life", "keeps_sessions", "pool", "swaps_pool", "prepares", "auth_query", "pooling", "login_retry",
		"connections", "rotated_by", "call",
	},
	"of services that check tokens, receive or deliver": {"refusal", "token", "endpoint"},
	"in place of build":     {"image", "command"},
	"a right that few need": {"new_privileges"},
	"of simulations alone":  {"count", "rollout", "batches"},
}

// TestEverythingHasEveryKey holds the scenario to copy from against the keys that there are.
func TestEverythingHasEveryKey(t *testing.T) {
	text, err := os.ReadFile("bring-your-own/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		Services map[string]map[string]any
		Load     []map[string]any
	}
	if err := yaml.Unmarshal(text, &shown); err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, s := range shown.Services {
		for key := range s {
			have = append(have, key)
		}
	}
	for _, c := range shown.Load {
		for key := range c {
			have = append(have, key)
		}
	}
	data, err := scenario.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Types map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Service", "Client"} {
		keys := schema.Types[name].Properties
		if len(keys) == 0 {
			t.Fatalf("the schema has no keys of %s", name)
		}
		for key := range keys {
			left := false
			for _, others := range elsewhere {
				left = left || slices.Contains(others, key)
			}
			if shown := slices.Contains(have, key); !shown && !left {
				t.Errorf("%s.%s is not in everything.yaml: show it, or say here why not", name, key)
			}
		}
	}
}
