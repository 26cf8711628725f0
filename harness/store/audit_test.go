package store_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// audited is a line of a Vault's audit device, as far as it tells who asked for what.
type audited struct {
	Type string `json:"type"`
	Auth struct {
		Policies []string `json:"policies"`
	} `json:"auth"`
	Request struct {
		Operation string `json:"operation"`
		Path      string `json:"path"`
	} `json:"request"`
}

var (
	// ofARun is the beginning of what belongs to a run: its mount, its policies.
	ofARun = regexp.MustCompile(`^rehearse-[a-z0-9]+`)
	// setUp is what the token that a run was given may be used for: mounts and policies of
	// the run's name, and tokens that are held to them. The test of the audit device itself
	// is Vault's.
	setUp = regexp.MustCompile(`^(sys/(mounts|policies/acl)/rehearse-[a-z0-9]+(-[a-z0-9-]+)?|auth/token/(create|revoke-accessor)|sys/audit/test)$`)
)

// outside says what of a request is outside of a run's own; "": nothing.
func (a audited) outside() string {
	path, policies := a.Request.Path, a.Auth.Policies
	run := ofARun.FindString(path)
	switch {
	case a.Type != "request", setUp.MatchString(path):
		return ""
	case run == "":
		return fmt.Sprintf("%s %s, which is of no run", a.Request.Operation, path)
	case slices.Contains(policies, "root"):
		return fmt.Sprintf("%s %s by the token that was given, and not by one that is held to it", a.Request.Operation, path)
	}
	for _, policy := range policies {
		if policy != run && !strings.HasPrefix(policy, run+"-") {
			return fmt.Sprintf("%s %s by a token of the policy %s, which is of another", a.Request.Operation, path, policy)
		}
	}
	return ""
}

func TestOutside(t *testing.T) {
	line := func(operation, path string, policies ...string) string {
		data, err := json.Marshal(map[string]any{
			"type": "request", "auth": map[string]any{"policies": policies}, "request": map[string]any{"operation": operation, "path": path},
		})
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for text, out := range map[string]bool{
		line("read", "rehearse-r1/data/auth/key", "rehearse-r1"):            false,
		line("read", "rehearse-r1/data/auth/key", "rehearse-r1-auth"):       false,
		line("update", "rehearse-r1-database/rotate-role/x", "rehearse-r1"): false,
		line("update", "sys/mounts/rehearse-r1", "root"):                    false,
		line("delete", "sys/policies/acl/rehearse-r1-auth", "root"):         false,
		line("update", "auth/token/create", "root"):                         false,

		line("read", "secret/data/auth/key", "root"):             true,
		line("read", "secret/data/rehearse-r1/key", "root"):      true,
		line("update", "sys/seal", "root"):                       true,
		line("update", "sys/mounts/prod", "root"):                true,
		line("list", "sys/mounts", "root"):                       true,
		line("update", "sys/policies/acl/default", "root"):       true,
		line("read", "rehearse-r1/data/auth/key", "root"):        true,
		line("read", "rehearse-r1/data/auth/key", "rehearse-r2"): true,
		line("read", "rehearse-r1/data/auth/key", "default"):     true,
		line("update", "auth/token/create-orphan", "root"):       true,
	} {
		var a audited
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatal(err)
		}
		if got := a.outside(); (got != "") != out {
			t.Errorf("%s: got %q, want it outside: %v", text, got, out)
		}
	}
}

// TestNothingOutsideItsMount holds the audit log of a Vault that rehearsals were given
// against what they may ask for: see .ci/audited.
func TestNothingOutsideItsMount(t *testing.T) {
	log := os.Getenv("REHEARSE_VAULT_AUDIT")
	if log == "" {
		t.Skip("REHEARSE_VAULT_AUDIT names no log: make test-vault-audit writes one")
	}
	file, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	asked, runs := 0, map[string]bool{}
	for lines.Scan() {
		var a audited
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		if a.Type == "request" {
			asked++
			runs[ofARun.FindString(a.Request.Path)] = true
		}
		if out := a.outside(); out != "" {
			t.Error(out)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if delete(runs, ""); asked == 0 || len(runs) == 0 {
		t.Fatalf("%d requests of %d runs: nothing was rehearsed with it", asked, len(runs))
	}
	t.Logf("%d requests of %d runs, none outside of its own", asked, len(runs))
}
