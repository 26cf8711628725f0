package database

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// The files of a pooler, in its folder.
const (
	poolerSettings = "pgbouncer.ini"
	poolerUsers    = "userlist.txt"
)

// pgbouncerServer is a PgBouncer that runs as a child.
type pgbouncerServer struct {
	child
	config contract.PgBouncer
	owner  *identity
}

// startPgBouncer starts a pooler whose database is reached at an address.
func startPgBouncer(c contract.PgBouncer, database net.Addr, log *slog.Logger) (*pgbouncerServer, error) {
	s := &pgbouncerServer{config: c}
	return s, s.raise("pgbouncer", c.Program, c.Folder, func(program string, user *identity) error {
		s.owner = user
		port, err := s.findAddress()
		if err != nil {
			return err
		}
		if err := errors.Join(s.write(poolerSettings, s.settings(port, database)), s.users(nil)); err != nil {
			return err
		}
		s.cmd = exec.Command(program, filepath.Join(s.folder, poolerSettings))
		s.cmd.Dir = s.folder
		user.apply(s.cmd)
		return s.start(s.cmd.StderrPipe, func(line string) {
			if strings.Contains(line, " ERROR ") || strings.Contains(line, " WARNING ") || strings.Contains(line, " FATAL ") {
				log.Warn("pooler", "detail", line)
			}
		})
	})
}

// settings are those of the pooler (PgBouncer 1.18, config.md); what is not said is
// as it is by default.
func (s *pgbouncerServer) settings(port string, database net.Addr) string {
	c := s.config
	_, at, _ := net.SplitHostPort(database.String())
	reached := fmt.Sprintf("%s = host=127.0.0.1 port=%s dbname=%[1]s", contract.PostgresDatabase, at)
	lines := []string{"[databases]", reached, "[pgbouncer]"}
	if c.AuthQuery {
		lines[1] += " auth_user=" + contract.DatabaseAdmin
		lines = append(lines, "auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename=$1")
	}
	seconds := func(d contract.Duration) string {
		return strconv.FormatFloat(time.Duration(d).Seconds(), 'f', 3, 64)
	}
	return strings.Join(append(lines,
		"listen_addr = 127.0.0.1", "listen_port = "+port, "unix_socket_dir =", "max_client_conn = 1000",
		"auth_type = scram-sha-256", "auth_file = "+filepath.Join(s.folder, poolerUsers), "admin_users = "+contract.DatabaseAdmin,
		"pool_mode = "+c.Mode, "default_pool_size = "+strconv.Itoa(c.Pool), "server_lifetime = "+seconds(c.Life),
		"server_login_retry = "+seconds(c.LoginRetry), "query_wait_timeout = "+seconds(c.QueryWait),
		"server_tls_sslmode = disable", "log_connections = 0", "log_disconnections = 0", "log_stats = 0", ""), "\n")
}

// users writes the auth_file: the administration, and these users by name with
// their passwords.
func (s *pgbouncerServer) users(passwords map[string]string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%q %q\n", contract.DatabaseAdmin, s.config.AdminPassword)
	for _, user := range slices.Sorted(maps.Keys(passwords)) {
		fmt.Fprintf(&text, "%q %q\n", user, passwords[user])
	}
	return s.write(poolerUsers, text.String())
}

// write puts a file that only the pooler's user can read into its folder, whole.
func (s *pgbouncerServer) write(name, content string) error {
	file, err := os.CreateTemp(s.folder, name)
	if err != nil {
		return fmt.Errorf("write %s of the pooler: %w", name, err)
	}
	_, err = file.WriteString(content)
	err = errors.Join(err, s.owner.give(file), file.Close(), os.Rename(file.Name(), filepath.Join(s.folder, name)))
	if err != nil {
		return fmt.Errorf("write %s of the pooler: %w", name, err)
	}
	return nil
}

// reload writes the auth_file and has it read, as SIGHUP does (PgBouncer 1.18,
// usage.md, Signals).
func (s *pgbouncerServer) reload(passwords map[string]string) error {
	if err := s.users(passwords); err != nil {
		return err
	}
	return s.cmd.Process.Signal(syscall.SIGHUP)
}

// version asks the pooler which it is, at its console.
func (s *pgbouncerServer) version(ctx context.Context) (version string, err error) {
	config, err := pgx.ParseConfig("postgres://" + s.address + "/pgbouncer?sslmode=disable")
	if err != nil {
		return "", err
	}
	config.User, config.Password, config.DefaultQueryExecMode = contract.DatabaseAdmin, s.config.AdminPassword, pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "SHOW VERSION").Scan(&version)
	return version, err
}
