package fault

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// publication is a file with what is published.
type publication struct {
	t    *testing.T
	path string
}

func newPublication(t *testing.T, entries ...map[string]any) publication {
	p := publication{t, filepath.Join(t.TempDir(), "secret.json")}
	p.publish(entries...)
	return p
}

// publish replaces the file by one of these entries, of which the first is emitted.
func (p publication) publish(entries ...map[string]any) {
	p.t.Helper()
	emit := entries[0]["tag"]
	if emit == nil {
		emit = entries[0]["kid"]
	}
	encoded, err := json.Marshal(map[string]any{"emit": emit, "keys": entries})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(p.path+".new", encoded, 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(p.path+".new", p.path); err != nil {
		p.t.Fatal(err)
	}
}

// read is what a fault finds published.
func (p publication) read(context.Context) (document map[string]any, err error) {
	encoded, err := os.ReadFile(p.path)
	if err != nil {
		return nil, err
	}
	return document, json.Unmarshal(encoded, &document)
}

// signingKey is an entry of a new key.
func signingKey(t *testing.T, kid, algorithm string) map[string]any {
	t.Helper()
	var private crypto.Signer
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if algorithm == "RS256" {
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"kid": kid, "alg": algorithm, "jwk": jose.JSONWebKey{Key: private, KeyID: kid, Algorithm: algorithm}}
}

// of is a plan with one fault on a service.
func of(f scenario.Fault, s scenario.Service) *plan.Plan {
	p := planOf(f)
	s.Refresh = runbook.Duration(time.Second)
	p.Services = []plan.Service{{Name: f.On, Service: s}}
	p.Runbook.Format.Type, p.Runbook.Storage.JWKS = "ES256", "/.well-known/jwks.json"
	return p
}

// reading is a service that reads a publication ten times a second.
func reading(config contract.Config, from publication) world.Spec {
	reads := contract.PublishedTo(config)
	reads.File, reads.Refresh = from.path, contract.Duration(100*time.Millisecond)
	name := ""
	switch config := config.(type) {
	case *contract.Issuer:
		name = config.Name
	case *contract.Receiver:
		name = config.Name
	case *contract.Charger:
		name = config.Name
	}
	return world.Spec{Name: name, Serve: config.Serves(), Config: config}
}

// onAnIssuer tries what an issuer is made to do, and publishes a second key.
func onAnIssuer(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w := newTown(t)
	f := scenario.Fault{Kind: kind, On: "auth", For: runbook.Duration(lasts), At: scenario.Moment{Phase: "emit"}}
	switch kind {
	case "jwks":
		f.Answer = "503-empty"
	case "clock":
		f.Shift = scenario.Shift(10 * time.Second)
	}
	first := signingKey(t, "k1", "ES256")
	// Made beforehand: on a busy machine an RSA key takes longer than the fault lasts.
	next := map[string]map[string]any{"ES256": signingKey(t, "k2", "ES256"), "RS256": signingKey(t, "k2", "RS256")}
	published := newPublication(t, first)
	s := w.settle(of(f, scenario.Service{Serve: "issuer"}), d, reading(&contract.Issuer{Name: "auth", Issuer: "http://auth"}, published))
	live(s)
	through(t, s, d, func() {
		entries := []map[string]any{first, next[s.Type("ES256")]}
		if kind == "old-kid" { // which shows where the new one signs
			slices.Reverse(entries)
		}
		published.publish(entries...)
	})
}

// onAKeySet tries what is put between a reader of a key set and its issuer.
func onAKeySet(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w := newTown(t)
	p := of(scenario.Fault{Kind: kind, On: "auth"}, scenario.Service{Serve: "issuer"})
	p.Rehearsal.Faults[0] = scenario.Fault{Kind: kind, From: "search", To: "auth", For: runbook.Duration(lasts), At: scenario.Moment{Phase: "emit"}}
	p.Services = append(p.Services, plan.Service{Name: "search", Service: scenario.Service{Serve: "verifier"}})
	keys := newPublication(t, signingKey(t, "k1", "ES256"))
	s := w.settle(p, d, reading(&contract.Issuer{Name: "auth", Issuer: "http://auth"}, keys))
	live(s)
	through(t, s, d, nil)
}

// onAClock tries what puts the clock of another service than an issuer behind.
func onAClock(serve string) trial {
	return func(t *testing.T, kind string, d *diary, live func(*Schedule)) {
		w := newTown(t)
		f := scenario.Fault{
			Kind: kind, On: "search", For: runbook.Duration(lasts), At: scenario.Moment{Phase: "emit"}, Shift: scenario.Shift(-6 * time.Minute),
		}
		var specs []world.Spec
		switch serve {
		case "verifier":
			keys := newPublication(t, signingKey(t, "k1", "ES256"))
			specs = append(specs, reading(&contract.Issuer{Name: "auth", Issuer: "http://auth"}, keys),
				world.Spec{Name: "search", Serve: serve, Config: &contract.Verifier{
					Name: "search", Library: "static", JWKS: "{{ .auth.url }}/.well-known/jwks.json", Issuer: "http://auth",
				}})
		case "receiver":
			secrets := newPublication(t, map[string]any{"tag": "k1", "value": "whsec_one-that-nobody-guesses"})
			specs = append(specs, reading(&contract.Receiver{Name: "search", Scheme: "stripe"}, secrets))
		}
		s := w.settle(of(f, scenario.Service{Serve: serve}), d, specs...)
		live(s)
		through(t, s, d, nil)
	}
}

// onAReader tries what becomes of a secret on its way to a consumer.
func onAReader(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w := newTown(t)
	f := scenario.Fault{Kind: kind, On: "checkout", For: runbook.Duration(2 * lasts), At: scenario.Moment{Phase: "emit"}}
	first := map[string]any{"tag": "k1", "value": "one-that-nobody-guesses"}
	published := newPublication(t, first)
	s := w.settle(of(f, scenario.Service{Serve: "charger"}), d,
		reading(&contract.Charger{Name: "checkout", Provider: "http://127.0.0.1:1"}, published))
	s.Published = published.read
	live(s)
	through(t, s, d, func() { published.publish(first, map[string]any{"tag": "k2", "value": "two-that-nobody-guesses"}) })
}

// onADelivery tries who writes a consumer's file beside the rotation.
func onADelivery(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w := newTown(t)
	f := scenario.Fault{Kind: kind, On: "checkout", For: runbook.Duration(2 * lasts), At: scenario.Moment{Phase: "emit"}}
	first, second := map[string]any{"tag": "k1", "value": "one-that-nobody-guesses"}, map[string]any{"tag": "k2", "value": "two-that-nobody-guesses"}
	atTheStore, mounted := newPublication(t, second, first), newPublication(t, second, first)
	w.writeBack = func(_ context.Context, _ string, back bool) error {
		if back {
			mounted.publish(first)
		} else {
			mounted.publish(second, first)
		}
		return nil
	}
	s := w.settle(of(f, scenario.Service{Serve: "charger", Distribution: runbook.File}), d,
		reading(&contract.Charger{Name: "checkout", Provider: "http://127.0.0.1:1"}, mounted))
	s.Published = atTheStore.read
	live(s)
	through(t, s, d, nil)
}

// onARollout tries what keeps a consumer from being started anew with what is published.
func onARollout(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w := newTown(t)
	f := scenario.Fault{Kind: kind, On: "checkout", For: runbook.Duration(10 * lasts), At: scenario.Moment{Phase: "emit"}}
	if kind == "stuck-rollout" {
		f.By = string(world.RolloutPaused)
	}
	first, second := map[string]any{"tag": "k1", "value": "one-that-nobody-guesses"}, map[string]any{"tag": "k2", "value": "two-that-nobody-guesses"}
	atTheStore, had := newPublication(t, second, first), newPublication(t, second, first)
	w.rollouts = func(_ context.Context, _ string, how world.RolloutTrouble) error {
		if how != "" {
			had.publish(first)
		} else {
			had.publish(second, first)
		}
		return nil
	}
	p := of(f, scenario.Service{Serve: "charger", Distribution: runbook.Env})
	p.Services[0].OnPage = true
	s := w.settle(p, d,
		reading(&contract.Charger{Name: "checkout", Provider: "http://127.0.0.1:1"}, had))
	s.Published = atTheStore.read
	live(s)
	through(t, s, d, nil)
}

// onALogin tries who sets passwords beside the rotation.
func onALogin(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w := newTown(t)
	p := of(scenario.Fault{Kind: kind, On: "db", For: runbook.Duration(lasts), At: scenario.Moment{Phase: "emit"}}, scenario.Service{Serve: "redis"})
	w.logins = &login{}
	s := w.settle(p, d)
	live(s)
	through(t, s, d, nil)
}

// login is one that takes the old password, or the new one too.
type login struct{ old atomic.Bool }

func (l *login) PutBack(context.Context, string) error  { l.old.Store(true); return nil }
func (l *login) PutRight(context.Context, string) error { l.old.Store(false); return nil }

func (l *login) ShowNewest(context.Context, string) (string, history.Probe, error) {
	if l.old.Load() {
		return "k2", history.Probe{Outcome: history.AuthFailure}, nil
	}
	return "k2", history.Probe{Outcome: history.OK}, nil
}

// besideAReader tries another rotation, of whose credential a consumer tells.
func besideAReader(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w := newTown(t)
	p := of(scenario.Fault{Kind: kind, On: "checkout", At: scenario.Moment{Phase: "emit"}}, scenario.Service{Serve: "charger"})
	p.Rehearsal.Faults[0].On = "store"
	first := map[string]any{"tag": "k1", "value": "one-that-nobody-guesses"}
	published := newPublication(t, first)
	w.another = func(_ context.Context, credential string) (string, error) {
		published.publish(first, map[string]any{"tag": credential, "value": "three-that-nobody-guesses"})
		return credential, nil
	}
	s := w.settle(p, d, reading(&contract.Charger{Name: "checkout", Provider: "http://127.0.0.1:1"}, published))
	live(s)
	through(t, s, d, nil)
}

// job is a rotator that has nothing but a keyring.
type job struct {
	mu   sync.Mutex
	ring keyring.Keyring
	dies bool
}

func (j *job) Die() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.dies = true
}

func (j *job) Revive() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.dies, j.ring.Pending = false, nil
}

func (j *job) Keyring(context.Context) (*keyring.Keyring, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ring.Clone(), nil
}

// step begins a step, and ends it unless it dies.
func (j *job) step() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.dies {
		j.ring.Pending = &keyring.Intent{Step: keyring.Emit, Credential: "k2"}
	}
}

// onARotator tries what ends one in the middle of a step.
func onARotator(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w, j := newTown(t), &job{}
	w.rotator = j
	s := w.settle(planOf(scenario.Fault{Kind: kind, On: "store", For: runbook.Duration(lasts), At: scenario.Moment{Phase: "emit"}}), d)
	live(s)
	through(t, s, d, j.step)
}

// onAProvider tries what is done to a provider, of whose old key a probe is let in after the revoke.
func onAProvider(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w := newTown(t)
	const admin, value = "token-of-the-admin", "one-that-nobody-guesses"
	f := scenario.Fault{Kind: kind, On: "payments", For: runbook.Duration(lasts), At: scenario.Moment{Phase: "emit"}}
	s := w.settle(of(f, scenario.Service{Serve: "provider"}), d, world.Spec{
		Name: "payments", Serve: "provider", Config: &contract.Provider{Name: "payments", Account: "a1", AdminToken: admin},
	})
	call := func(method, path, token, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, w.URL("payments", false)+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if status := call(http.MethodPut, "/admin/keys/k1", admin, `{"value":"`+value+`"}`); status != http.StatusCreated {
		t.Fatalf("make a key: got %d", status)
	}
	live(s)
	through(t, s, d, func() {
		if status := call(http.MethodPost, "/admin/keys/k1/disable", admin, ""); status != http.StatusOK && status != http.StatusNoContent {
			t.Errorf("disable the key: got %d", status)
		}
		probe := history.Probe{Purpose: history.OldAfter, Outcome: history.OK}
		if call(http.MethodGet, "/balance", value, "") == http.StatusUnauthorized {
			probe.Outcome = history.AuthFailure
		}
		d.Record(history.Event{Kind: history.KindProbe, Service: "payments", Credential: "k1", Probe: &probe})
	})
	if status := call(http.MethodGet, "/balance", value, ""); status != http.StatusUnauthorized {
		t.Errorf("the old key when it is over: got %d, want %d", status, http.StatusUnauthorized)
	}
}

// onAVerifier tries what is shown to a verifier.
func onAVerifier(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w := newTown(t)
	w.serve("search", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	s := w.settle(of(faultOf(kind, 0, lasts), scenario.Service{Serve: "verifier"}), d)
	live(s)
	through(t, s, d, nil)
}

// onTheStore tries what is done to the secrets store.
func onTheStore(t *testing.T, kind string, d *diary, live func(*Schedule)) {
	w := newTown(t)
	spec, keys := store.EmbeddedSpec("store")
	if err := w.Start(t.Context(), []world.Spec{spec}); err != nil {
		t.Fatal(err)
	}
	own, err := store.Open(t.Context(), store.Server{URL: w.URL("store", false), Token: keys.Root, Ours: true}, "r1")
	if err != nil {
		t.Fatal(err)
	}
	g, err := Prepare(planOf(scenario.Fault{Kind: kind, On: "store", For: runbook.Duration(lasts), At: scenario.Moment{Phase: "emit"}}))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(g, Place{Runtime: w, History: d, Sealer: testSealer{own, keys.Unseal}})
	if err != nil {
		t.Fatal(err)
	}
	live(s)
	through(t, s, d, nil)
}

type testSealer struct {
	*store.Store
	key string
}

func (s testSealer) Unseal(ctx context.Context) error { return s.Store.Unseal(ctx, s.key) }
