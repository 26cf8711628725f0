package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxTTL is Vault's default for max_lease_ttl, and for a token's life where
// none was asked for.
const maxTTL = 768 * time.Hour

// token is one token; its value is kept as a hash only.
type token struct {
	accessor, displayName, path string
	policies                    []string
	meta                        map[string]any
	issued                      time.Time
	ttl, explicitMaxTTL         time.Duration // 0: none
	renewable, orphan           bool
	parent                      *token // whose revocation ends this one too; nil for orphans
}

// root reports whether a token may do everything.
func (t *token) root() bool { return slices.Contains(t.policies, "root") }

// expired reports whether a token's life is over.
func (t *token) expired(now time.Time) bool { return t.ttl > 0 && !now.Before(t.issued.Add(t.ttl)) }

// clientID is what Vault counts clients by: a hash over the policies.
func (t *token) clientID() string {
	sum := sha256.Sum256([]byte(strings.Join(t.policies, "\n")))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// tokens are the tokens that are alive, by the SHA-256 of their value.
type tokens struct {
	byHash map[[sha256.Size]byte]*token
}

func newTokens(root string, now time.Time) *tokens {
	t := &tokens{byHash: map[[sha256.Size]byte]*token{}}
	t.byHash[sha256.Sum256([]byte(root))] = &token{
		accessor: randomText(24), displayName: "token", path: "auth/token/create",
		policies: []string{"root"}, issued: now, orphan: true,
	}
	return t
}

// find is the token of a value; nil where there is none or its life is over.
func (t *tokens) find(value string, now time.Time) *token {
	tok := t.byHash[sha256.Sum256([]byte(value))]
	if tok == nil || tok.expired(now) {
		return nil
	}
	return tok
}

// revoke ends a token and those that it made.
func (t *tokens) revoke(gone *token) {
	for hash, tok := range t.byHash {
		if tok == gone {
			delete(t.byHash, hash)
		}
	}
	for _, tok := range t.byHash {
		if tok.parent == gone {
			t.revoke(tok)
		}
	}
}

// tokenPath answers auth/token/….
func (s *Server) tokenPath(req *request, path string) *response {
	wanted := map[string]operation{
		"create": update, "lookup-self": read, "revoke-self": update, "revoke": update, "revoke-accessor": update,
	}[path]
	switch {
	case wanted == "":
		return refuse(http.StatusNotFound, errorList("unsupported path"))
	case wanted != req.operation:
		return unsupported()
	}
	var resp *response
	switch path {
	case "create":
		resp = s.createToken(req)
	case "lookup-self":
		resp = &response{status: http.StatusOK, data: req.token.describe(req.secret, req.now)}
	case "revoke-self":
		s.tokens.revoke(req.token)
		resp = done()
	case "revoke":
		value := req.fields.text("token")
		if value == "" {
			return refuse(http.StatusBadRequest, "missing token ID")
		}
		if tok := s.tokens.find(value, req.now); tok != nil {
			s.tokens.revoke(tok)
		}
		resp = done()
	case "revoke-accessor":
		resp = s.revokeAccessor(req)
	}
	if resp.errors == nil && resp.status == http.StatusOK {
		resp.mountType = "token"
	}
	return resp
}

func (s *Server) revokeAccessor(req *request) *response {
	accessor := req.fields.text("accessor")
	if accessor == "" {
		return refuse(http.StatusBadRequest, errorList("missing accessor"))
	}
	for _, tok := range s.tokens.byHash {
		if tok.accessor == accessor {
			s.tokens.revoke(tok)
			return done()
		}
	}
	return &response{status: http.StatusOK, warnings: []string{"No token found with this accessor"}}
}

// notInNames is what a display name may not have.
var notInNames = regexp.MustCompile(`[^a-zA-Z0-9-]`)

// createToken makes a service token. Only a root token may: Vault would let
// others make tokens with a part of their own policies.
func (s *Server) createToken(req *request) *response {
	if !req.token.root() {
		return refuse(http.StatusForbidden, errorList("permission denied"))
	}
	if kind := req.fields.text("type"); kind != "" && kind != "service" {
		return refuse(http.StatusBadRequest, "the embedded store makes tokens of type service only")
	}
	tok := &token{
		accessor: randomText(24), path: "auth/token/create", issued: req.now,
		renewable: req.fields.truth("renewable", true), orphan: req.fields.truth("no_parent", false),
	}
	if !tok.orphan {
		tok.parent = req.token
	}
	tok.displayName = strings.TrimSuffix("token-"+notInNames.ReplaceAllString(req.fields.text("display_name"), "-"), "-")
	if m, err := req.fields.object("meta"); err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	} else if len(m) > 0 {
		tok.meta = m
	}
	var warnings []string
	tok.policies, warnings = s.policiesOf(req)
	var err error
	if tok.ttl, err = req.fields.span("ttl"); err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	if tok.explicitMaxTTL, err = req.fields.span("explicit_max_ttl"); err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	switch {
	case !tok.root():
		warnings = append(warnings, tok.capTTL()...)
	case tok.ttl == 0:
		tok.renewable = false
	}
	value := req.fields.text("id")
	if value == "" {
		value = "hvs." + randomText(24)
	} else {
		if s.tokens.find(value, req.now) != nil {
			return refuse(http.StatusBadRequest, "cannot create a token with a duplicate ID")
		}
		warnings = append(warnings, "Supplying a custom ID for the token uses the weaker SHA1 hashing instead of the more secure SHA2-256 HMAC for token obfuscation. SHA1 hashed tokens on the wire leads to less secure lookups.")
	}
	s.tokens.byHash[sha256.Sum256([]byte(value))] = tok
	return (&response{status: http.StatusOK, warnings: warnings, auth: tok.auth(value)}).warn(req.fields.unknown(
		"policies", "display_name", "ttl", "explicit_max_ttl", "no_parent", "no_default_policy", "renewable", "meta", "id", "type"))
}

// capTTL gives a token a life where none was asked for, and bounds it.
func (t *token) capTTL() (warnings []string) {
	longest := maxTTL
	if t.explicitMaxTTL > 0 {
		longest = min(longest, t.explicitMaxTTL)
	}
	if t.ttl == 0 {
		t.ttl = maxTTL
	}
	if t.ttl > longest {
		warnings = append(warnings, fmt.Sprintf("TTL of %q exceeded the effective max_ttl of %q; TTL value is capped accordingly",
			short(t.ttl), short(longest)))
		t.ttl = longest
	}
	return warnings
}

// short writes a length of time without the parts that are zero at its end.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// policiesOf reads which policies a new token is to have, sorted, and warns of
// those that there are not.
func (s *Server) policiesOf(req *request) (names, warnings []string) {
	for _, n := range req.fields.list("policies") {
		if n = strings.ToLower(strings.TrimSpace(n)); n != "" {
			names = append(names, n)
		}
	}
	if !req.fields.has("policies") {
		names = slices.Clone(req.token.policies)
	}
	if slices.Contains(names, "root") {
		return []string{"root"}, nil
	}
	if !req.fields.truth("no_default_policy", false) {
		names = append(names, "default")
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, n := range names {
		if _, ok := s.policies[n]; !ok {
			warnings = append(warnings, fmt.Sprintf("Policy %q does not exist", n))
		}
	}
	return names, warnings
}

// auth is a new token as the answer that makes it shows it.
func (t *token) auth(value string) map[string]any {
	return map[string]any{
		"client_token": value, "accessor": t.accessor, "policies": t.policies, "token_policies": t.policies,
		"metadata": t.metadata(), "lease_duration": int64(t.ttl.Seconds()), "renewable": t.renewable, "entity_id": "",
		"token_type": "service", "orphan": t.orphan, "mfa_requirement": nil, "num_uses": 0,
	}
}

// metadata is what was given as meta, or null.
func (t *token) metadata() any {
	if t.meta == nil {
		return nil
	}
	return t.meta
}

// describe is a token as looking it up shows it.
func (t *token) describe(value string, now time.Time) map[string]any {
	d := map[string]any{
		"accessor": t.accessor, "creation_time": t.issued.Unix(), "creation_ttl": int64(t.ttl.Seconds()),
		"display_name": t.displayName, "entity_id": "", "expire_time": nil, "explicit_max_ttl": int64(t.explicitMaxTTL.Seconds()),
		"id": value, "issue_time": stamp(t.issued), "meta": t.metadata(), "num_uses": 0, "orphan": t.orphan,
		"path": t.path, "policies": t.policies, "renewable": t.renewable, "ttl": int64(0), "type": "service",
	}
	if t.ttl > 0 {
		d["expire_time"] = stamp(t.issued.Add(t.ttl))
		d["ttl"] = int64(t.issued.Add(t.ttl).Sub(now).Round(time.Second).Seconds())
	}
	return d
}

// randomText is n characters that no one can guess.
func randomText(n int) string { return rand.Text()[:n] }

// newID is a random UUID, as Vault marks requests with.
func newID() string {
	var b [16]byte
	// crypto/rand.Read never fails: it ends the program instead (Go 1.24).
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
