package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/rehearse-dev/rehearse/harness/vaultpath"
)

// tokenLife is how long a reader's token is good for, beyond any rehearsal.
// Close revokes it; the life bounds what a run that died leaves behind.
const tokenLife = "24h"

// Token makes a token for one reader, which may read the given paths of the
// run's mount and nothing else. The name appears in the server's audit lines:
// ReadLine finds it there. Names are those of services: letters, digits and
// hyphens.
func (s *Store) Token(ctx context.Context, name string, paths ...string) (string, error) {
	var rules strings.Builder
	for _, p := range paths {
		if err := vaultpath.Check(p); err != nil {
			return "", fmt.Errorf("make token for %s: %w", name, err)
		}
		fmt.Fprintf(&rules, "path %q { capabilities = [\"read\"] }\n", s.mount+"/data/"+p)
	}
	if rules.Len() == 0 {
		return "", fmt.Errorf("make token for %s: no path that it may read", name)
	}
	if err := segments(name); err != nil {
		return "", fmt.Errorf("make token for %q: %w", name, err)
	}
	return s.token(ctx, name, s.mount+"-"+name, rules.String())
}

// itself is the name in audit lines of a run's own token: none of a service,
// which has no capitals.
const itself = "REHEARSE"

// rules of a run's own token: all that a run does in its mounts, and nothing
// anywhere else.
const ownRules = `path "%[1]s/data/*" { capabilities = ["create", "read", "update"] }
path "%[1]s/metadata/*" { capabilities = ["read"] }
path "%[1]s/destroy/*" { capabilities = ["create", "update"] }
path "%[2]s/config/*" { capabilities = ["create", "update"] }
path "%[2]s/static-roles/*" { capabilities = ["create", "update"] }
path "%[2]s/rotate-role/*" { capabilities = ["create", "update"] }
path "%[2]s/static-creds/*" { capabilities = ["read"] }
`

// restrict makes the token with which the run does all in its own mounts. The
// one that it was given can do more than that, and is used for nothing there.
func (s *Store) restrict(ctx context.Context) error {
	token, err := s.token(ctx, itself, s.mount, fmt.Sprintf(ownRules, s.mount, databasesOf(s.mount)))
	if err != nil {
		return err
	}
	s.own, err = newClient(s.url, token, inside(s.mount))
	return err
}

// token makes a token with a policy of its own. The run's own is a child of the
// one that it was given, and ends with it at the latest.
func (s *Store) token(ctx context.Context, name, policy, rules string) (string, error) {
	if err := s.note(policy, ""); err != nil {
		return "", err
	}
	if err := s.given.Sys().PutPolicyWithContext(ctx, policy, rules); err != nil {
		return "", fmt.Errorf("write policy %s: %w", policy, err)
	}
	if !slices.Contains(s.policies, policy) {
		s.policies = append(s.policies, policy)
	}
	renewable := false
	secret, err := s.given.Auth().Token().CreateWithContext(ctx, &api.TokenCreateRequest{
		DisplayName: name, Policies: []string{policy}, NoDefaultPolicy: true, NoParent: name != itself, TTL: tokenLife, Renewable: &renewable,
	})
	if err != nil {
		return "", fmt.Errorf("make token for %s: %w", name, err)
	}
	if secret == nil || secret.Auth == nil || secret.Auth.ClientToken == "" {
		return "", fmt.Errorf("make token for %s: %w", name, errAnswer)
	}
	s.accessors = append(s.accessors, secret.Auth.Accessor)
	if err := s.note("", secret.Auth.Accessor); err != nil {
		return "", err
	}
	return secret.Auth.ClientToken, nil
}

// auditDevice is the name of the device that EnableAudit enables.
const auditDevice = "rehearse"

// EnableAudit makes the server write who does what to its standard output,
// without any value. It is for a server that the run itself started: the lines
// of a team's own go where the team wants them.
func (s *Store) EnableAudit(ctx context.Context) error {
	err := s.given.Sys().EnableAuditWithOptionsWithContext(ctx, auditDevice, &api.EnableAuditOptions{
		Type: "file", Options: map[string]string{"file_path": "stdout"},
	})
	if err != nil {
		return fmt.Errorf("enable audit of the store: %w", err)
	}
	return nil
}

// AuditLine is one answered request, as the audit device of a Vault has it.
type AuditLine struct {
	// DisplayName is who asked: the auth method's name with what it knows of
	// the party ("kubernetes-prod-checkout"), "token-NAME" for a token of that name.
	DisplayName string
	Path        string // API path, without /v1/
	Operation   string // "read", "list", …
}

// ParseAudit reads a line of an audit device's log. It is false for lines that
// are no audit lines, for requests before their answer, and for what was refused.
func ParseAudit(line []byte) (AuditLine, bool) {
	if len(line) == 0 || line[0] != '{' {
		return AuditLine{}, false
	}
	var l struct {
		Type  string `json:"type"`
		Error string `json:"error"`
		Auth  struct {
			DisplayName string `json:"display_name"`
		} `json:"auth"`
		Request struct {
			Operation string `json:"operation"`
			Path      string `json:"path"`
		} `json:"request"`
	}
	if err := json.Unmarshal(line, &l); err != nil || l.Type != "response" || l.Error != "" {
		return AuditLine{}, false
	}
	return AuditLine{l.Auth.DisplayName, l.Request.Path, l.Request.Operation}, true
}

// ReadLine finds in a line of the server's log what one of Token's readers did:
// the reader's name, the API path, and the operation. Beside what ParseAudit
// leaves out it is false for what the harness did itself.
func ReadLine(line []byte) (reader, path, operation string, ok bool) {
	l, ok := ParseAudit(line)
	if !ok {
		return "", "", "", false
	}
	reader, ok = strings.CutPrefix(l.DisplayName, "token-")
	if !ok || reader == itself {
		return "", "", "", false
	}
	return reader, l.Path, l.Operation, true
}
