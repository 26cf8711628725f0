package vaultpath_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/vaultpath"
)

func TestCheck(t *testing.T) {
	for _, path := range []string{
		"secret/data/auth/session-signing-key", "a", "team_1/data/a.b/~c@d:e=f,g", "secret/data/schlüssel", "..a/b..", "...",
	} {
		if err := vaultpath.Check(path); err != nil {
			t.Errorf("Check(%q): got %v, want no error", path, err)
		}
	}
	for _, path := range []string{
		"", "/", "/secret", "secret/", "secret//data", ".", "..", "secret/..", "secret/../sys/seal", "secret/./a", "../sys",
		"secret/%2e%2e/sys", "secret/%2E%2E", "secret%2fdata", `secret\data`, `secret\..\sys`, "secret/a b", "secret/a\x00b", "secret/a\nb", "secret/a\x7fb",
		"secret/a\u0085b", "secret/a\u202eb", "secret/a\u200bb", "secret/a*", "secret/+/a", "secret/a?list=true", "secret/a#b", `secret/a"b`,
		"secret/${a}", "secret/{{identity.entity.id}}", "secret/a;b", "secret/\xff", "secret/a&b", "secret/" + strings.Repeat("a", 600),
		"secret/．．/sys", "secret/․․/sys",
	} {
		if err := vaultpath.Check(path); !errors.Is(err, vaultpath.ErrPath) {
			t.Errorf("Check(%q): got %v, want %v", path, err, vaultpath.ErrPath)
		}
	}
}

func TestPublished(t *testing.T) {
	for path, well := range map[string]bool{
		"secret/data/auth/key": true, "team/kv/data/key": true, "secret/data/data/key": true, "secret/data/rehearse-key": true,
		"secret/auth": false, "secret/data": false, "secret/data/": false, "data/key": false,
		"secret/data/../../sys/seal": false, "secret/data/..": false, "secret/data/../../prod/data/db": false,
		"sys/data/key": false, "auth/token/data/key": false, "identity/data/a": false, "cubbyhole/data/a": false,
		"secret/data/rehearse/keyring": false, "secret/data/rehearse/credentials/k1": false, "secret/data/rehearse": false,
	} {
		if err := vaultpath.Published(path); (err == nil) != well || err != nil && !errors.Is(err, vaultpath.ErrPath) {
			t.Errorf("Published(%q): got %v, want well %t", path, err, well)
		}
	}
}

func TestWritten(t *testing.T) {
	for path, well := range map[string]bool{
		"secret/data/auth/key": true, "database/rotate-role/orders": true, "transit/keys/session/rotate": true, "sys/leases/revoke": true,
		"sys/seal": false, "sys": false, "sys/leases/../seal": false, "secret/../sys/seal": false, "/secret/data/a": false, "system/data/a": true,
	} {
		if err := vaultpath.Written(path); (err == nil) != well {
			t.Errorf("Written(%q): got %v, want well %t", path, err, well)
		}
	}
}
