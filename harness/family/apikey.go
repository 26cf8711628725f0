package family

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// apiKey is the family of the keys that a provider gives out and checks. The
// provider is the authority: it learns and forgets at once, and those who
// present the key read it from what is published.
type apiKey struct{}

var _ Family = apiKey{}

// Configure makes an admin token for every provider, and tells chargers where
// to present the key.
func (apiKey) Configure(p *plan.Plan) error {
	for i := range p.Services {
		s := &p.Services[i]
		switch s.Serve {
		case "provider":
			config := &contract.Provider{
				Name: s.Name, Account: p.Runbook.Scope.Name, AdminToken: rand.Text(),
				Idempotency: string(s.Idempotency), ChecksLate: s.ChecksLate, Fails: float64(s.Fails),
				Lag: contract.Duration(p.Wall(s.Lag.Duration())), Taken: s.Taken,
			}
			if l := s.Lockout; l != nil {
				config.Lockout = contract.Lockout{After: l.After, Window: contract.Duration(l.Within.Duration()), For: contract.Duration(p.Wall(l.For.Duration()))}
			}
			if s.Call != nil {
				config.Call = contract.Call{
					Method: cmp.Or(s.Call.Method, http.MethodPost), Path: s.Call.Path, Header: s.Call.Header, Answers: s.Call.Answers, Refuses: s.Call.Refuses,
				}
			}
			s.Config = config
		case "charger":
			s.Config = &contract.Charger{
				Name: s.Name, Provider: contract.AddressOf(s.Of), Published: readsOf(p, s),
				Retries: s.Retries, RetryAfter: contract.Duration(p.Wall(s.RetryAfter.Duration())), Anonymous: s.Idempotency == scenario.None,
			}
		}
	}
	return nil
}

// Bind makes the family's steps on the store and the providers, and probes that
// present the key as a charger does.
func (apiKey) Bind(b Backend) Binding {
	a := &apiKeyBound{url: func(service string) string { return b.URL(service, false) }, tokens: map[string]string{}}
	a.providers = Authorities(b.Plan)
	for _, s := range b.Plan.Services {
		if config, ok := s.Config.(*contract.Provider); ok && slices.Contains(a.providers, s.Name) {
			a.tokens[s.Name] = config.AdminToken
		}
	}
	a.steps = newSteps(apiKeyKind{}, b, a.administer)
	a.steps.lists = a.enabled
	return a
}

// apiKeyKind makes keys. Its entries are what fakes.ServeCharger reads: the tag,
// which is the credential's name in the run, and the value.
type apiKeyKind struct{}

var _ kind = apiKeyKind{}

// apiKeyBytes is the entropy of a key: 256 bits.
const apiKeyBytes = 32

func (apiKeyKind) generate(name string) (map[string]any, error) {
	value := make([]byte, apiKeyBytes)
	if _, err := rand.Read(value); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return map[string]any{"tag": name, "value": base64.RawURLEncoding.EncodeToString(value)}, nil
}

func (apiKeyKind) parse(entry map[string]any) (credential, error) {
	tag, _ := entry["tag"].(string)
	value, _ := entry["value"].(string)
	if tag == "" || value == "" {
		return credential{}, errors.New("it is not a tag with a value")
	}
	return credential{identifier: tag, entry: entry, values: []string{value}}, nil
}

// apiKeyBound is the family with a world behind it.
type apiKeyBound struct {
	*steps
	providers []string
	tokens    map[string]string // admin tokens, by provider
	url       func(service string) string
}

// administer takes a step at every provider.
func (a *apiKeyBound) administer(ctx context.Context, step keyring.Step, c credential) error {
	for _, name := range a.providers {
		admin := providerAdmin{name: name, url: a.url(name), token: a.tokens[name]}
		if err := admin.do(ctx, step, c); err != nil {
			return err
		}
	}
	return nil
}

// enabled are the keys that each provider takes, by their tags.
func (a *apiKeyBound) enabled(ctx context.Context) (map[string][]string, error) {
	lists := map[string][]string{}
	for _, name := range a.providers {
		admin := providerAdmin{name: name, url: a.url(name), token: a.tokens[name]}
		tags, err := admin.enabled(ctx)
		if err != nil {
			return nil, err
		}
		lists[name] = tags
	}
	return lists, nil
}

// Secrets are the keys and the admin tokens.
func (a *apiKeyBound) Secrets() []string {
	values := a.steps.Secrets()
	for _, token := range a.tokens {
		values = append(values, token)
	}
	slices.Sort(values)
	return slices.Compact(values)
}

var (
	_ world.Probes  = (*apiKeyBound)(nil)
	_ world.Spoiler = (*apiKeyBound)(nil)
)

// Spoils reports true: a key that nobody has belongs to no account that could be locked.
func (a *apiKeyBound) Spoils(string) bool { return true }

// Hold only makes sure that the key is at hand: a key does not expire.
func (a *apiKeyBound) Hold(ctx context.Context, name string, _ time.Duration) error {
	if _, err := a.lookup(ctx, name); err != nil {
		return fmt.Errorf("hold %s: %w", name, err)
	}
	return nil
}

// Present asks a provider for the balance with the key: that takes no money.
func (a *apiKeyBound) Present(ctx context.Context, validator, name string, purpose history.Purpose) (history.Probe, error) {
	at := a.url(validator)
	if at == "" {
		return history.Probe{}, fmt.Errorf("present %s to %s: it has no address", name, validator)
	}
	c, err := a.lookup(ctx, name)
	if err != nil {
		return history.Probe{}, fmt.Errorf("present %s to %s: %w", name, validator, err)
	}
	value, presentation := c.values[0], "new connection"
	if purpose == history.Control {
		value, presentation = OtherEnd(value), "key with one other character"
	}
	probe, err := show(ctx, http.MethodGet, at+"/balance", value)
	if err != nil {
		return history.Probe{}, fmt.Errorf("present %s to %s: %w", name, validator, err)
	}
	probe.Purpose, probe.Presentation = purpose, presentation
	return probe, nil
}
