package family

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const jwtPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: session-key, family: jwt-signing-key}
storage: {store: vault, publish: {path: secret/data/auth/key}, distribution: jwks, jwks: /.well-known/jwks.json}
consumers:
  - {name: auth, roles: [emit], refresh: 20s}
  - {name: checkout, roles: [validate], library: keyfunc}
  - {name: search, roles: [validate], library: jwx}
format: {type: ES256, identifier: kid, longest_life: 10m}
rollout: {lead: 20m, propagation: 30s, watch: 20m}
overlap: {window: 12m}
verification: {slo: {objective: 99.9%}, checks: [canary]}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

const jwtScenario = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
speed: 10
services:
  auth: {serve: issuer}
  legacy: {serve: issuer, refresh: 1m, pinned: true}
  cdn: {serve: cache, of: auth, ttl: 5m}
  checkout: {serve: verifier}
  search: {serve: verifier, of: cdn}
  shadow: {serve: verifier, library: go-oidc, of: legacy}
  reports: {image: "acme/reports:1", scale: full}
load: [{client: web, to: checkout, rate: 20/s, token: {}}]
`

const keyPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: payments-key, family: api-key}
storage: {store: vault, publish: {path: secret/data/billing/key}, distribution: poll}
consumers: [{name: billing, roles: [emit], refresh: 20s}]
format: {type: bearer}
rollout: {lead: 1m, propagation: 30s, watch: 5m}
overlap: {window: 2m}
verification: {slo: {objective: 99%}}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

const keyScenario = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
speed: 10
services: {billing: {serve: charger}, payments: {serve: provider}}
load: [{client: web, to: billing, rate: 5/s}]
`

// planOf is the plan of a page and a scenario, configured.
func planOf(t *testing.T, page, rehearsal string) *plan.Plan {
	t.Helper()
	loaded, err := scenario.Load(fstest.MapFS{
		"page.yaml": {Data: []byte(page)}, "scenario.yaml": {Data: []byte(rehearsal)},
	}, "scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Of(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Configure(p); err != nil {
		t.Fatal(err)
	}
	return p
}

// published is where the tests' pages publish, below the mount.
const published = "auth/key"

// memory is a world.Store. It keeps every write in the order in which it came,
// and can be made to fail.
type memory struct {
	mu       sync.Mutex
	versions map[string][]map[string]any // nil: destroyed
	writes   []string                    // paths
	// before is asked before every write, with its number and path.
	before func(n int, path string) error
	// after may change what a write has left.
	after func(path string, data map[string]any)
}

var _ world.Store = (*memory)(nil)

func newMemory() *memory { return &memory{versions: map[string][]map[string]any{}} }

func (m *memory) Get(ctx context.Context, path string) (map[string]any, int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	all := m.versions[path]
	if len(all) == 0 || all[len(all)-1] == nil {
		return nil, len(all), fmt.Errorf("read %s: %w", path, world.ErrNotFound)
	}
	return maps.Clone(all[len(all)-1]), len(all), nil
}

func (m *memory) Put(_ context.Context, path string, data map[string]any, cas int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.before != nil {
		if err := m.before(len(m.writes), path); err != nil {
			return 0, err
		}
	}
	if len(m.versions[path]) != cas {
		return 0, fmt.Errorf("write %s: %w", path, world.ErrConflict)
	}
	// As a server does: what it keeps is its own, and plain JSON.
	kept, err := document(data)
	if err != nil {
		return 0, err
	}
	if m.after != nil {
		m.after(path, kept)
	}
	m.writes = append(m.writes, path)
	m.versions[path] = append(m.versions[path], kept)
	return len(m.versions[path]), nil
}

func (m *memory) Destroy(_ context.Context, path string, versions []int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range versions {
		if v > 0 && v <= len(m.versions[path]) {
			m.versions[path][v-1] = nil
		}
	}
	return nil
}

// text is everything that is left in the store.
func (m *memory) text(t *testing.T) string {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	data, err := json.Marshal(m.versions)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// since are the writes from the n-th on.
func (m *memory) since(n int) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.writes[n:])
}

// newest decodes the newest version of a path.
func newest[T any](t *testing.T, m *memory, path string) (doc T) {
	t.Helper()
	data, _, err := m.Get(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(encoded, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// bound is the family of a plan over a store, with one address for everything.
func bound(t *testing.T, p *plan.Plan, m *memory, url string) Binding {
	t.Helper()
	f, err := Of(p)
	if err != nil {
		t.Fatal(err)
	}
	view := history.NewView()
	return f.Bind(Backend{
		Plan: p, Store: m, Published: published,
		URL: func(string, bool) string { return url },
		See: func(see func(*history.View)) { see(view) },
	})
}

// errDied is what a write ends with that is not taken.
var errDied = errors.New("the rotator died")
