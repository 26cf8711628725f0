package contract_test

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

func TestHeldOf(t *testing.T) {
	document := func(value string) map[string]any {
		return map[string]any{"emit": "k1", "keys": []any{
			map[string]any{"tag": "k1", "value": value}, map[string]any{"kid": "other", "jwk": map[string]any{"d": value}},
		}}
	}
	one, same, other := contract.HeldOf(document("s3cret")), contract.HeldOf(document("s3cret")), contract.HeldOf(document("s3cret\n"))
	if one.Emit != "k1" || len(one.Keys) != 2 {
		t.Fatalf("got %+v, want k1 emitted among two entries, by tag and by kid", one)
	}
	for name, print := range one.Keys {
		if print != same.Keys[name] || print == other.Keys[name] || strings.Contains(print, "s3cret") {
			t.Errorf("%s: got %q, %q and %q; want the same of the same value only, and no value", name, print, same.Keys[name], other.Keys[name])
		}
	}
}
