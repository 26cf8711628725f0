// Package load is the traffic of a rehearsal: a service of its own that keeps
// sessions with tokens, sends requests with vegeta, classifies and counts every
// attempt where it is made, and streams the counts to whoever drains them. What
// it keeps grows with cells and undelivered buckets, never with requests.
//
//	Config ──► sessions ──► vegeta ──► transport ──► cells ──► outbox ──► /stream
//	           (tokens)     (pacing)   (classifies)  (counts)  (holds)
package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/protocol"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// Defaults of a Config.
const (
	// DefaultBucket is the width of a bucket: a tenth of the shortest window
	// (1 s) that flatness is judged in.
	DefaultBucket = 100 * time.Millisecond
	// DefaultTimeout is the time for one request with its retry.
	DefaultTimeout = contract.ClientTimeout
	// DefaultRenewAt is the share of its life at which a token is renewed.
	DefaultRenewAt = 0.8
)

// Config is what a load service is told at its start. It holds no secrets but
// tokens that stay the same: others are fetched when load starts.
type Config struct {
	// Name is the service's own name in its log; default "load".
	Name string `json:"name,omitempty"`
	// Seed decides the ages of sessions; the same seed gives the same ages.
	Seed int64 `json:"seed,omitempty"`
	// Bucket is the width of a time bucket; default DefaultBucket.
	Bucket Duration `json:"bucket,omitempty"`
	// Shard is the part of Clients that this service sends; default all of it.
	Shard   Shard          `json:"shard,omitzero"`
	Clients []ClientConfig `json:"clients"`
}

// ClientConfig is one stream of requests.
type ClientConfig struct {
	Name string `json:"name"`
	// To is the name of the service that is called, as counts have it.
	To string `json:"to"`
	// URL is that service's base address; Path is appended to it.
	URL     string            `json:"url"`
	Method  string            `json:"method,omitempty"` // default GET
	Path    string            `json:"path,omitempty"`   // default /
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
	// Protocol is what the service speaks; default HTTP/1.1.
	Protocol protocol.Protocol `json:"protocol,omitempty"`
	// Rate is in requests per second at the start; rates below 1 are allowed. 0 is for a
	// client that begins later, when it is told to (Client.SetRate).
	Rate float64 `json:"rate"`
	// Most is the highest rate that it will be told to have, where that is more.
	Most     float64      `json:"most,omitempty"`
	Sessions int          `json:"sessions,omitempty"` // default 1
	Token    *TokenConfig `json:"token,omitempty"`    // nil: requests carry no token
	// AuthFailure says which answers are auth failures; default 401 and 403.
	AuthFailure refusal.Signs `json:"auth_failure,omitzero"`
	// Timeout is for one request: its first attempt, and the renewal and the
	// retry where there is one; default DefaultTimeout.
	Timeout Duration `json:"timeout,omitempty"`

	signs     *refusal.Reader // of AuthFailure
	part      share           // of its requests that this service sends
	unlimited bool            // as fast as fixed workers can: for benchmarks only
}

// TokenConfig says how a client gets and keeps its tokens.
type TokenConfig struct {
	// URL is the issuer's base address.
	URL string `json:"url"`
	// TokenCall is how it is asked there. Where that has no form and no body, it is
	// what a stand-in takes: the client, the session and the life, with Issuer,
	// Audience and Claims, a JSON object, where they are said.
	contract.TokenCall
	Issuer   string `json:"iss,omitempty"`
	Audience string `json:"aud,omitempty"`
	Claims   string `json:"claims,omitempty"`
	// Value is a token or another credential that stays the same; then nothing is
	// fetched, and all else but Header is left out. Header is the one in which it
	// is presented as it is; default Authorization, as a bearer token.
	Value  string `json:"value,omitempty"`
	Header string `json:"header,omitempty"`
	// Life is how long a token is asked to last.
	Life Duration `json:"life"`
	// RenewAt is the share of its life at which a token is renewed, in (0, 1);
	// default DefaultRenewAt.
	RenewAt float64 `json:"renew_at,omitempty"`
	// OnRefusal is "keep" (the default) or "renew".
	OnRefusal OnRefusal `json:"on_refusal,omitempty"`
}

// OnRefusal is what a client does when its token is refused.
type OnRefusal string

// What a client does when its token is refused.
const (
	Keep  OnRefusal = "keep"  // goes on with the token that it has
	Renew OnRefusal = "renew" // fetches a new token and tries once more
)

// Duration is wall time, as every stand-in is told it.
type Duration = contract.Duration

var _ contract.Config = (*Config)(nil)

// Serves is load.
func (*Config) Serves() string { return "load" }

// ParseConfig reads a Config strictly (an unknown key is an error), fills in
// the defaults and reports everything that is wrong with it at once.
func ParseConfig(data []byte) (Config, error) {
	var c Config
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("parse load configuration: %w", err)
	}
	c.fill()
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf("check load configuration: %w", err)
	}
	return c, nil
}

func (c *Config) fill() {
	if c.Name == "" {
		c.Name = "load"
	}
	if c.Bucket == 0 {
		c.Bucket = Duration(DefaultBucket)
	}
	for i := range c.Clients {
		c.Clients[i].fill()
		c.Clients[i].part = c.Clients[i].share(c.Shard)
	}
}

func (c *ClientConfig) fill() {
	if c.Method == "" {
		c.Method = http.MethodGet
	}
	if c.Path == "" {
		c.Path = "/"
	}
	if c.Sessions == 0 {
		c.Sessions = 1
	}
	if c.Timeout == 0 {
		c.Timeout = Duration(DefaultTimeout)
	}
	// What cannot be read is reported by check.
	c.signs, _ = refusal.New(c.AuthFailure)
	if c.Token != nil {
		if c.Token.RenewAt == 0 {
			c.Token.RenewAt = DefaultRenewAt
		}
		if c.Token.OnRefusal == "" {
			c.Token.OnRefusal = Keep
		}
	}
}

func (c *Config) check() error {
	var problems []error
	if time.Duration(c.Bucket) < time.Millisecond {
		problems = append(problems, fmt.Errorf("bucket is %v; want at least 1ms", time.Duration(c.Bucket)))
	}
	if err := c.Shard.check(); err != nil {
		problems = append(problems, err)
	}
	if len(c.Clients) == 0 {
		problems = append(problems, errors.New("no clients; want at least one"))
	}
	seen := map[string]bool{}
	for i, client := range c.Clients {
		if seen[client.Name] {
			problems = append(problems, fmt.Errorf("clients[%d]: name %q is taken", i, client.Name))
		}
		seen[client.Name] = true
		for _, problem := range client.problems() {
			problems = append(problems, fmt.Errorf("clients[%d] %s: %w", i, client.Name, problem))
		}
	}
	return errors.Join(problems...)
}

func (c *ClientConfig) problems() []error {
	var problems []error
	demand := func(holds bool, format string, args ...any) {
		if !holds {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	demand(c.Name != "", "no name")
	demand(c.To != "", "no to: the name of the service that is called")
	demand(isBase(c.URL), "url is %q; want http(s)://HOST", c.URL)
	demand(strings.HasPrefix(c.Path, "/"), "path is %q; want it to begin with /", c.Path)
	demand(c.Rate >= 0 && max(c.Rate, c.Most) > 0 || c.unlimited, "rate is %v; want more than 0 per second", c.Rate)
	demand(c.Sessions > 0, "sessions is %d; want at least 1", c.Sessions)
	demand(c.Timeout > 0, "timeout is %v; want more than 0", time.Duration(c.Timeout))
	if _, err := http.NewRequest(c.Method, c.target(), nil); err != nil {
		problems = append(problems, fmt.Errorf("request: %w", err))
	}
	if _, err := refusal.New(c.AuthFailure); err != nil {
		problems = append(problems, fmt.Errorf("auth_failure: %w", err))
	}
	if _, err := c.Protocol.Body(c.Body); err != nil {
		problems = append(problems, fmt.Errorf("body: %w", err))
	}
	if t := c.Token; t != nil && t.Value == "" {
		demand(isBase(t.URL), "token.url is %q; want http(s)://HOST", t.URL)
		demand(t.Life > 0, "token.life is %v; want more than 0", time.Duration(t.Life))
		demand(t.RenewAt > 0 && t.RenewAt < 1, "token.renew_at is %v; want between 0 and 1", t.RenewAt)
		demand(t.OnRefusal == Keep || t.OnRefusal == Renew, "token.on_refusal is %q; want keep or renew", t.OnRefusal)
	}
	return problems
}

func isBase(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// fetches reports whether a client's tokens are fetched, and renewed.
func (c *ClientConfig) fetches() bool { return c.Token != nil && c.Token.Value == "" }

// target is the address that a client calls.
func (c *ClientConfig) target() string { return strings.TrimSuffix(c.URL, "/") + c.Path }

// userAgent is how a client names itself to services.
func (c *ClientConfig) userAgent() string { return "rehearse-load/" + c.Name }
