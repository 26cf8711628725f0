package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rehearse-dev/rehearse/fakes/apikey"
	fakestore "github.com/rehearse-dev/rehearse/fakes/store"
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/logs"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/plan/plantest"
	"github.com/rehearse-dev/rehearse/harness/rotation"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

const hookPage = `
apiVersion: rehearse/v1
kind: Runbook
scope: {name: payments-hook, family: webhook-secret}
storage: {store: vault, publish: {path: secret/data/payments/hook}, distribution: poll}
consumers:
  - {name: payments, roles: [emit], refresh: 30s}
  - {name: orders, roles: [validate], refresh: 30s}
format: {type: github, identifier: tag, longest_life: 10m}
rollout: {lead: 1m, propagation: 10s, watch: 1m}
overlap: {window: 1m}
verification: {slo: {objective: 99.9%}}
schedule: {}
`

const hookScenario = `
apiVersion: rehearse/v1
kind: Scenario
runbook: page.yaml
services: {payments: {serve: sender}, orders: {serve: receiver}}
load: [{client: sales, to: payments, endpoint: orders, rate: 10/s}]
`

// assignment is what a rotator of its own process is to do: steps on a store
// and an authority, which outlive it.
type assignment struct {
	Page, Scenario, Store, Token, Run string
	Addresses                         map[string]string
	AdminToken                        string
	Steps                             []keyring.Intent
}

// assignmentVariable is where the rotator finds it.
const assignmentVariable = "REHEARSE_TEST_ASSIGNMENT"

// bind makes a family's calls on what an assignment names.
func (a assignment) bind() (*plan.Plan, family.Binding, error) {
	loaded, err := scenario.Load(fstest.MapFS{"page.yaml": {Data: []byte(a.Page)}, "scenario.yaml": {Data: []byte(a.Scenario)}}, "scenario.yaml")
	if err != nil {
		return nil, nil, err
	}
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		return nil, nil, err
	}
	f, err := family.Of(p)
	if err != nil {
		return nil, nil, err
	}
	if err := f.Configure(p); err != nil {
		return nil, nil, err
	}
	for i, s := range p.Services {
		if s.Serve == "provider" {
			p.Services[i].Config.(*contract.Provider).AdminToken = a.AdminToken
		}
	}
	part, err := store.Attach(context.Background(), store.Server{URL: a.Store, Token: a.Token}, a.Run, store.Part{})
	if err != nil {
		return nil, nil, err
	}
	return p, f.Bind(family.Backend{
		Plan: p, Store: part, Published: store.Below(p.Runbook.Storage.Publish.Path),
		URL: func(service string, _ bool) string { return a.Addresses[service] },
		See: func(look func(*history.View)) { look(history.NewView()) },
	}), nil
}

// rotate is the rotator: it takes its steps until it is killed.
func rotate() error {
	var a assignment
	if err := json.Unmarshal([]byte(os.Getenv(assignmentVariable)), &a); err != nil {
		return err
	}
	_, bound, err := a.bind()
	if err != nil {
		return err
	}
	ctx := context.Background()
	for _, s := range a.Steps {
		if s.Step == keyring.Accept {
			if _, err := bound.Make(ctx, s.Credential); err != nil {
				return err
			}
		}
		if err := bound.Do(ctx, s.Step, s.Credential); err != nil {
			return err
		}
	}
	return errors.New("it was not killed")
}

// door is before a store: whoever writes to the keyring that a step is done is
// killed there.
type door struct {
	store http.Handler
	step  keyring.Intent

	mu     sync.Mutex
	times  int // that the step is taken before the one in which somebody dies
	begun  bool
	victim *os.Process
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.HasSuffix(r.URL.Path, "/data/rehearse/keyring") && r.Method != http.MethodGet && d.kills(body) {
		return
	}
	d.store.ServeHTTP(w, r)
}

func (d *door) kills(body []byte) bool {
	var write struct {
		Data struct {
			Pending *keyring.Intent `json:"pending"`
		} `json:"data"`
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := json.Unmarshal(body, &write); err != nil || d.victim == nil {
		return false
	}
	done := d.begun && write.Data.Pending == nil
	d.begun = write.Data.Pending != nil && *write.Data.Pending == d.step
	if done && d.times > 0 {
		d.times--
		return false
	}
	if done {
		_ = d.victim.Kill() // it waits for an answer, and has not ended
		d.victim = nil
	}
	return done
}

// TestKilledRotator kills a rotator's process between the authority and the
// store, in every step of every family, forth and back, and has the rest of it
// done: taken back or finished, authority and store agree.
func TestKilledRotator(t *testing.T) {
	t.Parallel()
	i := func(step keyring.Step, name string) keyring.Intent {
		return keyring.Intent{Step: step, Credential: name}
	}
	begin := []keyring.Intent{i(keyring.Accept, "k1"), i(keyring.Emit, "k1"), i(keyring.Accept, "k2")}
	forth := slices.Concat(begin, []keyring.Intent{i(keyring.Emit, "k2"), i(keyring.Revoke, "k1"), i(keyring.Destroy, "k1")})
	back := slices.Concat(forth[:5], []keyring.Intent{i(keyring.Restore, "k1"), i(keyring.Emit, "k1"), i(keyring.Withdraw, "k2")})
	var ways [][]keyring.Intent
	for n := 3; n <= len(forth); n++ {
		ways = append(ways, forth[:n])
	}
	for n := 6; n <= len(back); n++ {
		ways = append(ways, back[:n])
	}
	for _, f := range []struct{ name, page, scenario string }{
		{"jwt-signing-key", plantest.JWTPage, plantest.JWTScenario}, {"api-key", plantest.APIKeyPage, plantest.APIKeyScenario}, {"webhook-secret", hookPage, hookScenario},
	} {
		for _, steps := range ways {
			for _, finish := range []bool{false, true} {
				last := steps[len(steps)-1]
				way := "taken back"
				if finish {
					way = "finished"
				}
				t.Run(fmt.Sprintf("%s, step %d, %s %s, %s", f.name, len(steps), last.Step, last.Credential, way), func(t *testing.T) {
					t.Parallel()
					a := assignment{Page: f.page, Scenario: f.scenario, Token: "root", Run: "killed", AdminToken: "admin-of-a-provider", Steps: steps}
					killedAndResumed(t, a, finish)
				})
			}
		}
	}
}

// killedAndResumed has an assignment's last step cut off, and what is left resumed.
func killedAndResumed(t *testing.T, a assignment, finish bool) {
	t.Helper()
	last := a.Steps[len(a.Steps)-1]
	d := &door{store: fakestore.New(a.Token, io.Discard), step: last}
	for _, s := range a.Steps[:len(a.Steps)-1] {
		if s == last {
			d.times++
		}
	}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	a.Store, a.Addresses = server.URL, map[string]string{"payments": providerAt(t, a)}
	if _, err := store.Open(t.Context(), store.Server{URL: a.Store, Token: a.Token}, a.Run); err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	rotator := exec.CommandContext(t.Context(), os.Args[0], "rotate")
	rotator.Env = append(os.Environ(), assignmentVariable+"="+string(told))
	var said bytes.Buffer
	rotator.Stderr = &said
	d.mu.Lock()
	if err = rotator.Start(); err == nil {
		d.victim = rotator.Process
	}
	d.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := rotator.Wait(); err == nil || said.Len() > 0 {
		t.Fatalf("the rotator: got %v and %q, want it killed", err, said.String())
	}

	p, bound, err := a.bind()
	if err != nil {
		t.Fatal(err)
	}
	ring, err := bound.Keyring(t.Context())
	if err != nil || ring.Pending == nil || *ring.Pending != last {
		t.Fatalf("the keyring that was left: got %+v, %v, want %+v under way", ring, err, last)
	}
	if differences, err := bound.Compare(t.Context()); err != nil || len(differences) == 0 {
		t.Errorf("before: got %q, %v, want that they do not agree", differences, err)
	}
	recorder := history.NewRecorder(time.Now(), nil)
	did, err := rotation.Resume(t.Context(), p, world.World{
		Clock: world.WallClock{}, Steps: bound, Probes: bound, Operator: approving{},
		History: recording{recorder: recorder, names: logs.NewNames(p), probes: &probes{}},
	}, rotation.Unfinished{Keyring: ring, Finish: finish})
	if err != nil {
		t.Fatal(err)
	}
	if differences, err := bound.Compare(t.Context()); err != nil || len(differences) > 0 {
		t.Errorf("after it was %s: got %q, %v, want that they agree", did, differences, err)
	}
	ring, err = bound.Keyring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if finish || last.Step == keyring.Destroy {
		if !strings.HasPrefix(did, fmt.Sprintf("finished the %s of %s", last.Step, last.Credential)) {
			t.Errorf("did: got %q, want the step finished", did)
		}
		return
	}
	if got := ring.In(keyring.Accepted); !slices.Equal(got, []string{"k1"}) || ring.Emit != "k1" || ring.Credentials["k2"].Status != keyring.Disabled {
		t.Errorf("taken back: got %v accepted, %s emitted, k2 %s, want k1 alone and k2 disabled", got, ring.Emit, ring.Credentials["k2"].Status)
	}
}

// providerAt is the address of a provider of API keys, where the assignment is
// about one.
func providerAt(t *testing.T, a assignment) string {
	t.Helper()
	if a.Page != plantest.APIKeyPage {
		return ""
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Appendf(nil, `{"name":"payments","account":"acme","admin_token":%q}`, a.AdminToken)
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- apikey.ServeProvider(ctx, config, listener, io.Discard) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().String()
}
