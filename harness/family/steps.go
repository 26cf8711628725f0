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

// kind makes and reads the credentials of one family.
type kind interface {
	// generate makes the entry of a new credential.
	generate(name string) (map[string]any, error)
	// parse reads an entry. Its errors never quote it.
	parse(entry map[string]any) (credential, error)
}

// publisher is a kind whose published document says more than which credentials are accepted and
// emitted.
type publisher interface {
	kind
	// publish is the document of the entries of the accepted credentials, the
	// oldest first. It changes none of them.
	publish(emit string, keys []map[string]any) map[string]any
}

// authority takes a step where acceptance is decided. Each call is safe to repeat. Only the identifier
// of the credential is sure to be set, except for an accept.
type authority func(ctx context.Context, step keyring.Step, c credential) error

// steps takes the steps of a rotation on the run's keystore and the authority. Each step lies between
// two writes of the keyring: one that records it as pending, and one that records it as done.
type steps struct {
	kind      kind
	keystore  keystore
	alphabet  string    // characters that values have, but for the first
	authority authority // nil: what is published decides
	lists     lister    // nil: as authority

	mu          sync.Mutex // one step at a time
	credentials map[string]credential
	// ours are the documents that this rotation may find published: the last that it wrote, and any
	// that it tried to write since; none before its first.
	ours []map[string]any
	// forgotten are the values that a dead rotator had in memory.
	forgotten []string

	rotator rotator
}

var _ world.Steps = (*steps)(nil)

func newSteps(k kind, b Backend, a authority) *steps {
	return &steps{kind: k, alphabet: b.Plan.Runbook.Format.Alphabet, keystore: keystore{b.Store, b.Published}, authority: a, credentials: map[string]credential{}}
}

// Make makes a credential and records it in the keyring. Repeated, it finds the existing one, also one
// whose maker died before recording it.
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

// generate makes a credential and keeps its value. The very first has no character of the alphabet,
// like the ones that services have worked with so far.
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

// replace gives a credential another value, where somebody else than the run chose it; s.mu is held.
// Earlier values are kept for the scan for leaks.
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

// Do takes a step, in the safe order: a credential is accepted before anyone is given it, and refused
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
	// First, before anything is touched. A destroy removes only what this rotation wrote.
	if step != keyring.Destroy {
		if _, _, err := s.keystore.current(ctx, s.wrote); err != nil {
			return err
		}
	}
	// A step that was done before is repeated without effect.
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

// effect carries out a step whose outcome is the given keyring.
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
		return nil // nothing can be signed or presented with such a set
	}
	document, err := s.document(ctx, outcome)
	if err != nil {
		return err
	}
	newest, err := s.publish(ctx, document)
	if step != keyring.Destroy {
		return err
	}
	// A later document is somebody else's; earlier ones go.
	if err != nil && !errors.Is(err, world.ErrOtherRotation) {
		return err
	}
	return s.keystore.erase(ctx, name, newest)
}

// publish publishes a document, and returns its version. It leaves what somebody else has published
// meanwhile, with world.ErrOtherRotation and the version of that.
func (s *steps) publish(ctx context.Context, document map[string]any) (newest int, err error) {
	newest, err = s.keystore.publish(ctx, document, s.wrote)
	switch {
	case err == nil:
		s.ours = []map[string]any{document}
	case len(s.ours) > 0: // without an answer it may have been written
		s.ours = append(s.ours, document)
	}
	return newest, err
}

// wrote reports whether a published document may be this rotation's own; before its first write it
// cannot tell.
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

// done reports whether a keyring is as a step leaves it, with nothing pending.
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
