package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// turnCommand is `rehearse turn URL PATH STEP [KID]`: it stands in for a team's own script in the
// example of an attached rehearsal, and rotates the key that `rehearse seed` published, one step at a
// time.
func turnCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "turn URL PATH STEP [KID]",
		Short: "Take one step with the signing key of services that are explored by hand",
		Long: "Take one step with the signing keys at PATH of the mount rehearse-explore in the store at URL,\n" +
			"whose token is in " + storeTokenVariable + ": make prints the KID of a new one; accept, revoke,\n" +
			"restore, withdraw and destroy take it.",
		Args:   arguments(cobra.RangeArgs(3, 4)),
		Hidden: true,
		RunE: func(command *cobra.Command, args []string) error {
			s, err := store.Existing(args[0], os.Getenv(storeTokenVariable), exploreMount)
			if err != nil {
				return fmt.Errorf("turn: %w", err)
			}
			t, kid := keySetTurn{s, args[1]}, ""
			if len(args) == 4 {
				kid = args[3]
			}
			ctx, cancel := context.WithTimeout(command.Context(), seedTimeout)
			defer cancel()
			if kid, err = t.take(ctx, args[2], kid); err != nil {
				return fmt.Errorf("turn: %w", err)
			}
			_, err = fmt.Fprintln(command.OutOrStdout(), kid)
			return err
		},
	}
	command.Flags().SetInterspersed(false) // one KID in 64 begins with a hyphen (RFC 7638 in base64url), and is no flag
	return command
}

// exploreMount is the mount of the services that are explored by hand.
const exploreMount = "rehearse-explore"

// keySetTurn changes a published set of keys, one key at a time. A key that is out of the set, and not
// destroyed, is kept beside it.
type keySetTurn struct {
	store *store.Store
	path  string
}

// keptAt is the path of a key that is not published.
func (t keySetTurn) keptAt(kid string) string { return "kept/" + kid }

// take takes one step, and returns the KID that it was taken with.
func (t keySetTurn) take(ctx context.Context, step, kid string) (string, error) {
	if (kid == "") != (step == scenario.MakeStep) {
		return "", usage(errors.New("want a KID for every step but make"))
	}
	switch step {
	case scenario.MakeStep:
		return t.make(ctx)
	case string(keyring.Accept), string(keyring.Restore):
		return kid, t.publish(ctx, kid)
	case string(keyring.Revoke), string(keyring.Withdraw):
		return kid, t.withhold(ctx, kid)
	case string(keyring.Destroy):
		return kid, t.destroy(ctx, kid)
	}
	return "", usage(fmt.Errorf("no step is called %q", step))
}

func (t keySetTurn) make(ctx context.Context) (string, error) {
	key, err := firstKey()
	if err != nil {
		return "", err
	}
	_, err = t.store.Put(ctx, t.keptAt(key.KeyID), map[string]any{"kid": key.KeyID, "alg": key.Algorithm, "jwk": key}, 0)
	return key.KeyID, err
}

// publish adds a kept key to the set.
func (t keySetTurn) publish(ctx context.Context, kid string) error {
	entry, _, err := t.store.Get(ctx, t.keptAt(kid))
	if err != nil {
		return err
	}
	return t.change(ctx, func(keys []any) []any {
		if indexOf(keys, kid) >= 0 {
			return keys
		}
		return append(keys, entry)
	})
}

// withhold takes a key out of the set and keeps it.
func (t keySetTurn) withhold(ctx context.Context, kid string) error {
	document, _, err := t.store.Get(ctx, t.path)
	if err != nil {
		return err
	}
	keys, _ := document["keys"].([]any)
	i := indexOf(keys, kid)
	if i < 0 {
		return nil
	}
	entry, _ := keys[i].(map[string]any)
	_, version, err := t.store.Get(ctx, t.keptAt(kid))
	if errors.Is(err, world.ErrNotFound) {
		_, err = t.store.Put(ctx, t.keptAt(kid), entry, version)
	}
	if err != nil {
		return err // a key must be kept before it leaves the set
	}
	return t.change(ctx, func(keys []any) []any {
		return slices.DeleteFunc(keys, func(entry any) bool { return indexOf([]any{entry}, kid) == 0 })
	})
}

// destroy destroys every version of the set that may hold the key; the newest is known not to.
func (t keySetTurn) destroy(ctx context.Context, kid string) error {
	document, newest, err := t.store.Get(ctx, t.path)
	if err != nil {
		return err
	}
	if keys, _ := document["keys"].([]any); indexOf(keys, kid) >= 0 {
		return fmt.Errorf("destroy %s: it is published", kid)
	}
	_, last, err := t.store.Get(ctx, t.keptAt(kid))
	if err != nil && !errors.Is(err, world.ErrNotFound) {
		return err
	}
	return errors.Join(t.store.Destroy(ctx, t.path, until(newest-1)), t.store.Destroy(ctx, t.keptAt(kid), until(last)))
}

// change rewrites the set, if nobody else did meanwhile.
func (t keySetTurn) change(ctx context.Context, with func(keys []any) []any) error {
	document, version, err := t.store.Get(ctx, t.path)
	if err != nil {
		return err
	}
	keys, _ := document["keys"].([]any)
	document["keys"] = with(keys)
	_, err = t.store.Put(ctx, t.path, document, version)
	return err
}

// indexOf is the place of a key in a set; -1 where it is not there.
func indexOf(keys []any, kid string) int {
	return slices.IndexFunc(keys, func(entry any) bool {
		key, _ := entry.(map[string]any)
		return key["kid"] == kid
	})
}

// until are the numbers from 1 to n.
func until(n int) []int {
	var numbers []int
	for i := 1; i <= n; i++ {
		numbers = append(numbers, i)
	}
	return numbers
}
