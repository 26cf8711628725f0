// Package attached rehearses where a team's own system runs already. Its steps
// are what the team does (a command, an HTTP call, a write to Vault), its probes
// present tokens that the team's token endpoint gave, and nothing is started or
// stopped.
//
//	rotation ──► Steps ──► act: command, HTTP call, Vault write
//	         └─► Probes ─► tokens ──► validators
//	history  ◄── Watch ◄── key sets of the emitters, and tokens, once a second
package attached

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/attached/cluster"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// System is a running system, with what a rotation needs of it. It is safe for concurrent use.
type System struct {
	plan      *plan.Plan
	attach    *scenario.Attach
	endpoints map[string]world.Endpoint
	dir       string            // in which commands are run
	log       func(line string) // what commands print
	getenv    func(name string) string
	cluster   *cluster.Cluster // nil: it runs in none
	tokens    *tokens
	seen      *decisionReader

	stops   stopChecks
	rotator rotator
	watched pendingEvents
	steps   sync.Mutex // one step at a time

	mu           sync.Mutex
	identifiers  map[string]string      // of credentials, by name
	first        string                 // the credential in use before the run
	emitting     string                 // the credential that was emitted last, by a step
	emittedAt    time.Time              // when; zero: before the run
	accepted     map[string]bool        // by the steps so far
	lastAccepted string                 // the credential that was accepted last
	made         []string               // credentials, in the order in which they were made
	held         map[string]token       // by credential
	values       map[string]string      // by credential
	sessions     map[session]connection // that probes hold
	secrets      []string
	ahead        []string // the key set before a rotator was started
}

var (
	_ world.Steps    = (*System)(nil)
	_ world.Comparer = (*System)(nil)
	_ world.Stopper  = (*System)(nil)
	_ world.Rotator  = (*System)(nil)
	_ world.Probes   = (*System)(nil)
)

// Options say how a System acts.
type Options struct {
	// Dir is the folder in which commands are run; default is that of this process.
	Dir string
	// Log gets each line that a command prints; nil: nobody does.
	Log func(line string)
	// Getenv reads the environment; nil is that of this process.
	Getenv func(name string) string
	// Cluster is that which the system runs in; nil: in none.
	Cluster *cluster.Cluster
}

// New is the system of a plan, by its endpoints. An error names what the environment lacks.
func New(p *plan.Plan, endpoints []world.Endpoint, o Options) (*System, error) {
	if o.Log == nil {
		o.Log = func(string) {}
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	s := &System{
		plan: p, attach: p.Rehearsal.Attach, endpoints: map[string]world.Endpoint{}, dir: o.Dir, log: o.Log, getenv: o.Getenv, cluster: o.Cluster,
		identifiers: map[string]string{}, accepted: map[string]bool{}, held: map[string]token{},
		values: map[string]string{}, sessions: map[session]connection{},
	}
	for _, e := range endpoints {
		s.endpoints[e.Service] = e
	}
	s.tokens, s.seen = newTokens(s), newDecisionReader(s)
	return s, s.environment()
}

// environment reads every variable that the acts use, and remembers the values as secrets.
func (s *System) environment() error {
	var missing []string
	need := func(name string) {
		value := s.getenv(name)
		if value == "" && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
		s.secrets = append(s.secrets, value)
	}
	acts := slices.Collect(maps.Values(s.attach.Steps))
	told := []*scenario.Act{s.attach.Current, s.attach.Value}
	if r := s.attach.Rotator; r != nil {
		start := r.Start()
		told = append(told, &start, r.New, r.Stop, r.Back)
	}
	for _, act := range told {
		if act != nil {
			acts = append(acts, *act)
		}
	}
	for _, w := range s.attach.StopWhen {
		acts = append(acts, scenario.Act{HTTP: &scenario.Call{URL: w.URL}})
	}
	for _, d := range s.attach.Decisions {
		acts = append(acts, scenario.Act{HTTP: &scenario.Call{URL: d.Server}})
	}
	for _, act := range acts {
		for _, m := range scenario.Mentions(act.Texts()...) {
			if m.Name == "env" {
				need(m.Part)
			}
		}
		if act.Vault != nil {
			need(vaultToken(s.attach.Vault))
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		return fmt.Errorf("the steps use what the environment lacks: %s", strings.Join(missing, ", "))
	}
	return nil
}

// Secrets are the values of the environment that the acts use, for the scan for
// leaks; tokens are found by their form.
func (s *System) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(s.secrets))), func(v string) bool { return v == "" })
}

// Identifier is that of a credential; "" where it was not made yet.
func (s *System) Identifier(credential string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identifiers[credential]
}

// tokensFrom is the service that gives tokens: the scenario's, or the first emitter on the page.
func tokensFrom(p *plan.Plan) string {
	if t := p.Rehearsal.Attach.Tokens; t != nil && t.From != "" {
		return t.From
	}
	for _, c := range p.Runbook.Consumers {
		if c.Has(runbook.Emits) {
			return c.Name
		}
	}
	return ""
}

// request is how a validator is asked: as the load asks it.
func request(p *plan.Plan, validator string) scenario.Request {
	for _, c := range p.Rehearsal.Load {
		if c.To == validator {
			return c.Request
		}
	}
	return scenario.Request{Method: plan.DefaultMethod, Path: plan.DefaultPath}
}

// outlive is the life that a token needs which is made before the emit and shown until the end of the
// watch.
func outlive(p *plan.Plan) time.Duration {
	return p.Times.Propagation + p.Times.Window + p.Times.Watch + 2*time.Minute
}
