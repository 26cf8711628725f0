package family

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Where a run keeps what only rehearse itself reads, below the run's mount.
const (
	keyringPath     = "rehearse/keyring"
	credentialsPath = "rehearse/credentials/" // the name of the credential follows
)

// ErrReadBack is in the chain of a step's error where a write succeeded and something else was read
// back.
var ErrReadBack = errors.New("read back something else than was written")

// keystore is the run's part of the store: the keyring, the values of credentials,
// and what is published for consumers. It keeps no state of its own, so that
// another process can go on where one died.
type keystore struct {
	store     world.Store
	published string // path
}

// keyring reads the keyring and its version; an empty one with version 0 where
// there is none yet.
func (s keystore) keyring(ctx context.Context) (*keyring.Keyring, int, error) {
	data, version, err := s.store.Get(ctx, keyringPath)
	if errors.Is(err, world.ErrNotFound) {
		return &keyring.Keyring{}, version, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read keyring: %w", err)
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		return nil, 0, fmt.Errorf("read keyring: %w", err)
	}
	k, err := keyring.Parse(encoded)
	return k, version, err
}

// save writes the keyring over the version that it was read as.
func (s keystore) save(ctx context.Context, k *keyring.Keyring, over int) (version int, err error) {
	data, err := document(k)
	if err != nil {
		return 0, fmt.Errorf("write keyring: %w", err)
	}
	version, err = s.store.Put(ctx, keyringPath, data, over)
	if err != nil {
		return 0, fmt.Errorf("write keyring: %w", err)
	}
	return version, nil
}

// entry reads what is kept of a credential. Its error is world.ErrNotFound
// where nothing is.
func (s keystore) entry(ctx context.Context, name string) (map[string]any, error) {
	data, _, err := s.store.Get(ctx, credentialsPath+name)
	if err != nil {
		return nil, fmt.Errorf("read the value of %s: %w", name, err)
	}
	return data, nil
}

// keep writes what is to be kept of a new credential.
func (s keystore) keep(ctx context.Context, name string, entry map[string]any) error {
	if _, err := s.store.Put(ctx, credentialsPath+name, entry, 0); err != nil {
		return fmt.Errorf("write the value of %s: %w", name, err)
	}
	return nil
}

// replace writes what is to be kept of a credential from now on.
func (s keystore) replace(ctx context.Context, name string, entry map[string]any) error {
	is, version, err := s.store.Get(ctx, credentialsPath+name)
	if err != nil && !errors.Is(err, world.ErrNotFound) || err == nil && same(is, entry) {
		return err
	}
	if _, err := s.store.Put(ctx, credentialsPath+name, entry, version); err != nil {
		return fmt.Errorf("write the value of %s: %w", name, err)
	}
	return nil
}

// publish makes a document the newest at the published path, reads it back and returns its version. It
// writes nothing where the same is there already, and never overwrites another rotation's document
// (world.ErrOtherRotation, with its version).
func (s keystore) publish(ctx context.Context, want map[string]any, ours func(map[string]any) bool) (version int, err error) {
	is, version, err := s.current(ctx, func(is map[string]any) bool { return same(is, want) || ours(is) })
	if err != nil || is != nil && same(is, want) {
		return version, err
	}
	written, err := s.store.Put(ctx, s.published, want, version)
	if err != nil {
		return 0, fmt.Errorf("publish: %w", err)
	}
	is, version, err = s.store.Get(ctx, s.published)
	if err != nil {
		return 0, fmt.Errorf("publish: read back %s: %w", s.published, err)
	}
	if version != written || !same(is, want) {
		return 0, fmt.Errorf("publish: wrote version %d of %s and found version %d: %w", written, s.published, version, ErrReadBack)
	}
	return version, nil
}

// current is the published document, nil where there is none, with its version. Another rotation's is
// world.ErrOtherRotation, with its version.
func (s keystore) current(ctx context.Context, ours func(map[string]any) bool) (is map[string]any, version int, err error) {
	is, version, err = s.store.Get(ctx, s.published)
	switch {
	case errors.Is(err, world.ErrNotFound):
		return nil, version, nil
	case err != nil:
		return nil, 0, fmt.Errorf("read what is published: %w", err)
	case !ours(is):
		return nil, version, fmt.Errorf("version %d of %s is not what this rotation wrote: %w", version, s.published, world.ErrOtherRotation)
	}
	return is, version, nil
}

// erase destroys every version that may hold the value of a credential: all of its own, and all
// published ones before the newest, which is known to be without it. Versions that the server dropped
// do no harm.
func (s keystore) erase(ctx context.Context, name string, newest int) error {
	own := credentialsPath + name
	_, last, err := s.store.Get(ctx, own)
	if err != nil && !errors.Is(err, world.ErrNotFound) {
		return fmt.Errorf("destroy the value of %s: %w", name, err)
	}
	for _, gone := range []struct {
		path  string
		until int
	}{{own, last}, {s.published, newest - 1}} {
		if gone.until < 1 {
			continue
		}
		versions := make([]int, gone.until)
		for i := range versions {
			versions[i] = i + 1
		}
		if err := s.store.Destroy(ctx, gone.path, versions); err != nil {
			return fmt.Errorf("destroy the value of %s: %w", name, err)
		}
	}
	return nil
}

// same says whether two documents are the same JSON. What cannot be encoded is
// the same as nothing.
func same(a, b map[string]any) bool {
	left, errLeft := json.Marshal(a)
	right, errRight := json.Marshal(b)
	return errLeft == nil && errRight == nil && bytes.Equal(left, right)
}

// document is a value as a store takes it.
func document(value any) (map[string]any, error) {
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var data map[string]any
	return data, json.Unmarshal(encoded, &data)
}
