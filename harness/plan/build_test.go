package plan

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

const jwtPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: session-key, family: jwt-signing-key}
storage: {store: vault, publish: {path: secret/data/auth/key}, distribution: jwks, jwks: /.well-known/jwks.json}
consumers:
  - {name: auth, roles: [emit], refresh: 20s}
  - {name: checkout, roles: [validate], library: keyfunc}
  - {name: search, roles: [validate], learns_within: 15m, forgets_within: 15m}
format: {type: ES256, identifier: kid, longest_life: 10m}
rollout: {lead: 5m, propagation: 30s, watch: 20m}
overlap: {window: 45m, exceptions: [{client: old-app, until: 24h, because: app store}]}
verification: {slo: {objective: 99.9%}, checks: [canary]}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {timebox: 45m}
`

const jwtScenario = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
services:
  auth: {serve: issuer}
  cdn: {serve: cache, of: auth, ttl: 5m}
  edge: {serve: cache, of: cdn, ttl: 1m}
  checkout: {serve: verifier}
  search: {serve: verifier, library: jwx, of: edge}
  shadow: {serve: verifier, library: go-oidc}
load:
  - {client: web, to: checkout, rate: 20/s, token: {}}
  - {client: bot, to: search, rate: 30/m, sessions: 4, token: {life: 2m, renew_at: 0.5, on_refusal: renew}}
`

const keyPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: payments-key, family: api-key}
storage: {store: vault, publish: {path: secret/data/billing/key}, distribution: poll}
consumers: [{name: billing, roles: [emit]}]
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
services: {billing: {serve: charger}, payments: {serve: provider}}
load: [{client: web, to: billing, rate: 5/s}]
`

// loaded loads a page and a scenario after replacing texts in either.
func loaded(t *testing.T, page, rehearsal string, replace ...string) *scenario.Loaded {
	t.Helper()
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(page+rehearsal, replace[i]) {
			t.Fatalf("neither file has %q", replace[i])
		}
		page = strings.Replace(page, replace[i], replace[i+1], 1)
		rehearsal = strings.Replace(rehearsal, replace[i], replace[i+1], 1)
	}
	l, err := scenario.Load(fstest.MapFS{"page.yaml": {Data: []byte(page)}, "scenario.yaml": {Data: []byte(rehearsal)}}, "scenario.yaml")
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return l
}

func built(t *testing.T, l *scenario.Loaded, o Options) *Plan {
	t.Helper()
	p, err := Build(l, o)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return p
}

func TestBuildJWT(t *testing.T) {
	p := built(t, loaded(t, jwtPage, jwtScenario), Options{})
	if want := []Validator{
		{Name: "checkout", OnPage: true, Library: "keyfunc", Forgets: time.Hour, From: "auth", OnMiss: true, Cooldown: 5 * time.Minute},
		{Name: "search", OnPage: true, Library: "jwx", Learns: 15 * time.Minute, Forgets: 15 * time.Minute,
			Granule: 2 * time.Second, Shared: 6 * time.Minute, Via: "edge", From: "auth"},
		{Name: "shadow", Library: "go-oidc", Forgets: runbook.Forever, From: "auth", OnMiss: true},
	}; !reflect.DeepEqual(p.Limits.Validators, want) {
		t.Errorf("validators: got %+v\nwant %+v", p.Limits.Validators, want)
	}
	if want := []Emitter{{Name: "auth", OnPage: true, Refresh: 20 * time.Second}}; !reflect.DeepEqual(p.Limits.Emitters, want) {
		t.Errorf("emitters: got %+v, want %+v", p.Limits.Emitters, want)
	}
	if want := []Client{
		{Name: "web", To: "checkout", From: "auth", Rate: 20, Sessions: 1, Life: 10 * time.Minute},
		{Name: "bot", To: "search", From: "auth", Rate: 0.5, Sessions: 4, Life: 2 * time.Minute},
	}; !reflect.DeepEqual(p.Limits.Clients, want) {
		t.Errorf("clients: got %+v, want %+v", p.Limits.Clients, want)
	}
	if want := []Cache{{"cdn", "auth", 5 * time.Minute, 0}, {"edge", "cdn", time.Minute, 0}}; !reflect.DeepEqual(p.Limits.Caches, want) {
		t.Errorf("caches: got %+v, want %+v", p.Limits.Caches, want)
	}
	l := p.Limits
	if l.JudgedAt != history.FromLoad || l.Objective != 0.9990000000000001 && l.Objective != 0.999 || l.BudgetOver != 0.01 || l.BudgetFor != 10*time.Second ||
		!reflect.DeepEqual(l.Exceptions, []Exception{{"old-app", 24 * time.Hour}}) || !reflect.DeepEqual(l.Checks, []string{"canary"}) {
		t.Errorf("limits: got %+v", l)
	}
	needs := map[string][]string{}
	for _, s := range p.Services {
		needs[s.Name] = s.Needs
		if s.Reads != (s.Name == "auth") {
			t.Errorf("%s reads the store: got %v, want the issuer only", s.Name, s.Reads)
		}
		if s.OnPage != (s.Consumer != nil) || s.OnPage && s.Consumer.Name != s.Name {
			t.Errorf("%s: on the page %v, consumer %+v", s.Name, s.OnPage, s.Consumer)
		}
	}
	if want := map[string][]string{
		"auth": {}, "cdn": {"auth"}, "edge": {"cdn"}, "checkout": {"auth"}, "search": {"edge"}, "shadow": {"auth"},
	}; !reflect.DeepEqual(needs, want) {
		t.Errorf("needs: got %v, want %v", needs, want)
	}
}

func TestBuildAPIKey(t *testing.T) {
	p := built(t, loaded(t, keyPage, keyScenario), Options{})
	if want := []Validator{{Name: "payments", OnPage: true, Authority: true}}; !reflect.DeepEqual(p.Limits.Validators, want) {
		t.Errorf("validators: got %+v, want %+v", p.Limits.Validators, want)
	}
	if want := []Emitter{{Name: "billing", OnPage: true, Refresh: 30 * time.Second}}; !reflect.DeepEqual(p.Limits.Emitters, want) {
		t.Errorf("emitters: got %+v, want %+v", p.Limits.Emitters, want)
	}
	if p.Limits.JudgedAt != history.FromAuthority {
		t.Errorf("judged at: got %s, want the authority", p.Limits.JudgedAt)
	}
	if got := p.Rehearsal.Services["billing"].Of; got != "payments" {
		t.Errorf("the charger's provider: got %q, want payments", got)
	}
}

func TestBuildDefaults(t *testing.T) {
	l := loaded(t, jwtPage, jwtScenario)
	p := built(t, l, Options{})
	if p.Gates != scenario.Enforce || p.OnBudget != scenario.BudgetRollback || p.Speed != 1 || p.Seed != 1 || p.Times.Baseline != 5*time.Minute {
		t.Errorf("got gates %s, on_budget %s, speed %v, seed %d, baseline %v, want enforce, rollback, 1, 1, 5m",
			p.Gates, p.OnBudget, p.Speed, p.Seed, p.Times.Baseline)
	}
	web := p.Rehearsal.Load[0]
	want := scenario.Token{From: "auth", Life: runbook.Duration(10 * time.Minute), RenewAt: 0.8, OnRefusal: scenario.Keep}
	if web.Sessions != 1 || !reflect.DeepEqual(*web.Token, want) || web.Request.Method != "GET" || web.Request.Path != "/" {
		t.Errorf("web: got %+v, token %+v, want 1 session, GET / and %+v", web, *web.Token, want)
	}
	if s := p.Rehearsal.Services["checkout"]; s.Library != "keyfunc" || s.Of != "auth" || s.Scale != scenario.ScaleFull {
		t.Errorf("checkout: got %+v, want the page's library, of the page's emitter, at scale full", s)
	}
	if s := p.Rehearsal.Services["auth"]; s.Refresh.Duration() != 20*time.Second {
		t.Errorf("auth's refresh: got %v, want the consumer's, 20s", s.Refresh)
	}
	if s := l.Scenario.Services["checkout"]; s.Of != "" || l.Scenario.Load[0].Token.From != "" {
		t.Errorf("building changed what was loaded: %+v, %+v", s, l.Scenario.Load[0].Token)
	}
}

func TestBuildOptions(t *testing.T) {
	l := loaded(t, jwtPage, jwtScenario+"gates: observe\nspeed: 2\nseed: 7\nbaseline: 0s\n")
	tests := []struct {
		name     string
		options  Options
		gates    scenario.GateMode
		onBudget scenario.OnBudget
		speed    float64
		seed     int64
	}{
		{"none", Options{}, scenario.Observe, scenario.BudgetRecord, 2, 7},
		{"all", Options{Gates: scenario.Off, OnBudget: scenario.BudgetRollback, Speed: 4, Seed: 9}, scenario.Off, scenario.BudgetRollback, 4, 9},
		{"enforced gates change what a budget does", Options{Gates: scenario.Enforce}, scenario.Enforce, scenario.BudgetRollback, 2, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := built(t, l, tt.options)
			if p.Gates != tt.gates || p.OnBudget != tt.onBudget || p.Speed != tt.speed || p.Seed != tt.seed {
				t.Errorf("got %s, %s, %v, %d, want %+v", p.Gates, p.OnBudget, p.Speed, p.Seed, tt)
			}
			if want := 5 * time.Minute / time.Duration(tt.speed); p.Times.Lead != want || p.Times.Baseline != 0 {
				t.Errorf("lead %v, baseline %v, want %v and none", p.Times.Lead, p.Times.Baseline, want)
			}
		})
	}
}

func TestBuildRefuses(t *testing.T) {
	l := loaded(t, jwtPage, jwtScenario)
	tests := []struct {
		name    string
		options Options
		want    string
	}{
		{"unknown gates", Options{Gates: "observ"}, `--gates: unknown value "observ" (did you mean "observe"?)`},
		{"unknown on-budget", Options{OnBudget: "pay"}, `--on-budget: unknown value "pay" (one of record, rollback)`},
		{"a negative speed", Options{Speed: -1}, `--speed: -1 must be at least 0.01`},
		{"no number", Options{Speed: math.NaN()}, `--speed: NaN must be at least 0.01`},
		{"endless speed", Options{Speed: math.Inf(1)}, "--speed: +Inf cannot be rehearsed: the ttl of edge, 1m, must stay at least 5s, 5 times what it is kept to (at most 12)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Build(l, tt.options); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// What the page says of a party wins over what the scenario makes of it.
func TestLimitsArePageFigures(t *testing.T) {
	p := built(t, loaded(t, jwtPage, jwtScenario,
		"auth: {serve: issuer}", "auth: {serve: issuer, refresh: 2m}",
		"library: keyfunc}", "library: keyfunc, learns_within: 1m, forgets_within: 0}"), Options{})
	if e, _ := p.Limits.Emitter("auth"); e.Refresh != 20*time.Second {
		t.Errorf("refresh: got %v, want the page's 20s", e.Refresh)
	}
	if got := p.Rehearsal.Services["auth"].Refresh.Duration(); got != 2*time.Minute {
		t.Errorf("what the issuer does: got %v, want the scenario's 2m", got)
	}
	if v, _ := p.Limits.Validator("checkout"); v.Learns != time.Minute || v.Forgets != 0 {
		t.Errorf("checkout learns in %v and forgets in %v, want the page's 1m and 0", v.Learns, v.Forgets)
	}
}

func TestImages(t *testing.T) {
	l := loaded(t, jwtPage, jwtScenario,
		"search: {serve: verifier, library: jwx, of: edge}", `search: {image: acme/search, environment: {JWKS: "{{ .edge.url }}/jwks", STORE: "{{ .store.url }}"}}`,
		"cdn: {serve: cache, of: auth", "cdn: {serve: cache, of: search")
	p := built(t, l, Options{})
	v, ok := p.Limits.Validator("search")
	if !ok || v.From != "auth" || v.Learns != 15*time.Minute {
		t.Errorf("search: got %+v, %v, want a validator of auth that learns in 15m", v, ok)
	}
	for _, s := range p.Services {
		if s.Name == "search" && len(s.Needs) != 0 {
			t.Errorf("search needs %v, want nothing: the cache waits for it", s.Needs)
		}
	}
	if p.MaxSpeed != 1 {
		t.Errorf("largest speed: got %v, want 1", p.MaxSpeed)
	}
}

// How a service gets what is published is the page's word, unless its scenario
// has another.
func TestDistribution(t *testing.T) {
	tests := []struct {
		name, page, rehearsal string
		replace               []string
		service               string
		distribution          string
		does, said            time.Duration // refresh: of the service, of the limits
	}{
		{"a key set is polled for", jwtPage, jwtScenario, nil, "auth", runbook.Poll, 20 * time.Second, 20 * time.Second},
		{"the page's", keyPage, keyScenario, []string{"distribution: poll", "distribution: file"}, "billing", runbook.File, 30 * time.Second, 30 * time.Second},
		{"an environment is not read again", keyPage, keyScenario, []string{"distribution: poll", "distribution: env"}, "billing", runbook.Env, 0, 0},
		{"the scenario's", keyPage, keyScenario, []string{"billing: {serve: charger}", "billing: {serve: charger, distribution: file, delay: 2m}"}, "billing", runbook.File, 30 * time.Second, 30 * time.Second},
		{"who reads nothing", keyPage, keyScenario, nil, "payments", "", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := built(t, loaded(t, tt.page, tt.rehearsal, tt.replace...), Options{})
			s := p.Rehearsal.Services[tt.service]
			e, _ := p.Limits.Emitter(tt.service)
			if s.Distribution != tt.distribution || s.Refresh.Duration() != tt.does || e.Refresh != tt.said {
				t.Errorf("got %q, refresh %v, limits %v; want %q, %v, %v", s.Distribution, s.Refresh, e.Refresh, tt.distribution, tt.does, tt.said)
			}
		})
	}
}

func TestDelayLimitsTheSpeed(t *testing.T) {
	p := built(t, loaded(t, keyPage, keyScenario, "{serve: charger}", "{serve: charger, distribution: file, delay: 10s}"), Options{})
	if p.MaxSpeed != 20 || !strings.Contains(p.MaxSpeedBecause, "the delay of billing") {
		t.Errorf("got %v because %s, want 20 because of the delay", p.MaxSpeed, p.MaxSpeedBecause)
	}
}
