package attached_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rehearse-dev/rehearse/harness/attached"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/vaultpath"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const page = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: key, family: jwt-signing-key}
storage: {store: vault, publish: {path: secret/data/auth/key}, distribution: jwks, jwks: /jwks}
consumers:
  - {name: auth, roles: [emit], refresh: 1s}
  - {name: search, roles: [validate], library: jwx}
format: {type: ES256, identifier: kid, longest_life: 10m}
rollout: {lead: 18m, propagation: 30s, watch: 20m}
overlap: {window: 12m}
verification: {slo: {objective: 99.9%}, checks: [canary, logs]}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

// team is a team's system: an issuer with an interface to its keys, a validator,
// and a Vault.
type team struct {
	mu        sync.Mutex
	published []string
	emit      string
	fixed     bool     // its token endpoint knows only the key in use
	asked     []string // requests that change something
	samples   string   // that its Prometheus has; "away": it answers 503
	away      bool     // its token endpoint answers 503
	login     string   // where they are sent instead; empty: nowhere
	fresh     string   // the identifier of the new key
	server    *httptest.Server
	kept      int // tokens that were asked for to be kept
}

func newTeam(t *testing.T) *team {
	s := &team{published: []string{"old"}, emit: "old", fresh: "fresh"}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

// tokenOf is a JWT in form: what nobody checks is left out.
func tokenOf(kid string, expiry time.Time) string {
	encode := func(v any) string {
		data, _ := json.Marshal(v) // maps of texts and numbers
		return base64.RawURLEncoding.EncodeToString(data)
	}
	return encode(map[string]string{"alg": "ES256", "kid": kid}) + "." + encode(map[string]any{"exp": expiry.Unix()}) + ".c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
}

func (s *team) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	switch {
	case r.URL.Path == "/token" && s.away:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == "/token":
		life, err := time.ParseDuration(r.PostFormValue("life"))
		kid := r.PostFormValue("kid")
		if kid == "" || s.fixed {
			kid = s.emit
		}
		if err != nil || !slices.Contains(s.published, kid) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if life > time.Minute {
			s.kept++
		}
		fmt.Fprintf(w, `{"access_token": %q}`, tokenOf(kid, time.Now().Add(life)))
	case r.URL.Path == "/jwks":
		var keys []map[string]string
		for _, kid := range s.published {
			keys = append(keys, map[string]string{"kid": kid})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": keys})
	case r.URL.Path == "/check":
		raw := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		header, _ := base64.RawURLEncoding.DecodeString(strings.Split(raw, ".")[0])
		for _, kid := range s.published {
			if strings.Contains(string(header), `"kid":"`+kid+`"`) {
				return
			}
		}
		w.WriteHeader(http.StatusUnauthorized)
	case r.URL.Path == "/api/v1/query" && s.samples == "away":
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == "/api/v1/query":
		fmt.Fprintf(w, `{"data": {"resultType": "vector", "result": [%s]}}`, s.samples)
	case r.URL.Path == "/fails":
		w.WriteHeader(http.StatusTeapot)
	case s.login != "":
		http.Redirect(w, r, s.login, http.StatusFound)
	default:
		s.asked = append(s.asked, fmt.Sprintf("%s %s token=%s %s", r.Method, r.URL.Path, r.Header.Get("X-Vault-Token")+r.Header.Get("X-Admin"), body))
		switch r.URL.Path {
		case "/keys/new":
			fmt.Fprintf(w, `{"keys": [{"kid": %q}]}`, s.fresh)
		case "/keys/accept":
			s.published = append(s.published, "fresh")
		case "/keys/revoke":
			s.published = slices.DeleteFunc(s.published, func(kid string) bool { return kid == "old" })
		case "/v1/secret/data/auth/key":
			s.emit = "fresh"
			fmt.Fprint(w, `{}`)
		}
	}
}

// steps are those of the team, in a scenario.
const steps = `
  steps:
    make:     {http: {url: "{{ .auth.url }}/keys/new", headers: {X-Admin: "{{ .env.ADMIN }}"}}, identifier: keys.0.kid}
    accept:   {http: {url: "{{ .auth.url }}/keys/accept", body: "{{ .identifier }}"}}
    emit:     {vault: {path: secret/data/auth/key, patch: true, data: {data: {emit: "{{ .identifier }}", of: ["{{ .credential }}"]}}}}
    revoke:   {http: {method: DELETE, url: "{{ .auth.url }}/keys/revoke"}}
    restore:  {http: {url: "{{ .auth.url }}/fails"}}
    withdraw: {command: [./withdraw.sh, "{{ .identifier }}"]}
`

// attach is a system by the team's addresses, with more of the scenario's attach.
func attach(t *testing.T, team *team, more string, o attached.Options) (*attached.System, *plan.Plan, error) {
	t.Helper()
	return attachTo(t, team, page, more, o)
}

// attachTo is attach, by another page.
func attachTo(t *testing.T, team *team, page, more string, o attached.Options) (*attached.System, *plan.Plan, error) {
	t.Helper()
	text := "apiVersion: rehearse/v1\nkind: Scenario\nrunbook: page.yaml\nattach:\n" +
		strings.ReplaceAll("  urls: {auth: URL, search: URL}\n  vault: {url: URL}\n"+more, "URL", `"`+team.server.URL+`"`) + steps +
		"load: [{client: web, to: search, rate: 1/s, request: {path: /check}, token: {}}]\n"
	loaded, err := scenario.Load(fstest.MapFS{"page.yaml": {Data: []byte(page)}, "s.yaml": {Data: []byte(text)}}, "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	endpoints := []world.Endpoint{{Service: "auth", URL: team.server.URL}, {Service: "search", URL: team.server.URL}}
	if o.Getenv == nil {
		o.Getenv = func(name string) string { return "value-of-" + name }
	}
	attached.Evidence(p, endpoints)
	s, err := attached.New(p, endpoints, o)
	return s, p, err
}

// byName asks the token endpoint for a token of any published key.
const byName = `  tokens: {form: {life: "{{ .life }}", kid: "{{ .identifier }}"}}` + "\n"

// TestRotation takes every step forward, with the team's own calls and writes,
// and shows what the probes see.
func TestRotation(t *testing.T) {
	team := newTeam(t)
	s, _, err := attach(t, team, byName, attached.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	present := func(credential string, purpose history.Purpose, want history.Outcome) {
		t.Helper()
		probe, err := s.Present(ctx, "search", credential, purpose)
		if err != nil || probe.Outcome != want {
			t.Errorf("%s of %s: got %s, %v; want %s", purpose, credential, probe.Outcome, err, want)
		}
	}
	for _, name := range []string{"k1", "k2"} {
		identifier, err := s.Make(ctx, name)
		if want := map[string]string{"k1": "old", "k2": "fresh"}[name]; err != nil || identifier != want {
			t.Fatalf("make %s: got %q, %v; want %q", name, identifier, err, want)
		}
		if name == "k1" { // it was accepted and emitted before: nothing is done
			for _, step := range []keyring.Step{keyring.Accept, keyring.Emit} {
				if err := s.Do(ctx, step, name); err != nil {
					t.Fatal(err)
				}
			}
			if len(team.asked) > 0 {
				t.Fatalf("the team's system was changed: %q", team.asked)
			}
		}
	}
	do := func(step keyring.Step, credential string) {
		t.Helper()
		if err := s.Do(ctx, step, credential); err != nil {
			t.Fatalf("%s %s: %v", step, credential, err)
		}
	}
	do(keyring.Accept, "k2")
	present("k2", history.Canary, history.OK)
	do(keyring.Emit, "k2")
	if err := s.Hold(ctx, "k1", time.Hour); err != nil {
		t.Fatal(err)
	}
	do(keyring.Revoke, "k1")
	present("k1", history.OldAfter, history.AuthFailure)
	present("k2", history.NewAfter, history.OK)
	do(keyring.Destroy, "k1") // nothing is said for it
	if differences, err := s.Compare(ctx); err != nil || len(differences) > 0 {
		t.Errorf("compare: got %q, %v; want no difference", differences, err)
	}
	want := []string{
		"POST /keys/new token=value-of-ADMIN ",
		"POST /keys/accept token= fresh",
		`PATCH /v1/secret/data/auth/key token=value-of-REHEARSE_VAULT_TOKEN {"data":{"emit":"fresh","of":["k2"]}}`,
		"DELETE /keys/revoke token= ",
	}
	if !slices.Equal(team.asked, want) {
		t.Errorf("the team's system was asked\n%s\nwant\n%s", strings.Join(team.asked, "\n"), strings.Join(want, "\n"))
	}
	team.emit, team.published = "old", []string{"old", "fresh"}
	if differences, err := s.Compare(ctx); err != nil || len(differences) != 2 {
		t.Errorf("compare a system that went back: got %q, %v; want that it publishes k1 and does not sign with k2", differences, err)
	}
}

// TestHeldBeforeEmit proves a revoke with a token that was fetched while the old
// credential was in use, where the endpoint gives no other.
func TestHeldBeforeEmit(t *testing.T) {
	team := newTeam(t)
	team.fixed = true
	s, _, err := attach(t, team, `  tokens: {form: {life: "{{ .life }}"}}`+"\n", attached.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for _, name := range []string{"k1", "k2"} {
		if _, err := s.Make(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Present(ctx, "search", "k2", history.Canary); err == nil || !strings.Contains(err.Error(), "another credential") {
		t.Errorf("canary: got %v, want that the endpoint gives another credential's", err)
	}
	if _, err := s.Present(ctx, "search", "k1", history.OldAfter); err == nil {
		t.Error("a token that was made after the revoke proves nothing, and was presented")
	}
	for _, step := range []struct {
		step       keyring.Step
		credential string
	}{{keyring.Accept, "k2"}, {keyring.Emit, "k2"}, {keyring.Revoke, "k1"}} {
		if err := s.Do(ctx, step.step, step.credential); err != nil {
			t.Fatal(err)
		}
	}
	probe, err := s.Present(ctx, "search", "k1", history.OldAfter)
	if err != nil || probe.Outcome != history.AuthFailure {
		t.Errorf("the old one after the revoke: got %+v, %v; want a refusal", probe, err)
	}
}

func TestCommand(t *testing.T) {
	team, dir := newTeam(t), t.TempDir()
	script := "#!/bin/sh\necho \"$REHEARSE_STEP $REHEARSE_CREDENTIAL $REHEARSE_IDENTIFIER $1 ${VAULT_TOKEN:-none}\"\n" +
		"[ ! -e broken ] && exit\necho 'ALTER ROLE app PASSWORD '\"'hunter2'\" \"postgres://admin:p4ss@db/shop sk_live0123456789abcdef\" >&2\n" +
		"echo 'role \"app\" does not exist' >&2\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "withdraw.sh"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("VAULT_TOKEN", "of-another-vault")
	var lines []string
	s, _, err := attach(t, team, "", attached.Options{Dir: dir, Log: func(line string) { lines = append(lines, line) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"k1", "k2"} {
		if _, err := s.Make(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Do(t.Context(), keyring.Withdraw, "k2"); err != nil {
		t.Fatal(err)
	}
	if want := []string{"withdraw: withdraw k2 fresh fresh none"}; !slices.Equal(lines, want) {
		t.Errorf("printed %q, want %q", lines, want)
	}
	if err := os.WriteFile(filepath.Join(dir, "broken"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err = s.Do(t.Context(), keyring.Withdraw, "k2")
	if err == nil || !strings.Contains(err.Error(), "exit status 1") || !strings.Contains(err.Error(), `role \"app\" does not exist`) {
		t.Errorf("a command that fails: got %v, want its status and the last that it wrote", err)
	}
	for _, secret := range []string{"hunter2", "p4ss", "sk_live"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("a command that fails: %v has what may be a secret, %s", err, secret)
		}
	}
	if err := s.Do(t.Context(), keyring.Restore, "k1"); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("a call that is refused: got %v, want its status", err)
	}
}

// A step that is answered with a way to a login page was not taken, and nobody
// there is told what is in its headers.
func TestStepFollowsNoRedirect(t *testing.T) {
	var mu sync.Mutex
	var told []string
	login := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, r.Method+" "+r.Header.Get("X-Admin"))
	}))
	defer login.Close()
	team := newTeam(t)
	s, _, err := attach(t, team, "", attached.Options{})
	if err != nil {
		t.Fatal(err)
	}
	team.login = login.URL
	if _, err := s.Make(t.Context(), "k1"); err != nil { // it is there already
		t.Fatal(err)
	}
	if _, err := s.Make(t.Context(), "k2"); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("make: got %v, want the status of the redirect", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(told) > 0 {
		t.Errorf("the login page was asked %q", told)
	}
}

func TestBegunStepIsNotCutShort(t *testing.T) {
	team := newTeam(t)
	s, _, err := attach(t, team, "", attached.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"k1", "k2"} {
		if _, err := s.Make(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Do(ctx, keyring.Accept, "k2"); err != nil {
		t.Errorf("a step in a run that was interrupted: got %v, want it taken whole", err)
	}
}

func TestEnvironment(t *testing.T) {
	team := newTeam(t)
	_, _, err := attach(t, team, "", attached.Options{Getenv: func(string) string { return "" }})
	if err == nil || !strings.Contains(err.Error(), "ADMIN") || !strings.Contains(err.Error(), "REHEARSE_VAULT_TOKEN") {
		t.Errorf("got %v, want all that is missing", err)
	}
	s, _, err := attach(t, team, "", attached.Options{})
	if want := []string{"value-of-ADMIN", "value-of-REHEARSE_VAULT_TOKEN"}; err != nil || !slices.Equal(s.Secrets(), want) {
		t.Errorf("secrets are %q, %v; want %q", s.Secrets(), err, want)
	}
}

// TestCount: counters are read at both ends, and what cannot be told at the end is
// said in place of a figure.
func TestCount(t *testing.T) {
	const one, two = `{"metric": {"client": "web"}, "value": [1, "40"]}`, `{"metric": {"client": "app"}, "value": [1, "2"]}`
	for _, tt := range []struct {
		name, more, before, after string
		want                      int64
		missing                   string // empty: it is known
		refused                   string // at the start; empty: it is not
	}{
		{"all samples", "", one + "," + two, `{"value": [1, "52"]}`, 10, "", ""},
		{"those with a label", ", labels: {client: web}", one + "," + two, `{"metric": {"client": "web"}, "value": [1, "45"]}`, 5, "", ""},
		{"nothing counted yet", "", "", one, 40, "", ""},
		{"nothing at all", "", "", "", 0, "nothing is found", ""},
		{"one that began anew", "", one, two, 0, "began anew", ""},
		{"a rate", "", `{"value": [1, "0.5"]}`, "", 0, "", "ask for the counter itself"},
		{"away at the end", "", one, "away", 0, "answered 503", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			team := newTeam(t)
			s, _, err := attach(t, team, "  prometheus: URL\n  scrape: 1ms\n  counters: {search: {query: sum(served)"+tt.more+"}}\n", attached.Options{})
			if err != nil {
				t.Fatal(err)
			}
			team.samples = tt.before
			before, err := s.Count(t.Context())
			if tt.refused != "" {
				if err == nil || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("at the start: got %v, want %q", err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			team.samples = tt.after
			got := s.Served(t.Context(), before)
			if len(got) != 1 || got[0].Served != tt.want || !strings.Contains(got[0].Missing, tt.missing) || (got[0].Missing == "") != (tt.missing == "") {
				t.Errorf("got %+v, want %d, missing %q", got, tt.want, tt.missing)
			}
		})
	}
}

func TestWatch(t *testing.T) {
	team := newTeam(t)
	s, _, err := attach(t, team, "", attached.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	events := make(chan history.Event, 100)
	looks, err := s.Watch(ctx, func(e history.Event) { events <- e })
	if err != nil {
		t.Fatal(err)
	}
	var watch sync.WaitGroup
	watch.Go(func() { looks.Run(ctx) })
	var seen []history.Event
	wait := func(kind history.Kind, is func(history.Event) bool) {
		t.Helper()
		deadline := time.After(30 * time.Second)
		for { // who publishes and who signs are looked at side by side
			if i := slices.IndexFunc(seen, func(e history.Event) bool { return e.Kind == kind && is(e) }); i >= 0 {
				seen = slices.Delete(seen, i, i+1)
				return
			}
			select {
			case e := <-events:
				seen = append(seen, e)
			case <-deadline:
				t.Fatalf("no event of kind %s, want one", kind)
			}
		}
	}
	wait(history.KindPublished, func(e history.Event) bool { return slices.Equal(e.Credentials, []string{"old"}) })
	wait(history.KindEmitting, func(e history.Event) bool { return e.Identifier == "old" })
	team.mu.Lock()
	team.published, team.emit = []string{"old", "fresh"}, "fresh"
	team.mu.Unlock()
	wait(history.KindPublished, func(e history.Event) bool { return slices.Equal(e.Credentials, []string{"old", "fresh"}) })
	wait(history.KindEmitting, func(e history.Event) bool { return e.Identifier == "fresh" })
	for _, away := range []bool{true, false} {
		team.mu.Lock()
		team.away = away
		team.mu.Unlock()
		wait(history.KindUnseen, func(e history.Event) bool { return (e.Detail != "") == away })
	}
	cancel()
	watch.Wait()
}

func TestEvidence(t *testing.T) {
	team := newTeam(t)
	for _, tt := range []struct {
		name, tokens string
		tells        bool
		none         []string // rules without evidence
		canary       bool
	}{
		{"tokens by name", byName, false, []string{"logs"}, true},
		{"tokens of the one in use", "", false, []string{"logs"}, false},
		{"the same, with logs", "", true, nil, false},
		{"tokens of a fixed life", `  tokens: {form: {kid: "{{ .identifier }}"}}` + "\n", false, []string{"revocation", "logs"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, p, err := attach(t, team, tt.tokens, attached.Options{})
			if err != nil {
				t.Fatal(err)
			}
			attached.Evidence(p, []world.Endpoint{{Service: "auth", Logged: tt.tells, Tells: tt.tells}, {Service: "search", Logged: tt.tells, Tells: tt.tells}})
			var none []string
			for _, e := range p.Limits.RuleSources {
				if e.From == "" {
					t.Errorf("%s: says nothing", e.Rule)
				}
				if e.None {
					none = append(none, e.Rule)
				}
			}
			if !slices.Equal(none, tt.none) {
				t.Errorf("without evidence: got %q, want %q", none, tt.none)
			}
			if v, _ := p.Limits.Validator("search"); v.Untold != (!tt.canary && !tt.tells) {
				t.Errorf("search is untold: got %v", v.Untold)
			}
			if got := p.Runbook.Verification.Lists("canary"); got != tt.canary {
				t.Errorf("shows a canary: got %v, want %v", got, tt.canary)
			}
		})
	}
}

// TestSharedSecret: who checks by the secret itself has no key set to look at; tokens say
// which one is in use, and a step that is not in any set is no difference.
func TestSharedSecret(t *testing.T) {
	team := newTeam(t)
	text := strings.NewReplacer("jwt-signing-key", "jwt-shared-secret", "distribution: jwks, jwks: /jwks", "distribution: file",
		"library: jwx", "refresh: 30s", "ES256", "HS256").Replace(page)
	s, p, err := attachTo(t, team, text, byName, attached.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var seen []history.Event
	looks, err := s.Watch(t.Context(), func(e history.Event) { seen = append(seen, e) })
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 || seen[0].Kind != history.KindEmitting || seen[0].Identifier != "old" {
		t.Errorf("at the start: got %v, want what it signs with alone", seen)
	}
	if len(looks.Places) != 0 || len(looks.Issuers) != 1 || looks.Issuers[0].Set != nil {
		t.Errorf("looks at %v and %v, want the tokens alone", looks.Places, looks.Issuers)
	}
	if _, err := s.Make(t.Context(), "k1"); err != nil {
		t.Fatal(err)
	}
	if differences, err := s.Compare(t.Context()); err != nil || len(differences) > 0 {
		t.Errorf("compared: got %q, %v, want no difference", differences, err)
	}
	for _, e := range p.Limits.RuleSources {
		if strings.Contains(e.From, "key set") {
			t.Errorf("%s: %q speaks of a key set", e.Rule, e.From)
		}
	}
}

func TestDescribe(t *testing.T) {
	team := newTeam(t)
	_, p, err := attach(t, team, "", attached.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := attached.Describe(&out, p, []world.Endpoint{{Service: "auth", URL: team.server.URL, Is: "an address"}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"emit k2", "patch in Vault secret/data/auth/key", "withdraw k2", "command ./withdraw.sh {{ .identifier }}",
		"nothing: the scenario says nothing for it", "none, so it will be inconclusive", "within 30s",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if len(team.asked) > 0 {
		t.Errorf("the team's system was changed: %q", team.asked)
	}
}

// TestCannot: what the system cannot do is not done, and is an error only where the
// way back needs it; what expires is waited for.
func TestCannot(t *testing.T) {
	team := newTeam(t)
	s, p, err := attach(t, team, byName, attached.Options{})
	if err != nil {
		t.Fatal(err)
	}
	steps := p.Rehearsal.Attach.Steps
	steps["accept"] = scenario.Act{Cannot: "the next key is published already"}
	steps["revoke"] = scenario.Act{Expires: runbook.Duration(50 * time.Millisecond)}
	steps["restore"] = scenario.Act{Cannot: "what expired is gone"}
	steps["emit-back"] = scenario.Act{Cannot: "keys only go forward"}
	team.published = []string{"old", "fresh"}
	makeBoth(t, s)
	asked := len(team.asked)
	if err := s.Do(t.Context(), keyring.Accept, "k2"); err != nil || len(team.asked) != asked {
		t.Errorf("accept: got %v and %q, want nothing done", err, team.asked[asked:])
	}
	if err := s.Do(t.Context(), keyring.Emit, "k2"); err != nil {
		t.Fatal(err)
	}
	emitted := time.Now()
	if err := s.Do(t.Context(), keyring.Revoke, "k1"); err != nil || time.Since(emitted) < 40*time.Millisecond {
		t.Errorf("revoke: got %v after %s, want the expiry waited for", err, time.Since(emitted))
	}
	for step, want := range map[keyring.Step]string{keyring.Restore: "what expired is gone", keyring.Emit: "keys only go forward"} {
		asked = len(team.asked)
		if err := s.Do(t.Context(), step, "k1"); err == nil || !strings.Contains(err.Error(), want) || len(team.asked) != asked {
			t.Errorf("%s k1: got %v and %q, want %q and nothing done", step, err, team.asked[asked:], want)
		}
	}
	if got := s.Does("withdraw", "k2"); got != "command ./withdraw.sh fresh" {
		t.Errorf("what is done to withdraw: got %q", got)
	}
}

// What an identifier holds is nobody's promise: one that would lead a write
// elsewhere in Vault is not sent.
func TestWriteStaysAtItsPath(t *testing.T) {
	for _, path := range []string{"secret/data/../../sys/seal", "../sys/seal", "secret/data/{{ .identifier }}", "sys/seal", "secret/data/%2e%2e"} {
		team := newTeam(t)
		s, p, err := attach(t, team, byName, attached.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p.Rehearsal.Attach.Steps["emit"] = scenario.Act{Vault: &scenario.Write{Path: path}}
		team.fresh = "../../sys/seal"
		for _, name := range []string{"k1", "k2"} {
			if _, err := s.Make(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		before := len(team.asked)
		if err := s.Do(t.Context(), keyring.Emit, "k2"); !errors.Is(err, vaultpath.ErrPath) {
			t.Errorf("write to %s: got %v, want %v", path, err, vaultpath.ErrPath)
		}
		for _, asked := range team.asked[before:] {
			if strings.Contains(asked, "/v1/") {
				t.Errorf("write to %s: asked %s", path, asked)
			}
		}
	}
}
