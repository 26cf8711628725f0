package attached

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/observe"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

const (
	// watchEvery is how often emitters are looked at from outside.
	watchEvery = time.Second
	// unseenAfter is how many looks in a row must fail to be recorded.
	unseenAfter = 3
)

// publishers are the services whose key sets are looked at: the emitters on the page or, where none of
// them has an address here, the service that gives tokens.
func publishers(p *plan.Plan) []string {
	var names []string
	for _, c := range p.Runbook.Consumers {
		if _, ok := p.Rehearsal.Services[c.Name]; ok && c.Has(runbook.Emits) {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		names = append(names, tokensFrom(p))
	}
	return names
}

// hasKeySets reports whether tokens are checked by a key set.
func (s *System) hasKeySets() bool { return s.plan.Runbook.Storage.Distribution == runbook.JWKS }

// keySetURL is where a service has its key set, by the page.
func (s *System) keySetURL(service string) string {
	return strings.TrimSuffix(s.endpoints[service].URL, "/") + s.plan.Runbook.Storage.JWKS
}

// published are the identifiers in the emitters' key sets, by emitter. An emitter without a key set is
// left out where another has one: not every signer publishes. A shared secret has none.
func (s *System) published(ctx context.Context) (map[string][]string, error) {
	if !s.hasKeySets() {
		return nil, nil
	}
	sets := map[string][]string{}
	var unread error
	for _, name := range publishers(s.plan) {
		set := observe.KeySet(ctx, s.keySetURL(name))
		if err := observe.Unreadable(name, &set); err != nil {
			unread = errors.Join(unread, err)
			continue
		}
		sets[name] = set.Credentials()
	}
	if len(sets) > 0 {
		unread = nil
	}
	return sets, unread
}

// emitted is the identifier of the credential that new tokens are signed with now.
func (s *System) emitted(ctx context.Context) (string, error) {
	t, err := s.tokens.get(ctx, "", DefaultTimeout)
	return t.identifier, err
}

// signed is a token as the emitter signs them now.
func (s *System) signed(ctx context.Context) (string, error) {
	t, err := s.tokens.get(ctx, "", DefaultTimeout)
	return t.raw, err
}

// Watch records what the emitters publish and sign with now, and returns the watch that goes on to
// record every change that their logs do not tell. It fails where the first look does; later failures
// are events.
func (s *System) Watch(ctx context.Context, record func(history.Event)) (*observe.Watch, error) {
	s.watched.record = record
	w := &observe.Watch{Record: s.watched.tell, Every: watchEvery, Unseen: unseenAfter}
	if s.attach.Rotator != nil {
		w.Every = plan.SeenEvery // no later than its steps
	}
	if !s.byTokens() {
		return w, nil // what they present shows which one they use
	}
	sets, err := s.published(ctx)
	if err != nil {
		return nil, err
	}
	emitting, err := s.emitted(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range publishers(s.plan) {
		set, has := sets[name]
		if !has {
			continue
		}
		record(history.Event{Kind: history.KindPublished, Service: name, Credentials: set})
		w.Places = append(w.Places, observe.Place{Service: name, URL: func() string { return s.keySetURL(name) }, Tells: !s.endpoints[name].Tells})
	}
	signer := s.signer()
	record(history.Event{Kind: history.KindEmitting, Service: signer, Identifier: emitting})
	if !s.endpoints[signer].Tells {
		issuer := observe.Issuer{Service: signer, Token: s.signed}
		if s.hasKeySets() {
			issuer.Set = func() string { return s.keySetURL(s.publisher()) }
		}
		w.Issuers = append(w.Issuers, issuer)
	}
	return w, nil
}

// signer is the service that signs the tokens.
func (s *System) signer() string { return s.plan.SignerOf(tokensFrom(s.plan)) }

// publisher is the service whose key set has the signer's key.
func (s *System) publisher() string {
	if all := publishers(s.plan); !slices.Contains(all, s.signer()) {
		return all[0]
	}
	return s.signer()
}

// pendingEvents keeps events back while the run has no name yet for the credential that a rotator
// has made: recorded at once, they would be of an unknown credential.
type pendingEvents struct {
	mu      sync.Mutex
	record  func(history.Event)
	unnamed bool
	kept    []history.Event
}

// tell records an event, or keeps it back.
func (w *pendingEvents) tell(e history.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unnamed {
		w.kept = append(w.kept, e)
		return
	}
	w.record(e)
}

// await keeps events back from now on.
func (w *pendingEvents) await() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unnamed = true
}

// named records the events that were kept back.
func (w *pendingEvents) named() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unnamed = false
	for _, e := range w.kept {
		w.record(e)
	}
	w.kept = nil
}
