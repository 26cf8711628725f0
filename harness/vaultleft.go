package harness

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/runtime"
	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/store"
)

// Places are where dead runs may have left something: in the runtimes named (none: in all) and, with an
// address, in that Vault. What is at another Vault is left to somebody with its token.
func Places(vaultAddr, vaultToken string, at launch.Place, runtimes ...string) leftover.Places {
	var places leftover.Places
	for _, k := range runtime.Kinds() {
		if k.Leftovers != nil && (len(runtimes) == 0 || slices.Contains(runtimes, k.Name)) {
			places.Engines = append(places.Engines, k.Leftovers(at))
		}
	}
	if vaultAddr == "" {
		return places
	}
	places.Vault = func(ctx context.Context, left leftover.Vault) (bool, error) {
		if !sameAddress(left.Address, vaultAddr) {
			return false, nil
		}
		return true, removeFromVault(ctx, vaultAddr, vaultToken, left)
	}
	return places
}

// places are the Places of a run: clusters are searched only where one is asked for.
func (o Options) places() leftover.Places {
	runtimes := []string{o.Runtime}
	for _, k := range runtime.Kinds() {
		if k.Auto {
			runtimes = append(runtimes, k.Name)
		}
	}
	return Places(o.VaultAddr, o.VaultToken, o.Place, runtimes...)
}

// removeFromVault removes what a dead run made on a server.
func removeFromVault(ctx context.Context, address, token string, left leftover.Vault) error {
	run, ok := strings.CutPrefix(left.Mount, store.MountOf(""))
	if !ok {
		return fmt.Errorf("remove the mount %q: it is no run's: %w", left.Mount, store.ErrOutside)
	}
	part, err := store.Remains(store.Server{URL: address, Token: token}, run, store.Part{Policies: left.Policies, Accessors: left.Accessors})
	if err != nil {
		return err
	}
	return part.Close(ctx)
}

// sameAddress reports whether two addresses of a server are written the same.
func sameAddress(one, other string) bool {
	return strings.EqualFold(strings.TrimRight(one, "/"), strings.TrimRight(other, "/"))
}
