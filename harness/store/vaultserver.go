package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/rehearse-dev/rehearse/harness/world"
)

// VaultImages are the container images of a Vault server, in the order in which
// they are tried: HashiCorp's own, and the one that `make vault-image` builds
// where no registry is at hand.
func VaultImages() []string {
	return []string{"hashicorp/vault:1.21", "rehearse-vault:1.21.0-postgresql"}
}

// VaultVariable is the environment variable that names a vault binary to use.
const VaultVariable = "REHEARSE_VAULT"

// vaultPort is where Vault listens in its container.
const vaultPort = 8200

// VaultSpec is a Vault server in memory, as a runtime starts it: in a container
// of image or, where that is empty, as the program at binary. It comes up
// uninitialised, and Initialise makes it usable: so its root token is never in
// an argument, a variable or a log, where Vault's ready-made dev mode would
// print it.
func VaultSpec(name, image, binary string) world.Spec {
	spec := world.Spec{
		Name:  name,
		Image: image,
		// -dev with -dev-skip-init is: storage in memory, no TLS, no mlock, no file.
		Command: []string{"vault", "server", "-dev", "-dev-skip-init", "-dev-no-store-token", "-log-level=warn"},
		Environment: map[string]string{
			"VAULT_DEV_LISTEN_ADDRESS": fmt.Sprintf("0.0.0.0:%d", vaultPort),
			// The official image's entry point need not prepare volumes or mlock.
			"SKIP_CHOWN": "true", "SKIP_SETCAP": "true",
		},
		Port:   vaultPort,
		Health: "/v1/sys/health?uninitcode=200&sealedcode=200",
	}
	if image == "" {
		spec.Command[0] = binary
		spec.Port = 0
		spec.Environment = map[string]string{
			"VAULT_DEV_LISTEN_ADDRESS": fmt.Sprintf("{{ .%[1]s.host }}:{{ .%[1]s.port }}", name),
		}
	}
	return spec
}

// Initialise makes a Vault that VaultSpec described usable, and returns its keys:
// the root token, and what unseals it. A server that is initialised already is an error: its root token
// cannot be had.
func Initialise(ctx context.Context, url string) (keys Keys, err error) {
	client, err := newClient(url, "", ofOurs())
	if err != nil {
		return Keys{}, err
	}
	made, err := client.Sys().InitWithContext(ctx, &api.InitRequest{SecretShares: 1, SecretThreshold: 1})
	if err != nil {
		return Keys{}, fmt.Errorf("initialise vault at %s: %w", url, err)
	}
	if len(made.Keys) != 1 {
		return Keys{}, fmt.Errorf("initialise vault at %s: got %d unseal keys, want 1", url, len(made.Keys))
	}
	if _, err := client.Sys().UnsealWithContext(ctx, made.Keys[0]); err != nil {
		return Keys{}, fmt.Errorf("unseal vault at %s: %w", url, err)
	}
	if err := awaitActive(ctx, client); err != nil {
		return Keys{}, fmt.Errorf("unseal vault at %s: %w", url, err)
	}
	return Keys{Root: made.RootToken, Unseal: made.Keys[0]}, nil
}

// awaitActive polls until an unsealed server takes requests.
func awaitActive(ctx context.Context, client *api.Client) error {
	ctx, cancel := context.WithTimeout(ctx, mountDeadline)
	defer cancel()
	tick := time.NewTicker(mountPoll)
	defer tick.Stop()
	for {
		health, err := client.Sys().HealthWithContext(ctx)
		if err == nil && health.Initialized && !health.Sealed && !health.Standby {
			return nil
		}
		last := err
		if last == nil {
			last = fmt.Errorf("sealed %t, standby %t", health.Sealed, health.Standby)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until it is active: %w; last seen: %w", ctx.Err(), last)
		case <-tick.C:
		}
	}
}

// ErrNoVault is in the chain of FindVault's error where there is no binary.
var ErrNoVault = errors.New("no vault binary: set " + VaultVariable + ", install vault on PATH, or run `make vault`")

// FindVault looks for a vault binary: the one that REHEARSE_VAULT names, the
// one that `make vault` built in .cache of the working directory or of a folder
// above it, or the one on PATH.
func FindVault() (string, error) {
	if named := os.Getenv(VaultVariable); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("find the vault that %s names: %w", VaultVariable, err)
		}
		return filepath.Abs(path)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find vault: %w", err)
	}
	for {
		path := filepath.Join(dir, ".cache", "vault")
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() {
			return path, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("find vault: %w", err)
		}
		// The folder of the module is the last that can be ours.
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	if path, err := exec.LookPath("vault"); err == nil {
		return filepath.Abs(path)
	}
	return "", ErrNoVault
}
