package harness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/fault"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/server"
	"github.com/rehearse-dev/rehearse/harness/store"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// openStore starts the secrets store, or takes the one that the options name,
// and makes the run's own mount in it.
func (r *run) openStore(ctx context.Context) error {
	keys, err := r.startStore(ctx)
	if err != nil {
		return err
	}
	r.secrets = append(r.secrets, keys.Root)
	if r.unsealKey = keys.Unseal; r.unsealKey != "" {
		r.secrets = append(r.secrets, r.unsealKey)
	}
	own := r.o.VaultAddr == ""
	outside := r.o.VaultAddr
	if own {
		outside, r.storeURL = r.runtime.URL(storeService, false), r.runtime.URL(storeService, true)
	} else {
		r.storeURL = r.o.VaultAddr
	}
	at := store.Server{URL: outside, Token: keys.Root, Ours: own}
	if !own { // it outlives this process
		if err := r.leftovers.AddVault(outside, store.MountOf(r.leftovers.Run())); err != nil {
			return err
		}
		at.Note = r.leftovers.AddToVault
	}
	if r.store, err = store.Open(ctx, at, r.leftovers.Run()); err != nil {
		return err
	}
	r.secrets = append(r.secrets, r.store.OwnToken())
	if !own { // our own store takes everything with it
		r.cleanUp("remove the run's mount", r.store.Close)
	}
	if r.outcome.Store, err = r.store.Version(ctx); err != nil {
		return err
	}
	if err := r.checkStore(r.outcome.Store); err != nil {
		return err
	}
	r.evidence.Record(history.Event{
		At: r.evidence.Offset(), Kind: history.KindService, Service: storeService, Detail: r.outcome.Store,
	})
	page := r.plan.Runbook.Storage.Publish.Path
	if !own {
		return nil // its owner decides where its audit lines go
	}
	r.logs.Follow(r.store.Path(page), page)
	return r.store.EnableAudit(ctx)
}

// startStore starts the store and returns its keys; of a store that is not the run's own there is only
// a token.
func (r *run) startStore(ctx context.Context) (keys store.Keys, err error) {
	if r.o.VaultAddr != "" {
		return store.Keys{Root: r.o.VaultToken}, r.reachable(r.o.VaultAddr)
	}
	choice, need := r.o.Store, server.Program{}
	if choice == Auto && r.plan.NeedsVault() {
		choice, need = Vault, server.Vault
	}
	switch choice {
	case Embedded, Auto:
		spec, keys := store.EmbeddedSpec(storeService)
		return keys, r.startServices(ctx, []world.Spec{spec})
	case Vault:
		spec, plugin, err := r.vaultSpec(ctx)
		if err != nil && need.Name != "" { // nobody asked for it by name
			return keys, need.Missing(err)
		}
		if err != nil {
			return keys, err
		}
		plugin.Equip(&spec)
		if err := r.startServices(ctx, []world.Spec{spec}); err != nil {
			return keys, err
		}
		if keys, err = store.Initialise(ctx, r.runtime.URL(storeService, false)); err != nil {
			return keys, err
		}
		return keys, plugin.Register(ctx, r.runtime.URL(storeService, false), keys.Root)
	}
	return keys, fmt.Errorf("unknown store %q: want %s, %s or %s", r.o.Store, Auto, Embedded, Vault)
}

// vaultSpec is a Vault as the runtime can run it, with the plugin beside it.
func (r *run) vaultSpec(ctx context.Context) (world.Spec, store.Plugin, error) {
	if r.images == nil {
		binary, err := store.FindVault()
		if err != nil {
			return world.Spec{}, store.Plugin{}, err
		}
		plugin, err := store.PluginBeside(binary)
		return store.VaultSpec(storeService, "", binary), plugin, err
	}
	image, err := r.images.Image(ctx, store.VaultImages()...)
	if err != nil {
		return world.Spec{}, store.Plugin{}, fmt.Errorf("find an image of Vault (`make vault-image` builds one): %w", err)
	}
	sum, err := r.images.ImageLabel(ctx, image, store.PluginLabel)
	return store.VaultSpec(storeService, image, ""), store.LabelledPlugin(sum), err
}

// ErrNeedsVault is in the chain of Run's error where a plan needs a real Vault
// and another store was asked for.
var ErrNeedsVault = errors.New("a secret that Vault itself rotates needs a real one: --store vault, or --vault-addr")

// checkStore refuses a store that is not what the plan needs.
func (r *run) checkStore(version string) error {
	if r.plan.NeedsVault() && !strings.HasPrefix(version, Vault+" ") {
		return fmt.Errorf("rehearse with the store %q: %w", version, ErrNeedsVault)
	}
	return nil
}

// reachable refuses a loopback address for services in containers, whose loopback is their own.
func (r *run) reachable(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return fmt.Errorf("use the Vault at %q: want http(s)://HOST:PORT", address)
	}
	ip := net.ParseIP(u.Hostname())
	if r.images != nil && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
		return fmt.Errorf("use the Vault at %s: %w", address, errLoopback)
	}
	return nil
}

var errLoopback = errors.New("containers cannot reach the loopback of this machine: run with --runtime process")

// sealer seals the run's own store and opens it again.
type sealer struct{ run *run }

var _ fault.Sealer = sealer{}

// Seal makes it answer everything with 503.
func (s sealer) Seal(ctx context.Context) error { return s.run.store.Seal(ctx) }

// Unseal opens it again.
func (s sealer) Unseal(ctx context.Context) error { return s.run.store.Unseal(ctx, s.run.unsealKey) }
