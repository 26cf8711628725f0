package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl"
	hcltoken "github.com/hashicorp/hcl/hcl/token"
)

// policy is an ACL policy: what its text grants, path by path.
type policy struct {
	text  string
	rules map[string][]string // capabilities by path, which may end in *
}

// capabilities are those that Vault knows.
var capabilities = []string{"create", "read", "update", "delete", "list", "patch", "sudo", "deny", "subscribe", "recover"}

// defaultPolicy is the part of Vault's default policy that concerns paths which
// this store has.
var defaultPolicy = policy{
	text: `path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
`,
	rules: map[string][]string{"auth/token/lookup-self": {"read"}, "auth/token/revoke-self": {"update"}},
}

// parsePolicy reads a policy as Vault does, in HCL or JSON. What this store
// could not enforce (segments, templates, parameters) is an error.
func parsePolicy(text string) (policy, error) {
	var doc struct {
		Name string `hcl:"name"`
		Path map[string]struct {
			Capabilities []string                  `hcl:"capabilities"`
			Unknown      map[string][]hcltoken.Pos `hcl:",unusedKeyPositions"`
		} `hcl:"path"`
	}
	if err := hcl.Decode(&doc, text); err != nil {
		return policy{}, fmt.Errorf("failed to parse policy: %w", err)
	}
	p := policy{text: text, rules: map[string][]string{}}
	for path, rule := range doc.Path {
		if len(rule.Unknown) > 0 {
			return policy{}, fmt.Errorf("failed to parse policy: path %q: the embedded store does not enforce %s",
				path, strings.Join(slices.Sorted(maps.Keys(rule.Unknown)), ", "))
		}
		if strings.Contains(path, "+") || strings.Contains(path, "{{") {
			return policy{}, fmt.Errorf("failed to parse policy: path %q: the embedded store knows neither segments (+) nor templates", path)
		}
		for _, c := range rule.Capabilities {
			if !slices.Contains(capabilities, c) {
				return policy{}, fmt.Errorf("failed to parse policy: path %q: invalid capability %q", path, c)
			}
		}
		p.rules[path] = rule.Capabilities
	}
	return p, nil
}

// errNoPolicy is Vault's answer to a policy without a text.
var errNoPolicy = errors.New("'policy' parameter not supplied or empty")

// allows reports whether a token's policies grant an operation. Over all of
// them the most specific path decides: an exact one before the longest prefix.
// Where several policies have that path their capabilities add up, and deny
// wins (Vault documentation, "Policies: priority matching").
func (s *Server) allows(t *token, op operation, path string) bool {
	if t.root() {
		return true
	}
	exact := []string{path}
	if op == list {
		exact = append(exact, strings.TrimSuffix(path, "/"))
	}
	best, granted := "", []string(nil)
	for _, name := range t.policies {
		for rule, caps := range s.policies[name].rules {
			rank := match(rule, exact)
			switch {
			case rank == "" || len(rank) < len(best):
			case len(rank) > len(best):
				best, granted = rank, slices.Clone(caps)
			default:
				granted = append(granted, caps...)
			}
		}
	}
	return !slices.Contains(granted, "deny") && slices.Contains(granted, string(op))
}

// match says how specifically a rule's path matches: empty where it does not,
// and the longer the better. An exact match is longer than any prefix.
func match(rule string, paths []string) string {
	prefix, glob := strings.CutSuffix(rule, "*")
	for _, p := range paths {
		if !glob && rule == p {
			return p + "==="
		}
	}
	if glob && strings.HasPrefix(paths[0], prefix) {
		return prefix + "*"
	}
	return ""
}
