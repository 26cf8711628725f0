package family

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"

	"github.com/jackc/pgx/v5"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// vaultRole is the one role of a PostgreSQL server as a static role of Vault's
// database secrets engine. Vault makes the password, changes it at the database
// first, and has it to read afterwards.
//
//	accept ──► Vault ──► ALTER ROLE … PASSWORD     from here on the old one is refused
//	             └─────► what is published          which consumers read some time later
type vaultRole struct {
	*postgres
	roles   world.StaticRoles
	name    string        // of the database
	inside  func() string // its address as Vault sees it
	replace func(ctx context.Context, name string, entry map[string]any) error
}

var _ database = (*vaultRole)(nil)

func (v *vaultRole) do(ctx context.Context, step keyring.Step, c credential) error {
	switch step {
	case keyring.Accept, keyring.Restore, keyring.Emit:
		return v.asAdmin(ctx, func(ctx context.Context, conn *pgx.Conn) error {
			return v.rotate(ctx, postgresRole{conn: conn, name: v.kind.user(c.identifier), owner: v.kind.page + "_owner", tag: c.identifier})
		})
	}
	return v.postgres.do(ctx, step, c)
}

// rotate makes a credential the one that logs in, with a password of Vault's,
// which has no way back to an earlier one.
func (v *vaultRole) rotate(ctx context.Context, role postgresRole) error {
	if v.roles == nil {
		return errors.New("rotate a static role: the store cannot")
	}
	c, err := v.lookup(ctx, role.tag)
	if err != nil {
		return err
	}
	now, err := role.described(ctx)
	if err != nil {
		return err
	}
	if now == "" {
		if err := role.accept(ctx, c); err != nil {
			return err
		}
	}
	password, err := v.adopt(ctx, role.name)
	if err == nil && now != "" && now != role.tag {
		password, err = v.roles.Rotate(ctx, role.name)
	}
	if err != nil {
		return err
	}
	entry := maps.Clone(c.entry)
	entry["password"] = password
	if err := v.replace(ctx, role.tag, entry); err != nil {
		return err
	}
	return role.run(ctx, role.comment(), "ALTER ROLE "+quoted(role.name)+" LOGIN")
}

func (v *vaultRole) adopt(ctx context.Context, login string) (password string, err error) {
	at, err := url.Parse(v.inside())
	if err != nil || at.Host == "" {
		return "", fmt.Errorf("adopt %s: the database has no address", login)
	}
	settings := url.Values{"sslmode": {"disable"}, "application_name": {contract.DatabaseAdmin}}
	return v.roles.Adopt(ctx, world.StaticRole{
		Login: login, Database: v.name, Address: at.Host + "/" + contract.PostgresDatabase + "?" + settings.Encode(),
		Admin: contract.DatabaseAdmin, AdminPassword: v.password,
	})
}
