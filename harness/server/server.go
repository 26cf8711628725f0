// Package server finds the programs of real servers that a rehearsal runs:
// databases, which no stand-in can stand in for.
package server

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Program is a server's program: where it may be, and how to get it.
type Program struct {
	// Name is that of its executable.
	Name string
	// Variable is the environment variable that names the executable to use.
	Variable string
	// Require is the environment variable that, set to 1, makes a failure of
	// what would be skipped where there is none.
	Require string
	// Places are patterns of folders in which it is looked for beside PATH: as
	// packages install it; the last in the alphabet, which is the newest, wins.
	Places []string
	// Images are container images that have it, in the order in which they are
	// tried: its makers' own, and the one that `make database-image` builds where
	// no registry is at hand.
	Images []string
	// Get says how to get it.
	Get string
}

// debian is the image that `make database-image` builds.
const debian = "rehearse-databases:bookworm-3"

// Programs are the servers by the name of the stand-in that runs them.
var Programs = map[string]Program{
	"mariadb": {
		Name: "mariadbd", Variable: "REHEARSE_MARIADB", Require: "REHEARSE_REQUIRE_MARIADB",
		Places: []string{"/usr/sbin", "/usr/libexec", "/usr/local/sbin", "/usr/local/mysql/bin", "/opt/homebrew/opt/mariadb*/bin", "/usr/local/opt/mariadb*/bin"},
		Images: []string{"mariadb:10.11", debian},
		Get:    "apt-get install mariadb-server, brew install mariadb, or name its program in REHEARSE_MARIADB; in containers `make database-image` builds one",
	},
	"pgbouncer": {
		Name: "pgbouncer", Variable: "REHEARSE_PGBOUNCER", Require: "REHEARSE_REQUIRE_PGBOUNCER",
		Places: []string{"/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/opt/pgbouncer*/bin", "/usr/local/opt/pgbouncer*/bin"},
		Images: []string{debian},
		Get:    "apt-get install pgbouncer, brew install pgbouncer, or name its program in REHEARSE_PGBOUNCER; in containers `make database-image` builds one",
	},
	"postgres": {
		Name: "postgres", Variable: "REHEARSE_POSTGRES", Require: "REHEARSE_REQUIRE_POSTGRES",
		Places: []string{
			"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/libexec/postgresql*", "/opt/homebrew/opt/postgresql*/bin",
			"/usr/local/opt/postgresql*/bin", "/usr/local/pgsql/bin", "/Applications/Postgres.app/Contents/Versions/*/bin",
		},
		Images: []string{"postgres:17", debian},
		Get:    "apt-get install postgresql, brew install postgresql, or name its program in REHEARSE_POSTGRES; in containers `make database-image` builds one",
	},
	"redis": {
		Name: "redis-server", Variable: "REHEARSE_REDIS", Require: "REHEARSE_REQUIRE_REDIS",
		Places: []string{"/opt/homebrew/opt/redis*/bin", "/usr/local/opt/redis*/bin", "/usr/local/bin", "/usr/sbin"},
		Images: []string{"redis:7", debian},
		Get:    "apt-get install redis-server, brew install redis, or name its program in REHEARSE_REDIS; in containers `make database-image` builds one",
	},
}

// Vault is the store that rotates the passwords of static roles by itself. It is
// found and started as every store is; it is a program here in that a rehearsal
// may be skipped where there is none.
var Vault = Program{
	Name: "vault", Require: "REHEARSE_REQUIRE_VAULT",
	Get: "install vault on PATH, or name its program in REHEARSE_VAULT, or `make vault`; in containers `make vault-image`",
}

// Kinds are the stand-ins that run a program, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(Programs)) }

// MissingError says that a server is not to be had on this machine.
type MissingError struct {
	Program Program
	Why     error
}

// Error says how to get it.
func (e *MissingError) Error() string {
	return fmt.Sprintf("there is no %s: %v; to get one: %s", e.Program.Name, e.Why, e.Program.Get)
}

// Unwrap is why it was not found.
func (e *MissingError) Unwrap() error { return e.Why }

// Missing is the error of a program that is not to be had, and why.
func (p Program) Missing(why error) error { return &MissingError{p, why} }

// Required reports whether its absence is a failure.
func (p Program) Required() bool { return os.Getenv(p.Require) == "1" }

// Find is the path of the executable, with no symbolic link on the way: what
// belongs to it is beside it.
func (p Program) Find() (string, error) {
	path, err := p.Found()
	if err != nil {
		return "", err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", fmt.Errorf("find a server's program: %w", err)
	}
	return path, nil
}

// Found is the absolute path of the executable by the name under which it was
// found, which may be a symbolic link: what a person knows it by.
func (p Program) Found() (string, error) {
	if named := os.Getenv(p.Variable); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("find the server that %s names: %w", p.Variable, err)
		}
		return absolute(path)
	}
	path, notOnPath := exec.LookPath(p.Name)
	if notOnPath == nil {
		return absolute(path)
	}
	for _, place := range p.Places {
		found, err := filepath.Glob(filepath.Join(place, p.Name))
		if err != nil {
			return "", fmt.Errorf("look for %s in %s: %w", p.Name, place, err)
		}
		if len(found) > 0 {
			return absolute(found[len(found)-1])
		}
	}
	return "", p.Missing(notOnPath)
}

func absolute(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find a server's program: %w", err)
	}
	return path, nil
}
