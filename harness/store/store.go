package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/rehearse-dev/rehearse/harness/vaultpath"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// Store is one run's part of a server: a KV version 2 mount, and the policies
// and tokens of those who read from it. It is safe for concurrent use once it
// was opened, apart from Token and Close.
type Store struct {
	url string
	// given has the token that the run was given, for what it needs of Vault
	// itself.
	given *api.Client
	// own has a token that can do nothing outside of the run's mounts; all that
	// is done inside of them is done with it.
	own       *api.Client
	mount     string
	policies  []string
	accessors []string
	note      func(policy, accessor string) error
}

var _ world.Store = (*Store)(nil)

// ErrInUse is in the chain of Open's error where the run's mount is there already.
var ErrInUse = errors.New("the mount is there already")

// errAnswer says that an answer is not one that Vault gives.
var errAnswer = errors.New("the answer is not that of a Vault")

// Server is a server that a run can have a part of.
type Server struct {
	URL   string
	Token string // may mount, and make policies and tokens, as a root token may
	// Ours says that the run started it, and may seal it and have it audited.
	Ours bool
	// Note is told of each policy before it is made, and of the accessor of each
	// token when it is, so that somebody else can remove them; nil: nobody is.
	Note func(policy, accessor string) error
}

// part is the part of a run of a server, of which nothing is made yet.
func (server Server) part(run string) (*Store, error) {
	mount := MountOf(run)
	if err := segments(mount); err != nil {
		return nil, fmt.Errorf("open the part of run %q: %w", run, err)
	}
	may := around(mount)
	if server.Ours {
		may = append(may, ofOurs()...)
	}
	given, err := newClient(server.URL, server.Token, may)
	if err != nil {
		return nil, err
	}
	note := server.Note
	if note == nil {
		note = func(string, string) error { return nil }
	}
	return &Store{url: server.URL, given: given, mount: mount, note: note}, nil
}

// How long a new mount may take to be usable, and how often it is asked. A KV
// mount answers 400 for some milliseconds while Vault turns it into version 2.
const (
	mountDeadline = 10 * time.Second
	mountPoll     = 20 * time.Millisecond
)

// Open makes the run's own mount, rehearse-RUN, on a server, and returns when it
// can be used: with a token of its own that can do nothing elsewhere. A mount
// that is already there is ErrInUse: two runs never share one. After an error
// nothing is left behind.
func Open(ctx context.Context, server Server, run string) (*Store, error) {
	s, err := server.part(run)
	if err != nil {
		return nil, err
	}
	err = s.given.Sys().MountWithContext(ctx, s.mount, &api.MountInput{
		Type: "kv", Options: map[string]string{"version": "2"}, Description: "one rehearsal's own; safe to remove when it is over",
	})
	if refusedWith(err, "path is already in use") {
		return nil, fmt.Errorf("mount %s at %s: %w", s.mount, server.URL, ErrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("mount %s at %s: %w", s.mount, server.URL, err)
	}
	if err = s.restrict(ctx); err == nil {
		err = s.await(ctx)
	}
	if err != nil {
		clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
		defer cancel()
		return nil, errors.Join(err, s.Close(clean))
	}
	return s, nil
}

// Existing is a mount that is on a server already. Nothing of it is made or
// removed: it is not to be closed, and makes no tokens.
func Existing(url, token, mount string) (*Store, error) {
	if err := segments(mount); err != nil {
		return nil, fmt.Errorf("use the mount %q: %w", mount, err)
	}
	own, err := newClient(url, token, inside(mount))
	if err != nil {
		return nil, err
	}
	given, err := newClient(url, token, nil)
	if err != nil {
		return nil, err
	}
	return &Store{url: url, given: given, own: own, mount: mount}, nil
}

// Part is what a run made beside its mount.
type Part struct {
	Policies  []string
	Accessors []string // of tokens
}

// ReadersPart is the part of a run that made a token for each of some readers
// and noted nothing: their tokens can read nothing any more when their policies
// are gone, and expire.
func ReadersPart(run string, readers ...string) Part {
	var p Part
	for _, name := range readers {
		p.Policies = append(p.Policies, MountOf(run)+"-"+name)
	}
	return p
}

// Attach is the part of a run that is there already, of one that died, with what
// it made: Close removes all that.
func Attach(ctx context.Context, server Server, run string, part Part) (*Store, error) {
	s, err := Remains(server, run, part)
	if err != nil {
		return nil, err
	}
	return s, s.restrict(ctx)
}

// Remains is Attach for one that is only to be closed: nothing is made.
func Remains(server Server, run string, part Part) (*Store, error) {
	s, err := server.part(run)
	if err != nil {
		return nil, err
	}
	for _, policy := range part.Policies {
		reader, ofReader := strings.CutPrefix(policy, s.mount+"-")
		if policy != s.mount && !ofReader {
			return nil, fmt.Errorf("attach to the part of run %s: policy %q: %w", run, policy, ErrOutside)
		}
		if ofReader {
			if err := segments(reader); err != nil {
				return nil, fmt.Errorf("attach to the part of run %s: %w", run, err)
			}
		}
	}
	s.policies, s.accessors = slices.Clone(part.Policies), slices.Clone(part.Accessors)
	return s, nil
}

// MountOf is the name of a run's mount.
func MountOf(run string) string { return "rehearse-" + run }

// segments refuses names of which one is more, or less, than one segment of a path.
func segments(names ...string) error {
	for _, name := range names {
		if err := vaultpath.Check(name); err != nil {
			return err
		}
		if strings.Contains(name, "/") {
			return fmt.Errorf("%q has a / in it: %w", name, ErrOutside)
		}
	}
	return nil
}

// await polls the new mount until it answers.
func (s *Store) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, mountDeadline)
	defer cancel()
	tick := time.NewTicker(mountPoll)
	defer tick.Stop()
	for {
		// Nothing is there, which Logical reports as no secret and no error.
		_, err := s.own.Logical().ReadWithContext(ctx, s.mount+"/metadata/ready")
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
	if err := vaultpath.Check(path); err != nil {
		return nil, 0, fmt.Errorf("read %q: %w", path, err)
	}
	secret, err := s.own.KVv2(s.mount).Get(ctx, path)
	switch {
	case errors.Is(err, api.ErrSecretNotFound):
		return nil, 0, fmt.Errorf("read %s: %w", path, world.ErrNotFound)
	case err != nil:
		return nil, 0, fmt.Errorf("read %s: %w", path, brief(err))
	case secret.VersionMetadata == nil || secret.VersionMetadata.Version < 1:
		return nil, 0, fmt.Errorf("read %s: %w", path, errAnswer)
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
	if err := vaultpath.Check(path); err != nil {
		return 0, fmt.Errorf("write %q: %w", path, err)
	}
	secret, err := s.own.KVv2(s.mount).Put(ctx, path, data, api.WithCheckAndSet(cas))
	if refusedWith(err, "check-and-set parameter did not match") {
		return 0, fmt.Errorf("write %s over version %d: %w", path, cas, world.ErrConflict)
	}
	if err != nil {
		return 0, fmt.Errorf("write %s over version %d: %w", path, cas, brief(err))
	}
	if secret.VersionMetadata == nil || secret.VersionMetadata.Version < 1 {
		return 0, fmt.Errorf("write %s over version %d: %w", path, cas, errAnswer)
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
	if err := vaultpath.Check(path); err != nil {
		return fmt.Errorf("destroy versions of %q: %w", path, err)
	}
	if err := s.own.KVv2(s.mount).Destroy(ctx, path, versions); err != nil {
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

// OwnToken is the token that the run works with in its mounts: a value like any
// other, for the scan for leaks.
func (s *Store) OwnToken() string { return s.own.Token() }

// Version says which server this is: "vault 1.21.0", or "embedded".
func (s *Store) Version(ctx context.Context) (string, error) {
	health, err := s.given.Sys().HealthWithContext(ctx)
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
	errs := []error{s.Leave(ctx)}
	// Another process may have made the second one: the harness that died. To
	// unmount what is not mounted is no error.
	for _, mount := range []string{s.mount, databasesOf(s.mount)} {
		if err := s.given.Sys().UnmountWithContext(ctx, mount); err != nil {
			errs = append(errs, fmt.Errorf("unmount %s: %w", mount, err))
		}
	}
	return errors.Join(errs...)
}

// Leave revokes the tokens and removes the policies that the run made, and
// leaves the mount with what is in it.
func (s *Store) Leave(ctx context.Context) error {
	var errs []error
	for _, a := range s.accessors {
		if err := s.given.Auth().Token().RevokeAccessorWithContext(ctx, a); err != nil && !refusedWith(err, "invalid accessor") {
			errs = append(errs, fmt.Errorf("revoke a token of the run: %w", err))
		}
	}
	for _, p := range s.policies {
		if err := s.given.Sys().DeletePolicyWithContext(ctx, p); err != nil {
			errs = append(errs, fmt.Errorf("remove policy %s: %w", p, err))
		}
	}
	return errors.Join(errs...)
}
