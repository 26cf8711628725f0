package contract

import (
	"cmp"
	"context"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultTokenPath is that of the token endpoint of a stand-in.
const DefaultTokenPath = "/token"

// mostTokenAnswer bounds the answer of a token endpoint, in bytes.
const mostTokenAnswer = 1 << 20

// TokenSource has the files whose comments describe a TokenCall, for the JSON Schema of
// a scenario.
//
//go:embed token.go assertion.go
var TokenSource embed.FS

// TokenCall is how a token endpoint is asked (RFC 6749 §4.4.2). Its texts may have
// words, which are filled in before it is asked.
type TokenCall struct {
	// Path is that of the endpoint; default is /token.
	Path string `yaml:"path,omitempty" json:"path,omitempty"`
	// Method is POST, the default, or GET, with which the form is the query.
	Method string `yaml:"method,omitempty" json:"method,omitempty"`
	// Form is what is asked for, default is what a stand-in takes; Body is sent in
	// place of a form, as JSON where no header says what it is.
	Form    map[string]string `yaml:"form,omitempty" json:"form,omitempty"`
	Body    string            `yaml:"body,omitempty" json:"body,omitempty"`
	Headers map[string]string `yaml:"headers,omitempty" json:"headers,omitempty"` // those of the request, as {X-Tenant: shop}
	// Basic is how the client proves who it is (RFC 6749 §2.3.1, client_secret_basic).
	Basic *BasicClient `yaml:"basic,omitempty" json:"basic,omitempty"`
	// PrivateKeyJWT is how it does so without a secret that both have (OpenID Connect
	// Core §9, private_key_jwt): by a token of its own in the form.
	PrivateKeyJWT *KeyClient `yaml:"private_key_jwt,omitempty" json:"private_key_jwt,omitempty"`
	// Field is where in the answer, a JSON object, the token is: data.token; default
	// access_token (RFC 6749 §5.1).
	Field string `yaml:"field,omitempty" json:"field,omitempty"`
}

// BasicClient is a client's identifier and its secret.
type BasicClient struct {
	ID     string `yaml:"id" json:"id"`         // its identifier, as checkout
	Secret string `yaml:"secret" json:"secret"` // as {{ .env.CLIENT_SECRET }}
}

// Asked reports whether a call says anything of its own.
func (c TokenCall) Asked() bool {
	return c.Path != "" || c.Method != "" || len(c.Form) > 0 || c.Body != "" || len(c.Headers) > 0 || c.Basic != nil || c.PrivateKeyJWT != nil || c.Field != ""
}

// Or is a call with another form, where it says nothing itself of what it sends.
func (c TokenCall) Or(form map[string]string) TokenCall {
	if len(c.Form) == 0 && c.Body == "" && c.Method != http.MethodGet {
		c.Form = form
	}
	return c
}

// Texts are all that may have words, by the keys of the YAML.
func (c TokenCall) Texts() map[string]string {
	texts := map[string]string{"path": c.Path, "body": c.Body}
	for name, value := range c.Form {
		texts["form."+name] = value
	}
	for name, value := range c.Headers {
		texts["headers."+name] = value
	}
	if c.Basic != nil {
		texts["basic.id"], texts["basic.secret"] = c.Basic.ID, c.Basic.Secret
	}
	if k := c.PrivateKeyJWT; k != nil {
		texts["private_key_jwt.id"], texts["private_key_jwt.key"], texts["private_key_jwt.kid"], texts["private_key_jwt.audience"] = k.ID, k.Key, k.Kid, k.Audience
	}
	return texts
}

// Filled is a call whose texts were filled in. The error is the first of fill.
func (c TokenCall) Filled(fill func(string) (string, error)) (TokenCall, error) {
	var failed error
	text := func(s string) string {
		out, err := fill(s)
		if err != nil && failed == nil {
			failed = err
		}
		return out
	}
	all := func(m map[string]string) map[string]string {
		if len(m) == 0 {
			return nil
		}
		out := make(map[string]string, len(m))
		for name, value := range m {
			out[name] = text(value)
		}
		return out
	}
	c.Path, c.Body, c.Form, c.Headers = text(c.Path), text(c.Body), all(c.Form), all(c.Headers)
	if c.Basic != nil {
		c.Basic = &BasicClient{ID: text(c.Basic.ID), Secret: text(c.Basic.Secret)}
	}
	if k := c.PrivateKeyJWT; k != nil {
		c.PrivateKeyJWT = &KeyClient{ID: text(k.ID), Key: text(k.Key), Kid: text(k.Kid), Audience: text(k.Audience), Algorithm: k.Algorithm}
	}
	return c, failed
}

// TokenAnswer is the answer of a token endpoint (RFC 6749 §5.1), with the kid as an
// addition of stand-ins.
type TokenAnswer struct {
	Token     string
	ExpiresIn time.Duration // 0: it does not say
	// Kid is what the answer or the token's header says (RFC 7515 §4.1.4); "": neither.
	Kid string
}

// Ask asks the endpoint at a base address. No error holds any part of the answer, or
// of what was sent.
func (c TokenCall) Ask(ctx context.Context, client *http.Client, base, agent string) (*TokenAnswer, error) {
	endpoint := strings.TrimSuffix(base, "/") + cmp.Or(c.Path, DefaultTokenPath)
	req, err := c.request(ctx, endpoint)
	if err != nil {
		return nil, err
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", agent)
	}
	asked := req.Method + " " + endpoint
	resp, err := client.Do(req)
	if err != nil {
		return nil, withoutQuery(err, asked)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostTokenAnswer))
	if err != nil {
		return nil, fmt.Errorf("read answer of %s: %w", endpoint, err)
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return nil, fmt.Errorf("%s answered %d; want 200", asked, resp.StatusCode)
	}
	answer, err := c.read(body)
	if err != nil {
		return nil, fmt.Errorf("%s answered %w", asked, err)
	}
	return answer, nil
}

// request is what is sent.
func (c TokenCall) request(ctx context.Context, endpoint string) (*http.Request, error) {
	form := url.Values{}
	for name, value := range c.Form {
		form.Set(name, value)
	}
	if c.PrivateKeyJWT != nil {
		assertion, err := c.PrivateKeyJWT.assertion(endpoint, time.Now())
		if err != nil {
			return nil, fmt.Errorf("ask %s: %w", endpoint, err)
		}
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", assertion)
	}
	method, body, kind := cmp.Or(c.Method, http.MethodPost), c.Body, "application/json"
	if body == "" {
		body, kind = form.Encode(), "application/x-www-form-urlencoded"
	}
	target := endpoint
	if method == http.MethodGet {
		body, kind = "", ""
		if len(form) > 0 {
			target += "?" + form.Encode()
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask %s %s: it is no address", method, endpoint)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if c.Basic != nil {
		req.SetBasicAuth(url.QueryEscape(c.Basic.ID), url.QueryEscape(c.Basic.Secret)) // RFC 6749 §2.3.1
	}
	for name, value := range c.Headers {
		req.Header.Set(name, value)
	}
	return req, nil
}

// withoutQuery is an error of a client without the address that it quotes, whose query
// may hold a secret.
func withoutQuery(err error, asked string) error {
	if quoted, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%s: %w", asked, quoted.Err)
	}
	return err
}

var (
	errNoAnswer = errors.New("something else than a JSON token answer (RFC 6749 section 5.1)")
	errNoField  = errors.New("without")
)

// read finds the token in an answer. What a decoder says may quote the answer, and is
// not passed on.
func (c TokenCall) read(body []byte) (*TokenAnswer, error) {
	var said struct {
		ExpiresIn int64  `json:"expires_in"` // seconds
		Kid       string `json:"kid"`
	}
	if json.Unmarshal(body, &said) != nil {
		return nil, errNoAnswer
	}
	field := cmp.Or(c.Field, "access_token")
	raw := json.RawMessage(body)
	for name := range strings.SplitSeq(field, ".") {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return nil, fmt.Errorf("%w an %s", errNoField, field)
		}
		raw = object[name]
	}
	var token string
	if raw != nil && json.Unmarshal(raw, &token) != nil {
		return nil, errNoAnswer
	}
	if token == "" {
		return nil, fmt.Errorf("%w an %s", errNoField, field)
	}
	return &TokenAnswer{Token: token, ExpiresIn: time.Duration(said.ExpiresIn) * time.Second, Kid: cmp.Or(said.Kid, KidOf(token))}, nil
}

// KidOf reads the kid of a JWT's header (RFC 7515 §4.1.4) without checking anything;
// "" where there is none.
func KidOf(jwt string) string {
	encoded, _, _ := strings.Cut(jwt, ".")
	var header struct {
		Kid string `json:"kid"`
	}
	_ = DecodePart(encoded, &header) // what is not there stays empty
	return header.Kid
}

// errPart stands for what is wrong with a part of a JWT: a decoder's own errors may
// quote it.
var errPart = errors.New("it is no part of a JWT (RFC 7515 section 3.1)")

// DecodePart decodes the header or the claims of a JWT (RFC 7515 §3.1), without checking
// anything. The error quotes nothing of it.
func DecodePart(part string, into any) error {
	decoded, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil || json.Unmarshal(decoded, into) != nil {
		return errPart
	}
	return nil
}
