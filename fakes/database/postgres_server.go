package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// postgresServer is a server that runs as a child.
type postgresServer struct {
	child
	config contract.Database
}

// startPostgres starts a server, on a new cluster unless there is one already in
// its folder, and hands each line of its log on.
func startPostgres(ctx context.Context, c contract.Database, log *slog.Logger, logged func(postgresLine)) (*postgresServer, error) {
	s := &postgresServer{config: c}
	return s, s.raise("postgres", c.Program, c.Folder, func(program string, user *identity) error {
		if _, err := os.Stat(filepath.Join(s.data(), "PG_VERSION")); errors.Is(err, fs.ErrNotExist) {
			if err := s.initialise(ctx, filepath.Join(filepath.Dir(program), "initdb"), user); err != nil {
				return err
			}
		}
		return s.run(program, user, log, logged)
	})
}

func (s *postgresServer) data() string { return filepath.Join(s.folder, "data") }

// initialise makes the cluster. Its data is gone with the run: nothing is synced.
func (s *postgresServer) initialise(ctx context.Context, program string, user *identity) error {
	password, passwords, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("hand over a password: %w", err)
	}
	defer password.Close()
	cmd := exec.CommandContext(ctx, program, "-D", s.data(), "-U", contract.DatabaseAdmin, "--pwfile=/dev/fd/3",
		"-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N", "-n")
	if err := user.give(password); err != nil {
		return fmt.Errorf("hand over a password: %w", err)
	}
	cmd.ExtraFiles = []*os.File{password}
	// What it starts has shared memory, and ends in order when asked to. Of one that was killed the data say which
	// memory that was: -n keeps them until all is removed.
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, childEnds
	cmd.Dir = s.folder
	user.apply(cmd)
	_, err = io.WriteString(passwords, s.config.AdminPassword+"\n")
	if err = errors.Join(err, passwords.Close()); err != nil {
		return fmt.Errorf("hand over a password: %w", err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make a database cluster with %s: %w: %s", program, err, lastLine(out))
	}
	return nil
}

// run starts the server with settings that make its log tell of every login. It
// is ended by SIGINT, the fast shutdown (PostgreSQL, 19.5): sessions are ended.
func (s *postgresServer) run(program string, user *identity, log *slog.Logger, logged func(postgresLine)) error {
	port, err := s.findAddress()
	if err != nil {
		return err
	}
	args := []string{"-D", s.data(), "-p", port, "-h", "127.0.0.1"}
	for _, setting := range []string{
		"unix_socket_directories=", "fsync=off", "synchronous_commit=off", "full_page_writes=off",
		"shared_buffers=16MB",
		"max_connections=" + strconv.Itoa(maxConnections(s.config)), "superuser_reserved_connections=" + strconv.Itoa(reservedConnections),
		"max_wal_senders=0", "wal_level=minimal", "dynamic_shared_memory_type=mmap",
		"log_destination=stderr", "logging_collector=off", "log_line_prefix=" + postgresPrefix,
		// A statement may hold what a password was made into.
		"log_min_error_statement=panic", "log_statement=none", "log_min_messages=error", "lc_messages=C",
	} {
		args = append(args, "-c", setting)
	}
	s.cmd = exec.Command(program, args...)
	s.cmd.Dir = s.folder
	user.apply(s.cmd)
	return s.start(s.cmd.StderrPipe, func(text string) {
		line, ok := parsePostgresLine(text)
		if !ok {
			return
		}
		if line.serious() {
			log.Warn("server", "detail", line.severity+": "+line.text)
		}
		logged(line)
	})
}

// maxConnections is the server's setting of that name, which counts those that
// are kept for superusers too.
func maxConnections(c contract.Database) int {
	if c.Connections == 0 {
		return defaultConnections + reservedConnections
	}
	return c.Connections + reservedConnections
}

func (s *postgresServer) version(ctx context.Context) (version string, err error) {
	config, err := pgx.ParseConfig("postgres://" + s.address + "/" + contract.PostgresDatabase + "?sslmode=disable")
	if err != nil {
		return "", err
	}
	config.User, config.Password = contract.DatabaseAdmin, s.config.AdminPassword
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "SHOW server_version").Scan(&version)
	return "postgresql " + version, err
}

// lastLine is the end of what a program said.
func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strconv.Quote(lines[len(lines)-1])
}
