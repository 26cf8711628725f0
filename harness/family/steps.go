package family

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// credential is one version of a secret with its value.
type credential struct {
	identifier string
	// entry is what consumers read of it, and what the run keeps of it.
	entry map[string]any
	// values are its private parts in the forms in which they could leak.
	values []string
}

// kind is what tells the credentials of one family from those of another.
type kind interface {
	// generate makes the entry of a new credential.
	generate(name string) (map[string]any, error)
	// parse reads an entry. Its errors never quote it.
	parse(entry map[string]any) (credential, error)
}

// publisher is a kind whose published document says more than which credentials
// are accepted and which is emitted.
type publisher interface {
	kind
	// publish is the document of the entries of the accepted credentials, the
	// oldest first. It changes none of them.
	publish(emit string, keys []map[string]any) map[string]any
}

// authority makes a step take effect where acceptance is decided. Each call is
// safe to repeat. Of the credential only the identifier is sure to be there,
// but for an accept.
type authority func(ctx context.Context, step keyring.Step, c credential) error

// steps takes the steps of a rotation on the run's keystore and the authority. What
// a step does lies between two writes of the keyring: one that says what is
// about to be done, and one that says that it is.
type steps struct {
	kind      kind
	keystore  keystore
	alphabet  string    // characters that values have, but for the first
	authority authority // nil: what is published decides
	lists     lister    // nil: as authority

	mu          sync.Mutex // one step at a time
	credentials map[string]credential
	// ours is what this rotation may find published: what it last wrote, and what
	// it has tried to write since; none: it has written nothing yet.
	ours []map[string]any
	// forgotten are the values that a rotator that died had in memory.
	forgotten []string

	rotator rotator
}

var _ world.Steps = (*steps)(nil)

func newSteps(k kind, b Backend, a authority) *steps {
	return &steps{kind: k, alphabet: b.Plan.Runbook.Format.Alphabet, keystore: keystore{b.Store, b.Published}, authority: a, credentials: map[string]credential{}}
}

// Make makes a credential and notes it in the keyring. Repeated, it finds the
// one that is there, also one whose maker died before it was noted.
func (s *steps) Make(ctx context.Context, name string) (identifier string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ring, version, err := s.keystore.keyring(ctx)
	if err != nil {
		return "", err
	}
	if c, ok := ring.Credentials[name]; ok {
		return c.Identifier, nil
	}
	c, err := s.credential(ctx, name)
	if errors.Is(err, world.ErrNotFound) {
		c, err = s.generate(ctx, name, len(ring.Credentials) == 0)
	}
	if err != nil {
		return "", err
	}
	if err := ring.Add(name, c.identifier); err != nil {
		return "", err
	}
	_, err = s.keystore.save(ctx, ring, version)
	return c.identifier, err
}

// generate makes a credential and keeps its value. The first of all has no
// character of the alphabet, as one that services have worked with so far.
func (s *steps) generate(ctx context.Context, name string, first bool) (credential, error) {
	entry, err := s.kind.generate(name)
	if err == nil && !first {
		entry, err = withAlphabet(entry, s.alphabet)
	}
	if err != nil {
		return credential{}, fmt.Errorf("make %s: %w", name, err)
	}
	c, err := s.parse(name, entry)
	if err != nil {
		return credential{}, err
	}
	return c, s.keystore.keep(ctx, name, c.entry)
}

// credential is one by name, from memory or from the store; s.mu is held.
func (s *steps) credential(ctx context.Context, name string) (credential, error) {
	if c, known := s.credentials[name]; known {
		return c, nil
	}
	entry, err := s.keystore.entry(ctx, name)
	if err != nil {
		return credential{}, err
	}
	return s.parse(name, entry)
}

// parse reads an entry and remembers it, for probes and the scan for leaks.
func (s *steps) parse(name string, entry map[string]any) (credential, error) {
	c, err := s.kind.parse(entry)
	if err != nil {
		return credential{}, fmt.Errorf("read the value of %s: %w", name, err)
	}
	s.credentials[name] = c
	return c, nil
}

// replace gives a credential another value, where another than the run chose it;
// s.mu is held. Those that it had are kept for the scan for leaks.
func (s *steps) replace(ctx context.Context, name string, entry map[string]any) error {
	former := s.credentials[name].values
	c, err := s.parse(name, entry)
	if err != nil {
		return err
	}
	for _, value := range former {
		if !slices.Contains(c.values, value) {
			c.values = append(c.values, value)
		}
	}
	s.credentials[name] = c
	return s.keystore.replace(ctx, name, entry)
}

// lookup is credential for those who do not hold s.mu.
func (s *steps) lookup(ctx context.Context, name string) (credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.credential(ctx, name)
}

// Secrets are the values of all credentials that were made or read.
func (s *steps) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	values := slices.Clone(s.forgotten)
	for _, c := range s.credentials {
		values = append(values, c.values...)
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// Do takes a step. Adding and taking away have the same order, which is that of
// safety: a credential is accepted before anyone is given it, and refused
// before its value goes. Where the rotator dies in it, the next one takes it up.
func (s *steps) Do(ctx context.Context, step keyring.Step, name string) error {
	for {
		err := s.do(ctx, step, name)
		if !errors.Is(err, errRotatorDied) {
			return err
		}
		if err := s.rotator.await(ctx); err != nil {
			return err
		}
	}
}

// do is Do, up to where the rotator dies.
func (s *steps) do(ctx context.Context, step keyring.Step, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ring, version, err := s.keystore.keyring(ctx)
	if err != nil {
		return err
	}
	// Before anything is touched. To destroy takes only what this rotation wrote.
	if step != keyring.Destroy {
		if _, _, err := s.keystore.current(ctx, s.wrote); err != nil {
			return err
		}
	}
	// Where it was done before it is gone through again, and changes nothing.
	begun := !done(ring, step, name)
	if begun {
		if err := ring.Begin(step, name); err != nil {
			return err
		}
		if version, err = s.keystore.save(ctx, ring, version); err != nil {
			return err
		}
		if err := ring.End(); err != nil {
			return err
		}
	}
	if err := s.effect(ctx, step, name, ring); err != nil {
		return err
	}
	if !begun {
		return nil
	}
	_, err = s.keystore.save(ctx, ring, version)
	return err
}

// effect carries a step out, of which the keyring is the outcome.
func (s *steps) effect(ctx context.Context, step keyring.Step, name string, outcome *keyring.Keyring) error {
	c := credential{identifier: outcome.Credentials[name].Identifier}
	if step == keyring.Accept && s.authority != nil {
		var err error
		if c, err = s.credential(ctx, name); err != nil {
			return err
		}
	}
	if err := s.atAuthority(ctx, step, c); err != nil {
		return err
	}
	if err := s.die(); err != nil {
		return err
	}
	if outcome.Emit == "" {
		return nil // a set that nobody can sign or present with is no use to anyone
	}
	document, err := s.document(ctx, outcome)
	if err != nil {
		return err
	}
	newest, err := s.publish(ctx, document)
	if step != keyring.Destroy {
		return err
	}
	// What somebody else has written since is theirs; what came before it goes.
	if err != nil && !errors.Is(err, world.ErrOtherRotation) {
		return err
	}
	return s.keystore.erase(ctx, name, newest)
}

// publish has consumers read a document from now on, and returns its version. It
// leaves what somebody else has written there meanwhile, with world.ErrOtherRotation
// and the version of that.
func (s *steps) publish(ctx context.Context, document map[string]any) (newest int, err error) {
	newest, err = s.keystore.publish(ctx, document, s.wrote)
	switch {
	case err == nil:
		s.ours = []map[string]any{document}
	case len(s.ours) > 0: // that there was no answer does not say that it was not written
		s.ours = append(s.ours, document)
	}
	return newest, err
}

// wrote reports whether a published document may be this rotation's own; of what
// was there before it wrote any it cannot tell.
func (s *steps) wrote(is map[string]any) bool {
	return len(s.ours) == 0 || slices.ContainsFunc(s.ours, func(own map[string]any) bool { return same(own, is) })
}

// document is what consumers read: the accepted credentials, and which of them
// to emit.
func (s *steps) document(ctx context.Context, ring *keyring.Keyring) (map[string]any, error) {
	keys := []map[string]any{}
	for _, name := range ring.In(keyring.Accepted) {
		c, err := s.credential(ctx, name)
		if err != nil {
			return nil, err
		}
		keys = append(keys, c.entry)
	}
	return s.compose(ring.Credentials[ring.Emit].Identifier, keys), nil
}

// compose is the document of entries, of which the one with an identifier is emitted.
func (s *steps) compose(emit string, keys []map[string]any) map[string]any {
	if p, more := s.kind.(publisher); more {
		return p.publish(emit, keys)
	}
	return map[string]any{"emit": emit, "keys": keys}
}

// done says whether a keyring is as a step leaves it, with nothing under way.
func done(k *keyring.Keyring, step keyring.Step, name string) bool {
	c, ok := k.Credentials[name]
	if !ok || k.Pending != nil {
		return false
	}
	switch step {
	case keyring.Accept, keyring.Restore:
		return c.Status == keyring.Accepted
	case keyring.Emit:
		return k.Emit == name
	case keyring.Revoke, keyring.Withdraw:
		return c.Status == keyring.Disabled
	case keyring.Destroy:
		return c.Status == keyring.Destroyed
	}
	return false
}
