package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/store"
)

// TestVaultHidesItsRootToken is why VaultSpec leaves initialising to us.
func TestVaultHidesItsRootToken(t *testing.T) {
	s := startVault(t)
	if strings.Contains(s.log.String(), s.root) {
		t.Error("the server's log shows its root token")
	}
	if _, err := store.Initialise(t.Context(), s.url); err == nil || !strings.Contains(err.Error(), "already initialized") {
		t.Errorf("initialise twice: got error %v, want one that says already initialized", err)
	}
}

func TestVaultSpec(t *testing.T) {
	inside := store.VaultSpec("store", store.VaultImages()[0], "")
	if inside.Command[0] != "vault" || inside.Port != 8200 || inside.Environment["VAULT_DEV_LISTEN_ADDRESS"] != "0.0.0.0:8200" {
		t.Errorf("in a container: got %+v", inside)
	}
	local := store.VaultSpec("store", "", "/opt/vault")
	if local.Command[0] != "/opt/vault" || local.Port != 0 || local.Environment["VAULT_DEV_LISTEN_ADDRESS"] != "{{ .store.host }}:{{ .store.port }}" {
		t.Errorf("as a process: got %+v", local)
	}
}

func TestFindVault(t *testing.T) {
	program := func(t *testing.T, path string) string {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	module := func(t *testing.T) string {
		t.Helper()
		dir, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		sub := filepath.Join(dir, "a", "b")
		if err := os.MkdirAll(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Chdir(sub)
		t.Setenv(store.VaultVariable, "")
		t.Setenv("PATH", t.TempDir())
		return dir
	}
	t.Run("named", func(t *testing.T) {
		dir := module(t)
		program(t, filepath.Join(dir, ".cache", "vault"))
		want := program(t, filepath.Join(dir, "named"))
		t.Setenv(store.VaultVariable, want)
		if got, err := store.FindVault(); got != want || err != nil {
			t.Errorf("got %q, error %v; want %q", got, err, want)
		}
	})
	t.Run("named and missing", func(t *testing.T) {
		dir := module(t)
		program(t, filepath.Join(dir, ".cache", "vault"))
		t.Setenv(store.VaultVariable, filepath.Join(dir, "nosuch"))
		if got, err := store.FindVault(); err == nil || !strings.Contains(err.Error(), store.VaultVariable) {
			t.Errorf("got %q, error %v; want one that names %s", got, err, store.VaultVariable)
		}
	})
	t.Run("built, from a folder below", func(t *testing.T) {
		want := program(t, filepath.Join(module(t), ".cache", "vault"))
		if got, err := store.FindVault(); got != want || err != nil {
			t.Errorf("got %q, error %v; want %q", got, err, want)
		}
	})
	t.Run("on the path", func(t *testing.T) {
		dir := module(t)
		want := program(t, filepath.Join(dir, "bin", "vault"))
		t.Setenv("PATH", filepath.Dir(want))
		if got, err := store.FindVault(); got != want || err != nil {
			t.Errorf("got %q, error %v; want %q", got, err, want)
		}
	})
	t.Run("nowhere", func(t *testing.T) {
		module(t)
		if got, err := store.FindVault(); !errors.Is(err, store.ErrNoVault) {
			t.Errorf("got %q, error %v; want %v", got, err, store.ErrNoVault)
		}
	})
}

// What is said beside the services to explore are the images that there are.
func TestComposeNamesTheImages(t *testing.T) {
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, image := range store.VaultImages() {
		if !strings.Contains(string(text), image+"\n") && !strings.Contains(string(text), image+"}") {
			t.Errorf("docker-compose.yml does not name %s", image)
		}
	}
}
