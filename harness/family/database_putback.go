package family

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

// passwordResetter is a database with one login for all credentials. Somebody else than the
// rotator may set its password.
type passwordResetter interface {
	// putBack makes a credential the only one that the login takes. Sessions stay.
	putBack(ctx context.Context, c credential) error
}

// PutBack makes the oldest credential the only one that a database takes, as a
// controller does that reconciles its login from a source that nobody has changed:
// it is none of the rotation's steps, and the keyring does not know of it.
func (d *databaseBound) PutBack(ctx context.Context, at string) error {
	ring, err := d.Keyring(ctx)
	if err != nil {
		return err
	}
	known := slices.Concat(ring.In(keyring.Accepted), ring.In(keyring.Disabled))
	db, can := d.databases[at].(passwordResetter)
	if !can || len(known) == 0 {
		return fmt.Errorf("put the old password back at %s: %w", at, errors.ErrUnsupported)
	}
	c, err := d.lookup(ctx, slices.Min(known)) // they are named in the order in which they were made
	if err != nil {
		return err
	}
	if err := db.putBack(ctx, c); err != nil {
		return fmt.Errorf("put %s back at %s: %w", c.identifier, at, err)
	}
	return nil
}

// PutRight has a database take what the keyring accepts, and nothing else that it
// knows of.
func (d *databaseBound) PutRight(ctx context.Context, at string) error {
	ring, err := d.Keyring(ctx)
	if err != nil {
		return err
	}
	take := func(step keyring.Step, name string) error {
		c, err := d.lookup(ctx, name)
		if err == nil {
			err = d.databases[at].do(ctx, step, c)
		}
		if err != nil {
			return fmt.Errorf("put right what %s takes: %s %s: %w", at, step, name, err)
		}
		return nil
	}
	accepted := ring.In(keyring.Accepted)
	slices.SortStableFunc(accepted, func(a, _ string) int { // where there is room for one, it is the last
		if a == ring.Emit {
			return 1
		}
		return -1
	})
	for _, name := range accepted {
		if err := take(keyring.Accept, name); err != nil {
			return err
		}
	}
	for _, name := range ring.In(keyring.Disabled) {
		if err := take(keyring.Revoke, name); err != nil {
			return err
		}
	}
	return nil
}

// ShowNewest asks a database whether it lets somebody in with the newest of the
// credentials that are accepted.
func (d *databaseBound) ShowNewest(ctx context.Context, at string) (credential string, probe history.Probe, err error) {
	ring, err := d.Keyring(ctx)
	if err != nil {
		return "", history.Probe{}, err
	}
	accepted := ring.In(keyring.Accepted)
	if len(accepted) == 0 {
		return "", history.Probe{}, errors.New("nothing is accepted")
	}
	credential = slices.Max(accepted)
	probe, err = d.Present(ctx, at, credential, history.Canary)
	return credential, probe, err
}
