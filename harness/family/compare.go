package family

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// lister lists the credentials that each authority takes, by the authority's name.
type lister func(ctx context.Context) (map[string][]string, error)

var (
	_ world.Comparer  = (*steps)(nil)
	_ world.Contacter = (*steps)(nil)
)

// Keyring is the keyring as it stands in the store.
func (s *steps) Keyring(ctx context.Context) (*keyring.Keyring, error) {
	ring, _, err := s.keystore.keyring(ctx)
	return ring, err
}

// Contact reads the keyring.
func (s *steps) Contact(ctx context.Context) error {
	_, _, err := s.keystore.keyring(ctx)
	return err
}

// Compare compares what is published, and what the authority accepts, with the keyring. It names
// identifiers and no values.
func (s *steps) Compare(ctx context.Context) (differences []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ring, _, err := s.keystore.keyring(ctx)
	if err != nil {
		return nil, err
	}
	if p := ring.Pending; p != nil {
		differences = append(differences, fmt.Sprintf("the keyring has the %s of %s under way", p.Step, p.Credential))
	}
	published, err := s.comparePublished(ctx, ring)
	if err != nil {
		return nil, err
	}
	differences = append(differences, published...)
	if s.lists == nil {
		return differences, nil
	}
	lists, err := s.lists(ctx)
	if err != nil {
		return nil, err
	}
	accepted := identifiers(ring)
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		// Credentials unknown to the keyring are somebody else's.
		takes := slices.DeleteFunc(slices.Sorted(slices.Values(lists[name])), func(id string) bool { return !knows(ring, id) })
		if !slices.Equal(takes, accepted) {
			differences = append(differences, fmt.Sprintf("%s takes %q, and the keyring has %q accepted", name, takes, accepted))
		}
	}
	return differences, nil
}

// comparePublished holds what consumers read against the keyring; s.mu is held.
func (s *steps) comparePublished(ctx context.Context, ring *keyring.Keyring) ([]string, error) {
	is, _, err := s.keystore.store.Get(ctx, s.keystore.published)
	nothing := errors.Is(err, world.ErrNotFound)
	switch {
	case err != nil && !nothing:
		return nil, fmt.Errorf("read what is published: %w", err)
	case ring.Emit == "" && nothing:
		return nil, nil
	case nothing:
		return []string{"nothing is published"}, nil
	}
	want, err := s.document(ctx, ring)
	if err != nil {
		return nil, err
	}
	if ring.Emit == "" || !same(is, want) {
		return []string{fmt.Sprintf("what is published is not what the keyring says: %q accepted, %q emitted",
			identifiers(ring), ring.Credentials[ring.Emit].Identifier)}, nil
	}
	return nil, nil
}

// knows reports whether a credential of a keyring has an identifier.
func knows(ring *keyring.Keyring, identifier string) bool {
	for _, c := range ring.Credentials {
		if c.Identifier == identifier {
			return true
		}
	}
	return false
}

// identifiers are those of the accepted credentials, sorted.
func identifiers(ring *keyring.Keyring) []string {
	ids := []string{}
	for _, name := range ring.In(keyring.Accepted) {
		ids = append(ids, ring.Credentials[name].Identifier)
	}
	slices.Sort(ids)
	return ids
}
