package store

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// auditor writes audit lines while at least one device is enabled. Values
// never reach it: bodies are left out, and tokens are shown as an HMAC.
type auditor struct {
	out     io.Writer
	devices map[string]bool
	salt    []byte
}

func newAuditor(out io.Writer) *auditor {
	salt := make([]byte, 32)
	// crypto/rand.Read never fails: it ends the program instead (Go 1.24).
	_, _ = rand.Read(salt)
	return &auditor{out: out, devices: map[string]bool{}, salt: salt}
}

func (a *auditor) enable(name string)       { a.devices[name] = true }
func (a *auditor) disable(name string)      { delete(a.devices, name) }
func (a *auditor) enabled(name string) bool { return a.devices[name] }

// auditLine has the members of Vault's audit format (JSON) that concern who
// did what; see Vault's documentation, "Audit devices: log schema".
type auditLine struct {
	Auth     *auditAuth     `json:"auth,omitempty"`
	Error    string         `json:"error,omitempty"`
	Request  auditRequest   `json:"request"`
	Response *auditResponse `json:"response,omitempty"`
	Time     string         `json:"time"`
	Type     string         `json:"type"`
}

type auditAuth struct {
	Accessor      string        `json:"accessor"`
	ClientToken   string        `json:"client_token"`
	DisplayName   string        `json:"display_name"`
	Policies      []string      `json:"policies"`
	PolicyResults policyResults `json:"policy_results"`
	TokenPolicies []string      `json:"token_policies"`
	TokenType     string        `json:"token_type"`
}

type policyResults struct {
	Allowed bool `json:"allowed"`
}

type auditRequest struct {
	ID            string              `json:"id"`
	Operation     operation           `json:"operation"`
	Path          string              `json:"path"`
	ClientToken   string              `json:"client_token,omitempty"`
	Headers       map[string][]string `json:"headers,omitempty"`
	RemoteAddress string              `json:"remote_address,omitempty"`
	RemotePort    int                 `json:"remote_port,omitempty"`
}

type auditResponse struct {
	MountType string `json:"mount_type,omitempty"`
}

// request writes the line that precedes the deed; refused is why there will be
// none. As in Vault, what cannot be audited is not done.
func (a *auditor) request(req *request, refused *response) error {
	return a.write("request", req, refused)
}

// response writes the line of the answer.
func (a *auditor) response(req *request, resp *response) error {
	return a.write("response", req, resp)
}

func (a *auditor) write(kind string, req *request, resp *response) error {
	if len(a.devices) == 0 {
		return nil
	}
	line := auditLine{Type: kind, Time: stamp(time.Now()), Request: auditRequest{ID: req.id, Operation: req.operation, Path: req.path}}
	if host, port, err := net.SplitHostPort(req.remote); err == nil {
		line.Request.RemoteAddress = host
		line.Request.RemotePort, _ = strconv.Atoi(port) // 0 where the server's own address had none
	}
	if req.agent != "" {
		line.Request.Headers = map[string][]string{"user-agent": {req.agent}}
	}
	if req.secret != "" {
		line.Request.ClientToken = a.hash(req.secret)
	}
	refused := resp != nil && len(resp.errors) > 0
	if refused {
		line.Error = resp.errors[0]
	}
	if t := req.token; t != nil {
		line.Auth = &auditAuth{
			Accessor: a.hash(t.accessor), ClientToken: a.hash(req.secret), DisplayName: t.displayName,
			Policies: t.policies, TokenPolicies: t.policies, TokenType: "service",
			PolicyResults: policyResults{Allowed: !refused || resp.status != 403},
		}
	}
	if kind == "response" && resp.mountType != "" {
		line.Response = &auditResponse{MountType: resp.mountType}
	}
	text, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("write audit line: %w", err)
	}
	if _, err := a.out.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write audit line: %w", err)
	}
	return nil
}

// hash shows a token or accessor as Vault does: an HMAC under the server's salt.
func (a *auditor) hash(text string) string {
	mac := hmac.New(sha256.New, a.salt)
	mac.Write([]byte(text))
	return "hmac-sha256:" + hex.EncodeToString(mac.Sum(nil))
}
