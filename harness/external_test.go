package harness

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/load"
	"github.com/rehearse-dev/rehearse/harness/logs"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// ownScenario has a program of this machine in checkout's place: it is this
// test's own binary, of which the harness knows nothing but its settings.
func ownScenario(settings string) string {
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	config := `{"name": "checkout", "library": "go-oidc", "jwks": "{{ .auth.url }}/.well-known/jwks.json", "issuer": "{{ .auth.url }}"}`
	return strings.Replace(plantest.JWTScenario, "checkout: {serve: verifier, of: edge}", fmt.Sprintf(
		"checkout: {command: [%q, serve, verifier], healthcheck: /healthz, scale: full, environment: {REHEARSE_CONFIG: '%s', REHEARSE_LISTEN: '127.0.0.1:{{ .checkout.port }}'}%s}",
		executable, config, settings), 1)
}

func TestRunOfAProgramThatKnowsNothing(t *testing.T) {
	o := inProcesses(t)
	p := plantest.Plan(t, plantest.JWTPage, ownScenario(`, refusal: {log: '"msg":"refused","service":"checkout","identifier":"(?P<credential>[^"]+)","presenter":"(?P<presenter>[^"]+)"'}`))
	outcome, err := Run(t.Context(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, o)
	view := history.ViewOf(outcome.History)
	if _, holds := view.Holds["checkout"]["k2"]; !holds || view.Fetches["checkout"] < 2 {
		t.Errorf("got holds %v after %d fetches, want k2 and at least 2, as the issuer tells", view.Holds["checkout"], view.Fetches["checkout"])
	}
	passed(t, outcome.Verdict, "accounting")
	told := slices.ContainsFunc(outcome.History.Events, func(e history.Event) bool {
		return e.Kind == history.KindService && e.Service == "checkout" && strings.HasPrefix(e.Detail, "command ")
	})
	if !told {
		t.Error("nothing says that checkout is a command of this machine")
	}
}

// TestRunOfAProgramThatEnds: the error has the last of its log, and no secret.
func TestRunOfAProgramThatEnds(t *testing.T) {
	o := inProcesses(t)
	text := strings.Replace(plantest.JWTScenario, "checkout: {serve: verifier, of: edge}",
		`checkout: {command: [sh, -c, "echo starting; echo cannot read $TOKEN: no such key; exit 3"], scale: full, environment: {TOKEN: "{{ .store.token }}", AUTH: "{{ .auth.url }}"}}`, 1)
	_, err := Run(t.Context(), plantest.Plan(t, plantest.JWTPage, text), o)
	if want := "checkout: starting\ncheckout: cannot read [secret]: no such key"; err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "start checkout: it ended") {
		t.Errorf("got %v, want that checkout ended, and %q", err, want)
	}
	nothingLeft(t, o)
}

func TestRunReloads(t *testing.T) {
	o := inProcesses(t)
	// A busy machine takes seconds to start it anew: the run must not be over before.
	page := strings.Replace(plantest.JWTPage, "watch: 1m40s", "watch: 25m", 1)
	outcome, err := Run(t.Context(), plantest.Plan(t, page, ownScenario(", reload: {restart: true, after: 10s}")), o)
	if err != nil {
		t.Fatal(err)
	}
	// After the accept, and after the revoke.
	if got, want := deliveries(outcome.History), []string{"checkout reload k1", "checkout reload k2"}; !slices.Equal(got, want) {
		t.Errorf("got delivered %q, want %q", got, want)
	}
}

func TestRunNotHere(t *testing.T) {
	for _, tt := range []struct{ name, runtime, service, want string }{
		{"an image without an engine", Process, "{image: acme/checkout, scale: full}", "checkout is an image, and needs --runtime docker"},
		{"one to build without an engine", Process, "{build: {context: .}, scale: full}", "checkout is an image"},
		{"a command in containers", Docker, "{command: [./checkout], scale: full}", "checkout is a command of this machine, and needs --runtime process"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := inProcesses(t)
			o.Runtime = tt.runtime
			text := strings.Replace(plantest.JWTScenario, "{serve: verifier, of: edge}", tt.service, 1)
			_, err := Run(t.Context(), plantest.Plan(t, plantest.JWTPage, text), o)
			if err == nil || !strings.Contains(err.Error(), ErrNotHere.Error()) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want that it cannot be rehearsed here: %s", err, tt.want)
			}
		})
	}
}

// TestOwnSpec starts nothing: what a runtime is told is what a scenario says.
func TestOwnSpec(t *testing.T) {
	fsys := fstest.MapFS{
		"pages/page.yaml": {Data: []byte(plantest.JWTPage)},
		"made/Dockerfile": {Data: []byte("FROM scratch")},
		"pages/token.jwt": {Data: []byte("fixed\n")},
		"pages/scenario.yaml": {Data: []byte(strings.Replace(plantest.JWTScenario, "checkout: {serve: verifier, of: edge}",
			"checkout: {build: {context: ../made}, ports: [9000], healthcheck: /up, scale: full, environment: {AGE: '{{ .scaled.10m.ms }}'}, files: {/etc/a: '{{ .auth.url }}'}}", 1) +
			"  - {client: fixed, to: checkout, rate: 1/s, token: {file: token.jwt, header: X-Key}}\n")},
	}
	loaded, err := scenario.Load(fsys, "pages/scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := &run{plan: p, names: logs.NewNames(p)}
	if err := r.prepareDelivery(); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Services {
		if s.Name != "checkout" {
			continue
		}
		if s.Reads || s.Distribution != runbook.JWKS || !slices.Equal(s.Needs, []string{"auth"}) {
			t.Errorf("got reads %t, distribution %s, needs %v; want a key set of auth", s.Reads, s.Distribution, s.Needs)
		}
		spec, err := r.spec(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if spec.Port != 9000 || spec.Health != "/up" || spec.Environment["AGE"] != "6000" || spec.Files["/etc/a"] != "{{ .auth.url }}" || spec.Build == nil {
			t.Errorf("got %+v, want what the scenario says", spec)
		}
		if content, err := spec.Build.Context.Open("Dockerfile"); err != nil {
			t.Errorf("got context %v, %v; want the folder beside the scenario's", content, err)
		}
	}
	spec, err := r.loadSpec()
	if err != nil {
		t.Fatal(err)
	}
	clients := spec.Config.(*load.Config).Clients
	if !slices.ContainsFunc(clients, func(c load.ClientConfig) bool {
		return c.Token != nil && c.Token.Header == "X-Key" && c.Token.Value == "fixed"
	}) {
		t.Errorf("got clients %+v, want one with the file's token in its header", clients)
	}
	if !slices.Contains(r.secrets, "fixed") {
		t.Error("the leak scan does not look for the file's token")
	}
}
