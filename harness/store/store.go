package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// Store is one run's part of a server: a KV version 2 mount, and the policies
// and tokens of those who read from it. It is safe for concurrent use once it
// was opened, apart from Token and Close.
type Store struct {
	client    *api.Client
	mount     string
	policies  []string
	accessors []string
}

var _ world.Store = (*Store)(nil)

// ErrInUse is in the chain of Open's error where the run's mount is there already.
var ErrInUse = errors.New("the mount is there already")

// How long a new mount may take to be usable, and how often it is asked. A KV
// mount answers 400 for some milliseconds while Vault turns it into version 2.
const (
	mountDeadline = 10 * time.Second
	mountPoll     = 20 * time.Millisecond
)

// Open makes the run's own mount, rehearse-RUN, on the server at url, and
// returns when it can be used. The token must be allowed to mount and to make
// policies and tokens, as a root token is. A mount that is already there is
// ErrInUse: two runs never share one. After an error nothing is left behind.
func Open(ctx context.Context, url, rootToken, run string) (*Store, error) {
	client, err := newClient(url, rootToken)
	if err != nil {
		return nil, err
	}
	s := &Store{client: client, mount: "rehearse-" + run}
	err = client.Sys().MountWithContext(ctx, s.mount, &api.MountInput{
		Type: "kv", Options: map[string]string{"version": "2"}, Description: "one rehearsal's own; safe to remove when it is over",
	})
	if refusedWith(err, "path is already in use") {
		return nil, fmt.Errorf("mount %s at %s: %w", s.mount, url, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("mount %s at %s: %w", s.mount, url, err)
	}
	if err := s.await(ctx); err != nil {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		return nil, errors.Join(err, s.Close(clean))
	}
	return s, nil
}

// Existing is a mount that is on a server already. Nothing of it is made or
// removed: it is not to be closed.
func Existing(url, token, mount string) (*Store, error) {
	client, err := newClient(url, token)
	if err != nil {
		return nil, err
	}
	return &Store{client: client, mount: mount}, nil
}

// Attach is the part of a run that is there already, of one that died, with the
// readers for whom it made tokens: Close removes what is left of all that. Their
// tokens can read nothing then, and expire.
func Attach(url, rootToken, run string, readers ...string) (*Store, error) {
	client, err := newClient(url, rootToken)
	if err != nil {
		return nil, err
	}
	s := &Store{client: client, mount: "rehearse-" + run}
	for _, name := range readers {
		s.policies = append(s.policies, s.mount+"-"+name)
	}
	return s, nil
}

// await polls the new mount until it answers.
func (s *Store) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, mountDeadline)
	defer cancel()
	tick := time.NewTicker(mountPoll)
	defer tick.Stop()
	for {
		// Nothing is there, which Logical reports as no secret and no error.
		_, err := s.client.Logical().ReadWithContext(ctx, s.mount+"/metadata/ready")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until mount %s is usable: %w; last seen: %w", s.mount, ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// Get reads the newest version of a path. Where nothing was ever written the
// error is world.ErrNotFound and the version 0; where the newest version was
// deleted or destroyed it is world.ErrNotFound and that version's number, which
// a Put on top of it needs.
func (s *Store) Get(ctx context.Context, path string) (map[string]any, int, error) {
	secret, err := s.client.KVv2(s.mount).Get(ctx, path)
	switch {
	case errors.Is(err, api.ErrSecretNotFound):
		return nil, 0, fmt.Errorf("read %s: %w", path, world.ErrNotFound)
	case err != nil:
		return nil, 0, fmt.Errorf("read %s: %w", path, brief(err))
	case secret.Data == nil:
		return nil, secret.VersionMetadata.Version, fmt.Errorf("read %s, whose version %d was deleted: %w",
			path, secret.VersionMetadata.Version, world.ErrNotFound)
	}
	return secret.Data, secret.VersionMetadata.Version, nil
}

// Put writes a new version of a path if its newest one is still cas, and
// returns its number; cas 0 says that nothing was ever written there. Otherwise
// the error is world.ErrConflict.
func (s *Store) Put(ctx context.Context, path string, data map[string]any, cas int) (int, error) {
	secret, err := s.client.KVv2(s.mount).Put(ctx, path, data, api.WithCheckAndSet(cas))
	if refusedWith(err, "check-and-set parameter did not match") {
		return 0, fmt.Errorf("write %s over version %d: %w", path, cas, world.ErrConflict)
	}
	if err != nil {
		return 0, fmt.Errorf("write %s over version %d: %w", path, cas, brief(err))
	}
	return secret.VersionMetadata.Version, nil
}

// brief tells in one line an error for which Vault's client takes several.
func brief(err error) error {
	if refused, ok := errors.AsType[*api.ResponseError](err); ok {
		return refusal{refused}
	}
	return err
}

// refusal is an answer of the store that is an error.
type refusal struct{ *api.ResponseError }

// Error has no address: that of a run's own store tells nobody anything.
func (r refusal) Error() string {
	return fmt.Sprintf("the store answered %d: %s", r.StatusCode, strings.Join(r.Errors, "; "))
}

// Unwrap is the error of Vault's client.
func (r refusal) Unwrap() error { return r.ResponseError }

// refusedWith tells one refusal from the others that Vault answers with 400: by
// its words, for there is no code of its own.
func refusedWith(err error, words string) bool {
	var refused *api.ResponseError
	return errors.As(err, &refused) && refused.StatusCode == http.StatusBadRequest &&
		strings.Contains(strings.Join(refused.Errors, "\n"), words)
}

// Destroy removes the values of versions for good. Versions that are not there
// or were destroyed before are taken for done.
func (s *Store) Destroy(ctx context.Context, path string, versions []int) error {
	if len(versions) == 0 {
		return nil
	}
	if err := s.client.KVv2(s.mount).Destroy(ctx, path, versions); err != nil {
		return fmt.Errorf("destroy versions %v of %s: %w", versions, path, err)
	}
	return nil
}

// Below is a page's path (MOUNT/data/PATH) as this package's methods take it:
// without its mount, which is that of production. A path of another form is
// below the run's mount as it stands.
func Below(page string) string {
	if _, path, ok := strings.Cut(page, "/data/"); ok {
		return path
	}
	return strings.Trim(page, "/")
}

// Path is where a consumer reads what a page says to be at MOUNT/data/PATH: the
// API path in the run's own mount, to be appended to URL/v1/.
func (s *Store) Path(page string) string { return s.mount + "/data/" + Below(page) }

// Version says which server this is: "vault 1.21.0", or "embedded".
func (s *Store) Version(ctx context.Context) (string, error) {
	health, err := s.client.Sys().HealthWithContext(ctx)
	if err != nil {
		return "", fmt.Errorf("ask the store for its version: %w", err)
	}
	if strings.HasSuffix(health.Version, "+embedded") {
		return "embedded", nil
	}
	return "vault " + health.Version, nil
}

// Close revokes the tokens and removes the policies and the mount that the run
// made, and says of each that it could not. Calling it again does no harm.
func (s *Store) Close(ctx context.Context) error {
	var errs []error
	for _, a := range s.accessors {
		if err := s.client.Auth().Token().RevokeAccessorWithContext(ctx, a); err != nil && !refusedWith(err, "invalid accessor") {
			errs = append(errs, fmt.Errorf("revoke a token of the run: %w", err))
		}
	}
	for _, p := range s.policies {
		if err := s.client.Sys().DeletePolicyWithContext(ctx, p); err != nil {
			errs = append(errs, fmt.Errorf("remove policy %s: %w", p, err))
		}
	}
	// Another process may have made the second one: the harness that died. To
	// unmount what is not mounted is no error.
	for _, mount := range []string{s.mount, s.databases()} {
		if err := s.client.Sys().UnmountWithContext(ctx, mount); err != nil {
			errs = append(errs, fmt.Errorf("unmount %s: %w", mount, err))
		}
	}
	return errors.Join(errs...)
}
