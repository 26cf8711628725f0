package family_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

const apiKeyPage = `
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

const apiKeyServices = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
speed: 40
services: {billing: {serve: charger}, payments: {serve: provider}}
load: [{client: web, to: billing, rate: 5/s}]
`

func TestAPIKeysAmongRealServices(t *testing.T) {
	r := rehearse(t, apiKeyPage, apiKeyServices)
	if got := family.Authorities(r.plan); !slices.Equal(got, []string{"payments"}) {
		t.Fatalf("authorities: got %q, want payments", got)
	}
	tag := r.make(t, "k2")
	r.decides(t, "before k2 is accepted", map[string]string{"k1": "200", "k2": "401"})
	r.do(t, keyring.Accept, "k2")
	r.do(t, keyring.Accept, "k2") // safe to repeat
	r.decides(t, "with both accepted", map[string]string{"k1": "200", "k2": "200"})
	if r.charged(t) == tag {
		t.Error("the charger presents k2 before it is emitted")
	}
	r.do(t, keyring.Emit, "k2")
	await(t, "the charger presents k2", func() bool { return r.charged(t) == tag })
	if err := r.Hold(t.Context(), "k1", time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		step keyring.Step
		want string
	}{{keyring.Revoke, "401"}, {keyring.Restore, "200"}, {keyring.Restore, "200"}, {keyring.Revoke, "401"}} {
		r.do(t, step.step, "k1")
		r.decides(t, "after "+string(step.step), map[string]string{"k1": step.want, "k2": "200"})
	}
	r.make(t, "k3")
	err := r.Do(t.Context(), keyring.Accept, "k3")
	if err == nil || !strings.Contains(err.Error(), "409") || !strings.Contains(err.Error(), "slot") {
		t.Errorf("accept a third key: got %v, want 409 and that no slot is free", err)
	}
	if err != nil && holds(err.Error(), r.Secrets()) {
		t.Error("the error holds a value")
	}
	r.do(t, keyring.Withdraw, "k3") // of which the provider knows nothing
	r.do(t, keyring.Destroy, "k1")
	r.do(t, keyring.Destroy, "k1")
	r.decides(t, "after destroy", map[string]string{"k1": "401", "k2": "200"})
	r.make(t, "k4")
	r.do(t, keyring.Accept, "k4")
}

func holds(text string, values []string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return strings.Contains(text, v) })
}

// decides asks the provider about credentials.
func (r *rehearsal) decides(t *testing.T, when string, want map[string]string) {
	t.Helper()
	for name, status := range want {
		outcome := history.OK
		if status == "401" {
			outcome = history.AuthFailure
		}
		if p := r.present(t, "payments", name, history.OldAfter); p.Status != status || p.Outcome != outcome {
			t.Errorf("%s, %s: got %+v, want %s", when, name, p, status)
		}
	}
}

// charged makes a charge and says with which key the charger made it.
func (r *rehearsal) charged(t *testing.T) (tag string) {
	t.Helper()
	resp, err := http.Post(r.addresses["billing"].URL(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("charge: got %s, want 200", resp.Status)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.lines {
		if line.Message == history.MessagePresented {
			tag = line.Identifier
		}
	}
	return tag
}

func TestProbesOfAPIKeysAreTold(t *testing.T) {
	r := rehearse(t, apiKeyPage, apiKeyServices)
	r.present(t, "payments", "k1", history.NewAfter)
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.lines, func(l history.Line) bool { return l.Message == history.MessageAccepted })
	if i < 0 || r.lines[i].Presenter != family.ProbeAgent {
		t.Errorf("the provider logged %+v, want one presenter %s", r.lines, family.ProbeAgent)
	}
}

func TestProviderThatIsNotThere(t *testing.T) {
	r := rehearse(t, apiKeyPage, apiKeyServices)
	r.ends["payments"]()
	r.make(t, "k2")
	if err := r.Do(t.Context(), keyring.Accept, "k2"); err == nil || !strings.Contains(err.Error(), "payments") {
		t.Errorf("accept: got %v, want an error that names payments", err)
	}
	// The keyring says what was under way: it is finished when the provider is back.
	data, _, err := r.store.Get(t.Context(), "rehearse/keyring")
	if err != nil {
		t.Fatal(err)
	}
	if pending, _ := data["pending"].(map[string]any); pending["step"] != "accept" || pending["credential"] != "k2" {
		t.Errorf("keyring: got %v, want that the accept of k2 is under way", data)
	}
	if data, _, err = r.store.Get(t.Context(), "billing/key"); err != nil || len(data["keys"].([]any)) != 1 {
		t.Errorf("published: got %d keys and %v, want k1 alone: nobody is given what is not accepted", len(data["keys"].([]any)), err)
	}
	p, err := r.Present(t.Context(), "payments", "k1", history.OldAfter)
	if err != nil || p.Outcome != history.Unavailable {
		t.Errorf("probe: got %+v and %v, want unavailable", p, err)
	}
}

func TestSecretsOfAPIKeys(t *testing.T) {
	r := rehearse(t, apiKeyPage, apiKeyServices)
	data, _, err := r.store.Get(t.Context(), "rehearse/credentials/k1")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.plan.Services, func(s plan.Service) bool { return s.Name == "payments" })
	for what, want := range map[string]any{"the key": data["value"], "the admin token": r.plan.Services[i].Config.(*contract.Provider).AdminToken} {
		if text, _ := want.(string); text == "" || !slices.Contains(r.Secrets(), text) {
			t.Errorf("secrets: want %s among them", what)
		}
	}
}

func TestCancelledProbeIsNoOutcome(t *testing.T) {
	r := rehearse(t, apiKeyPage, apiKeyServices)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := r.Present(ctx, "payments", "k1", history.OldAfter); err == nil {
		t.Errorf("got %+v, want the end of the context", p)
	}
}
