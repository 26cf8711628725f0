package family

import (
	"context"
	"errors"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// places is how many credentials of one secret most systems have room for: the one in use and its
// successor.
const places = 2

// Another begins another rotation of the same secret, as a job that was started twice: it knows of this
// rotation only what is published. It makes, accepts and publishes a new credential under a name; where
// there is no place for it, the oldest goes at once, and if that was emitted, the new one is emitted.
func (s *steps) Another(ctx context.Context, name string) (identifier string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fail := func(err error) (string, error) { return "", fmt.Errorf("begin another rotation: %w", err) }
	document, version, err := s.keystore.store.Get(ctx, s.keystore.published)
	if err != nil {
		return fail(err)
	}
	kept, gone, err := s.room(document)
	if err != nil {
		return fail(err)
	}
	entry, err := s.kind.generate(name)
	if err == nil {
		entry, err = withAlphabet(entry, s.alphabet)
	}
	if err != nil {
		return fail(err)
	}
	fresh, err := s.parse(name, entry)
	if err != nil {
		return fail(err)
	}
	emit, _ := document["emit"].(string)
	for _, old := range gone {
		if old.identifier == emit {
			emit = fresh.identifier
		}
		for _, step := range []keyring.Step{keyring.Revoke, keyring.Destroy} {
			if err := s.atAuthority(ctx, step, old); err != nil {
				return fail(err)
			}
		}
	}
	if err := s.atAuthority(ctx, keyring.Accept, fresh); err != nil {
		return fail(err)
	}
	keys := []map[string]any{}
	for _, c := range append(kept, fresh) {
		keys = append(keys, c.entry)
	}
	if _, err := s.keystore.store.Put(ctx, s.keystore.published, s.compose(emit, keys), version); err != nil {
		return fail(err)
	}
	return fresh.identifier, nil
}

// room splits the credentials of a published document into those that stay and those that go for a new
// one, the oldest first.
func (s *steps) room(document map[string]any) (stay, gone []credential, err error) {
	entries, _ := document["keys"].([]any)
	for i, entry := range entries {
		fields, _ := entry.(map[string]any)
		c, err := s.kind.parse(fields)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("read what is published: %w", err)
		case i < len(entries)-places+1:
			gone = append(gone, c)
		default:
			stay = append(stay, c)
		}
	}
	if len(stay) == 0 {
		return nil, nil, errors.New("nothing is published")
	}
	return stay, gone, nil
}

// atAuthority takes a step at the authority, in families that have one.
func (s *steps) atAuthority(ctx context.Context, step keyring.Step, c credential) error {
	if s.authority == nil {
		return nil
	}
	return s.authority(ctx, step, c)
}
