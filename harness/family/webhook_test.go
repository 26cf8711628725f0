package family_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/webhook"
)

const webhookPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: payments-hook, family: webhook-secret}
storage: {store: vault, publish: {path: secret/data/payments/hook}, distribution: poll}
consumers:
  - {name: payments, roles: [emit], refresh: 30s}
  - {name: orders, roles: [validate], refresh: 30s}
format: {type: SCHEME, longest_life: 5m}
rollout: {lead: 1m, propagation: 30s, watch: 5m}
overlap: {window: 6m}
verification: {slo: {objective: 99%}}
rollback: {when: {auth_failures_over: 1%, for: 10s}}
schedule: {}
`

const webhookServices = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
speed: 60
services: {payments: {serve: sender}, orders: {serve: receiver}, audit: {serve: receiver, holds: 1, fails: 2%, pinned: true}}
load: [{client: sales, to: payments, endpoint: orders, rate: 5/s}]
`

// told is the last credential that a party's log names in lines of a kind.
func (r *rehearsal) told(service, message string) (identifier string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range r.lines {
		if line.Service == service && line.Message == message {
			identifier = line.Identifier
		}
	}
	return identifier
}

// holds reports whether a receiver's last read of the store left it with just
// these secrets.
func (r *rehearsal) holds(receiver string, want ...string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, line := range slices.Backward(r.lines) {
		if line.Service == receiver && line.Message == string(history.KindFetched) {
			got := slices.Sorted(slices.Values(line.Holds))
			return slices.Equal(got, want)
		}
	}
	return false
}

// delivered makes an event and says with which secret orders took it.
func (r *rehearsal) delivered(t *testing.T) string {
	t.Helper()
	resp, err := http.Post(r.addresses["payments"].URL()+"/events/orders", "text/plain", strings.NewReader("paid"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("event: got %s, want 202", resp.Status)
	}
	return r.told("orders", history.MessageAccepted)
}

func TestWebhookSecretsAmongRealServices(t *testing.T) {
	for _, name := range webhook.Names() {
		t.Run(name, func(t *testing.T) {
			r := rehearse(t, strings.Replace(webhookPage, "SCHEME", name, 1), webhookServices)
			if got := family.Authorities(r.plan); len(got) != 0 {
				t.Errorf("authorities: got %q, want none: each receiver decides for itself", got)
			}
			r.make(t, "k2")
			r.takes(t, "before k2 is accepted", true, false)
			r.do(t, keyring.Accept, "k2")
			r.do(t, keyring.Accept, "k2") // safe to repeat
			await(t, "orders reads both", func() bool { return r.holds("orders", "k1", "k2") })
			r.takes(t, "with both accepted", true, true)
			if got := r.delivered(t); got != "k1" {
				t.Errorf("orders took a delivery with %s before k2 was emitted, want k1", got)
			}
			r.do(t, keyring.Emit, "k2")
			await(t, "payments signs with k2", func() bool { return r.told("payments", string(history.KindEmitting)) == "k2" })
			await(t, "orders takes it with k2", func() bool { return r.delivered(t) == "k2" })
			if err := r.Hold(t.Context(), "k1", time.Minute); err != nil {
				t.Fatal(err)
			}
			r.do(t, keyring.Revoke, "k1")
			await(t, "orders has dropped k1", func() bool { return r.holds("orders", "k2") })
			r.takes(t, "after the revoke", false, true)
			r.do(t, keyring.Restore, "k1")
			await(t, "orders reads both again", func() bool { return r.holds("orders", "k1", "k2") })
			r.takes(t, "after the restore", true, true)
			r.do(t, keyring.Revoke, "k1")
			r.do(t, keyring.Destroy, "k1")
			r.do(t, keyring.Destroy, "k1")
			await(t, "orders has dropped k1", func() bool { return r.holds("orders", "k2") })
			if !r.holds("audit", "k1") {
				t.Error("audit, which is pinned, has read the store again")
			}
		})
	}
}

// takes asks orders about both secrets.
func (r *rehearsal) takes(t *testing.T, when string, k1, k2 bool) {
	t.Helper()
	for name, want := range map[string]bool{"k1": k1, "k2": k2} {
		p := r.present(t, "orders", name, history.Canary)
		if taken := p.Outcome == history.OK; taken != want || !taken && (p.Outcome != history.AuthFailure || p.Status != "401") {
			t.Errorf("%s, %s: got %+v, want taken %t", when, name, p, want)
		}
	}
	if got := r.told("orders", history.MessageAccepted); got == "" {
		t.Errorf("%s: orders tells nothing of what it accepted", when)
	}
}

// A sender that signs with the oldest secret emits the new one by the revoke of
// the old: there is no way back, and the way on is safe.
func TestEmitIsRevokeAtSomeSenders(t *testing.T) {
	for _, name := range webhook.Names() {
		r := rehearse(t, strings.Replace(webhookPage, "SCHEME", name, 1), webhookServices)
		r.make(t, "k2")
		r.do(t, keyring.Accept, "k2")
		r.do(t, keyring.Emit, "k2")
		err := r.Do(t.Context(), keyring.Emit, "k1")
		scheme, _ := webhook.Of(name)
		if got := errors.Is(err, family.ErrRevokedAtSender); got != scheme.Oldest {
			t.Errorf("%s: emit k1 again: got %v, want that it cannot be: %t", name, err, scheme.Oldest)
		}
		if scheme.Oldest {
			r.do(t, keyring.Emit, "k2") // where it was stopped
			await(t, "payments signs with k2", func() bool { return r.told("payments", string(history.KindEmitting)) == "k2" })
			r.present(t, "orders", "k1", history.Restored)
		}
	}
}

// The one who asks is told apart from the sender in the receiver's log.
func TestProbesOfWebhooksAreTold(t *testing.T) {
	r := rehearse(t, strings.Replace(webhookPage, "SCHEME", "stripe", 1), webhookServices)
	if p := r.present(t, "orders", "k1", history.Canary); p.Purpose != history.Canary || p.Latency <= 0 || !strings.Contains(p.Presentation, "k1 alone") {
		t.Errorf("got %+v, want a canary with a latency and how it was made", p)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.lines, func(l history.Line) bool { return l.Message == history.MessageAccepted })
	if i < 0 || r.lines[i].Presenter != family.ProbeAgent || r.lines[i].Identifier != "k1" {
		t.Errorf("orders logged %+v, want k1 of %s", r.lines, family.ProbeAgent)
	}
}

// TestDoubtsOfWebhooks: a delivery that is signed with what nobody has is refused by a
// receiver that takes what is signed with the secret.
func TestDoubtsOfWebhooks(t *testing.T) {
	r := rehearse(t, strings.Replace(webhookPage, "SCHEME", "stripe", 1), webhookServices)
	for purpose, want := range map[history.Purpose]history.Outcome{history.OldAfter: history.OK, history.MadeUp: history.AuthFailure} {
		if p := r.present(t, "orders", "k1", purpose); p.Outcome != want || p.Purpose != purpose {
			t.Errorf("%s: got %+v, want %s", purpose, p, want)
		}
	}
}

func TestReceiverThatIsNotThere(t *testing.T) {
	r := rehearse(t, strings.Replace(webhookPage, "SCHEME", "github", 1), webhookServices)
	r.ends["orders"]()
	if p := r.present(t, "orders", "k1", history.OldAfter); p.Outcome != history.Unavailable || p.Status != "refused" {
		t.Errorf("got %+v, want unavailable", p)
	}
}

// The scan for leaks looks for secrets with and without their prefix.
func TestSecretsOfWebhooks(t *testing.T) {
	for _, name := range webhook.Names() {
		r := rehearse(t, strings.Replace(webhookPage, "SCHEME", name, 1), webhookServices)
		data, _, err := r.store.Get(t.Context(), "rehearse/credentials/k1")
		if err != nil {
			t.Fatal(err)
		}
		value, _ := data["value"].(string)
		scheme, _ := webhook.Of(name)
		for _, want := range []string{value, scheme.Bare(value)} {
			if want == "" || !slices.Contains(r.Secrets(), want) {
				t.Errorf("%s: secrets: want the value, and without its prefix", name)
			}
		}
	}
}

// What the stand-ins are told: where to deliver, how to sign, and scaled times.
func TestConfigureWebhooks(t *testing.T) {
	r := rehearse(t, strings.Replace(webhookPage, "SCHEME", "shopify", 1), webhookServices)
	for _, s := range r.plan.Services {
		reads := contract.PublishedTo(s.Config)
		if reads == nil || reads.Refresh != contract.Duration(500*time.Millisecond) || !s.Reads {
			t.Errorf("%s: got %v, want a refresh of 30s at speed 60, and that it reads the store", s.Name, s.Config)
		}
		switch s.Name {
		case "payments":
			config := s.Config.(*contract.Sender)
			if config.Scheme != "shopify" || config.Name != s.Name || config.RetryFor != contract.Duration(5*time.Second) || len(config.Endpoints) != 2 || config.Endpoints["orders"] != "{{ .orders.url }}/webhooks" {
				t.Errorf("payments: got %+v, want its name, the page's scheme, both endpoints and retries for 5s", config)
			}
			if !slices.Equal(s.Needs, []string{"audit", "orders"}) {
				t.Errorf("payments needs %v, want both receivers", s.Needs)
			}
		case "audit":
			config := s.Config.(*contract.Receiver)
			if config.Scheme != "shopify" || config.Name != s.Name || config.Holds != 1 || config.Fails != 0.02 || !config.Pinned {
				t.Errorf("audit: got %+v, want its name, the page's scheme, room for one, 2%% that fail, pinned", config)
			}
		}
	}
}
