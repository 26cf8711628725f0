package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/vault/api"

	"github.com/rehearse-dev/rehearse/harness/world"
)

const (
	// postgresPlugin is the name of Vault's own plugin for PostgreSQL.
	postgresPlugin = "postgresql-database-plugin"
	// PluginLabel is the label of an image whose Vault has that plugin beside it,
	// in imagePlugins: its SHA-256.
	PluginLabel = "dev.rehearse.vault." + postgresPlugin
	// imagePlugins is where that image has it.
	imagePlugins = "/plugins"
)

// Plugin is the executable with which a Vault that was built without it changes
// passwords of PostgreSQL. HashiCorp's own builds have it inside; that is the
// zero value.
type Plugin struct {
	Folder string // as Vault sees it
	Sum    string // SHA-256, hex
}

// LabelledPlugin is the plugin of an image with that PluginLabel.
func LabelledPlugin(sum string) Plugin {
	if sum == "" {
		return Plugin{}
	}
	return Plugin{Folder: imagePlugins, Sum: sum}
}

// PluginBeside is the plugin that `make vault` built beside a binary, in
// vault-plugins; the zero value where there is none.
func PluginBeside(binary string) (Plugin, error) {
	folder := filepath.Join(filepath.Dir(binary), "vault-plugins")
	file, err := os.Open(filepath.Join(folder, postgresPlugin))
	if errors.Is(err, fs.ErrNotExist) {
		return Plugin{}, nil
	}
	if err != nil {
		return Plugin{}, fmt.Errorf("find the plugin of vault: %w", err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return Plugin{}, fmt.Errorf("read the plugin of vault: %w", err)
	}
	// Vault starts nothing through a symbolic link.
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		return Plugin{}, fmt.Errorf("find the plugin of vault: %w", err)
	}
	return Plugin{Folder: folder, Sum: hex.EncodeToString(hash.Sum(nil))}, nil
}

// Equip tells a Vault that is to be started where its plugin is.
func (p Plugin) Equip(spec *world.Spec) {
	if p.Folder != "" {
		spec.Command = append(spec.Command, "-dev-plugin-dir="+p.Folder)
	}
}

// Register makes a plugin known to the Vault at url, which was started with its
// folder. There is nothing to do for the zero value.
func (p Plugin) Register(ctx context.Context, url, rootToken string) error {
	if p.Folder == "" {
		return nil
	}
	client, err := newClient(url, rootToken, ofOurs())
	if err != nil {
		return err
	}
	err = client.Sys().RegisterPluginWithContext(ctx, &api.RegisterPluginInput{
		Name: postgresPlugin, Type: api.PluginTypeDatabase, Command: postgresPlugin, SHA256: p.Sum,
	})
	if err != nil {
		return fmt.Errorf("register %s with vault at %s: %w", postgresPlugin, url, err)
	}
	return nil
}
