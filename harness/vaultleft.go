package harness

import (
	"context"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/runtime/docker"
	"github.com/rehearse-dev/rehearse/harness/runtime/leftover"
	"github.com/rehearse-dev/rehearse/harness/store"
)

// Places are where runs may have left something: the container engine of this
// machine and, where an address is given, that Vault. What is at another is left
// to whoever has a token of it.
func Places(vaultAddr, vaultToken string) leftover.Places {
	places := leftover.Places{Engine: docker.Leftovers{}}
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
