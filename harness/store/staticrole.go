package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/vault/api"

	"github.com/rehearse-dev/rehearse/harness/world"
)

var _ world.StaticRoles = (*Store)(nil)

// ErrNoDatabases is in the chain of the error where a server has no secrets
// engine for databases: the embedded store.
var ErrNoDatabases = errors.New("it has no secrets engine for databases: that takes a real Vault (--store vault)")

// rotationPeriod is how often Vault changes a password by itself: beyond any
// rehearsal, whose own step does it.
const rotationPeriod = "24h"

// databasesOf is the mount of a run's database secrets engine, beside that of
// its secrets.
func databasesOf(mount string) string { return mount + "-database" }

// Adopt hands a login to Vault's database secrets engine, as a static role.
// Vault changes its password at once, and Adopt returns the new one; of a login
// that it has already it returns the present one.
func (s *Store) Adopt(ctx context.Context, role world.StaticRole) (password string, err error) {
	if err := segments(role.Login, role.Database); err != nil {
		return "", fmt.Errorf("adopt a static role: %w", err)
	}
	err = s.given.Sys().MountWithContext(ctx, databasesOf(s.mount), &api.MountInput{
		Type: "database", Description: "one rehearsal's own; safe to remove when it is over",
	})
	if err != nil && !refusedWith(err, "path is already in use") {
		return "", fmt.Errorf("mount the secrets engine for databases: %w: %w", ErrNoDatabases, err)
	}
	writes := []struct {
		path string
		data map[string]any
	}{
		{"/config/" + role.Database, map[string]any{
			"plugin_name": postgresPlugin, "allowed_roles": role.Login,
			"connection_url": "postgresql://{{username}}:{{password}}@" + role.Address,
			"username":       role.Admin, "password": role.AdminPassword,
			// What is sent to the database is what it keeps of a password.
			"password_authentication": "scram-sha-256",
		}},
		{"/static-roles/" + role.Login, map[string]any{
			"db_name": role.Database, "username": role.Login, "rotation_period": rotationPeriod,
		}},
	}
	for _, w := range writes {
		if _, err := s.own.Logical().WriteWithContext(ctx, databasesOf(s.mount)+w.path, w.data); err != nil {
			return "", fmt.Errorf("adopt %s as a static role: %w", role.Login, err)
		}
	}
	return s.static(ctx, role.Login)
}

// Rotate has Vault change the password of a static role, and returns the new one.
func (s *Store) Rotate(ctx context.Context, login string) (password string, err error) {
	if err := segments(login); err != nil {
		return "", fmt.Errorf("rotate a static role: %w", err)
	}
	if _, err := s.own.Logical().WriteWithContext(ctx, databasesOf(s.mount)+"/rotate-role/"+login, nil); err != nil {
		return "", fmt.Errorf("rotate the static role %s: %w", login, err)
	}
	return s.static(ctx, login)
}

// static reads the present password of a static role.
func (s *Store) static(ctx context.Context, login string) (password string, err error) {
	secret, err := s.own.Logical().ReadWithContext(ctx, databasesOf(s.mount)+"/static-creds/"+login)
	if err != nil {
		return "", fmt.Errorf("read the static role %s: %w", login, err)
	}
	if secret != nil {
		password, _ = secret.Data["password"].(string)
	}
	if password == "" {
		return "", fmt.Errorf("read the static role %s: it has no password", login)
	}
	return password, nil
}
