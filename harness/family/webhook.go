package family

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/refusal"
	"github.com/rehearse-dev/rehearse/harness/webhook"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// webhookSecret is the family of the secrets that sign webhooks. Sender and
// receivers hold the same secret and read it from what is published; whether a
// delivery is taken is decided by each receiver.
type webhookSecret struct{}

var _ Family = webhookSecret{}

// ErrRevokedAtSender says that a sender which signs with the oldest secret cannot go back: that was
// revoked there when the newer one was emitted.
var ErrRevokedAtSender = errors.New("it was revoked at the sender when the newer one was emitted, which cannot be taken back: " +
	"go on with the newer one, which every receiver takes that takes both")

// Configure tells senders where to deliver, and both sides the page's scheme and how fast time runs.
func (webhookSecret) Configure(p *plan.Plan) error {
	if _, err := webhook.Of(p.Runbook.Format.Type); err != nil {
		return err
	}
	endpoints, refusals := map[string]string{}, map[string]refusal.Signs{}
	for _, v := range p.Limits.Validators {
		endpoints[v.Name] = contract.AddressOf(v.Name) + deliveredAt(p, v.Name)
		if shown := p.Rehearsal.Services[v.Name].Refusal; shown != nil {
			refusals[v.Name] = shown.Signs()
		}
	}
	for i := range p.Services {
		s := &p.Services[i]
		switch s.Serve {
		case "sender":
			s.Config = &contract.Sender{
				Name: s.Name, Scheme: p.Runbook.Format.Type, Published: readsOf(p, s),
				Endpoints: endpoints, Refusals: refusals, RetryFor: contract.Duration(p.Wall(p.Limits.LongestLife)),
			}
		case "receiver":
			s.Config = &contract.Receiver{
				Name: s.Name, Scheme: p.Runbook.Format.Type, Published: readsOf(p, s), Holds: s.Holds, Fails: float64(s.Fails),
			}
		}
	}
	return nil
}

// deliveredAt is the path at which a receiver takes deliveries.
func deliveredAt(p *plan.Plan, receiver string) string {
	if call := p.Rehearsal.Services[receiver].Call; call != nil && call.Path != "" {
		return call.Path
	}
	return contract.WebhookPath
}

// Bind makes the family's steps on the store, and probes that deliver as a
// sender does.
func (webhookSecret) Bind(b Backend) Binding {
	scheme, _ := webhook.Of(b.Plan.Runbook.Format.Type) // Configure has refused one that does not exist
	return &webhookBound{
		steps: newSteps(webhookKind{scheme}, b, nil), plan: b.Plan, scheme: scheme,
		url: func(service string) string { return b.URL(service, false) },
	}
}

// webhookKind makes secrets. Its entries are what receivers read: the tag, which
// is the credential's name in the run, and the value.
type webhookKind struct{ scheme webhook.Scheme }

var _ publisher = webhookKind{}

func (k webhookKind) generate(name string) (map[string]any, error) {
	value, err := k.scheme.NewSecret()
	if err != nil {
		return nil, err
	}
	return map[string]any{"tag": name, "value": value}, nil
}

func (k webhookKind) parse(entry map[string]any) (credential, error) {
	tag, _ := entry["tag"].(string)
	value, _ := entry["value"].(string)
	if tag == "" || value == "" {
		return credential{}, errors.New("it is not a tag with a value")
	}
	// The leak scan searches both forms: with and without the prefix.
	return credential{identifier: tag, entry: entry, values: []string{value, k.scheme.Bare(value)}}, nil
}

// publish marks the secrets that are revoked at the sender: a sender that signs with the oldest secret
// can emit the new one only so. The family thereby folds two steps: emit is the revoke at the sender,
// and the rotation's revoke is the receivers'.
func (k webhookKind) publish(emit string, keys []map[string]any) map[string]any {
	published := []any{}
	older := true
	for _, key := range keys {
		older = older && key["tag"] != emit
		if k.scheme.Oldest {
			key = map[string]any{"tag": key["tag"], "value": key["value"], "revoked": older}
		}
		published = append(published, key)
	}
	return map[string]any{"emit": emit, "keys": published}
}

// webhookBound is the family with a world behind it.
type webhookBound struct {
	*steps
	plan   *plan.Plan
	scheme webhook.Scheme
	url    func(service string) string
}

var (
	_ world.Probes  = (*webhookBound)(nil)
	_ world.Doubter = (*webhookBound)(nil)
	_ world.Spoiler = (*webhookBound)(nil)
)

// Doubts are a delivery that is signed with a secret which nobody has.
func (w *webhookBound) Doubts() []history.Purpose { return []history.Purpose{history.MadeUp} }

// Spoils reports true: a delivery can be shown to any receiver.
func (w *webhookBound) Spoils(string) bool { return true }

// Do takes a step, except an emit that such a sender cannot do.
func (w *webhookBound) Do(ctx context.Context, step keyring.Step, name string) error {
	if w.scheme.Oldest && step == keyring.Emit {
		ring, _, err := w.keystore.keyring(ctx)
		if err != nil {
			return err
		}
		// Credentials are named in the order in which they are made.
		if ring.Emit > name {
			return fmt.Errorf("emit %s: %w", name, ErrRevokedAtSender)
		}
	}
	return w.steps.Do(ctx, step, name)
}

// Hold only makes sure that the secret is at hand: what is presented after the revoke is signed then,
// so that only the secret can be the reason of a refusal.
func (w *webhookBound) Hold(ctx context.Context, name string, _ time.Duration) error {
	if _, err := w.lookup(ctx, name); err != nil {
		return fmt.Errorf("hold %s: %w", name, err)
	}
	return nil
}

// Present makes one delivery to a receiver, signed with one secret alone.
func (w *webhookBound) Present(ctx context.Context, validator, name string, purpose history.Purpose) (history.Probe, error) {
	fail := func(err error) (history.Probe, error) {
		return history.Probe{}, fmt.Errorf("present %s to %s: %w", name, validator, err)
	}
	at := w.url(validator)
	if at == "" {
		return fail(errors.New("it has no address"))
	}
	c, err := w.lookup(ctx, name)
	if err != nil {
		return fail(err)
	}
	id := "evt_" + rand.Text()
	now := time.Now()
	body, err := webhook.Event(id, webhook.TypeProbe, now, "")
	if err != nil {
		return fail(err)
	}
	header := http.Header{"Content-Type": {"application/json"}, webhook.HeaderIdentifier: {c.identifier}}
	secret, presentation := c.values[0], "delivery signed with "+name+" alone"
	if purpose.Invented() {
		if secret, err = w.scheme.NewSecret(); err != nil {
			return fail(err)
		}
		presentation = "delivery signed with a made-up secret"
	}
	w.scheme.Sign(header, webhook.Message{ID: id, At: now, Body: body}, secret)
	probe, err := Request{
		Method: http.MethodPost, URL: at + deliveredAt(w.plan, validator), Header: header, Body: string(body), Signs: Signs(w.plan, validator),
	}.Ask(ctx)
	if err != nil {
		return fail(err)
	}
	probe.Purpose, probe.Presentation = purpose, presentation
	return probe, nil
}
