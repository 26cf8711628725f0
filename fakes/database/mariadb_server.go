package database

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// mariaDBServer is a server that runs as a child.
type mariaDBServer struct {
	child
	config contract.Database
}

// startMariaDB starts a server, on new tables unless there are some already in its
// folder.
func startMariaDB(ctx context.Context, c contract.Database, log *slog.Logger) (*mariaDBServer, error) {
	s := &mariaDBServer{config: c}
	s.ends = os.Kill // it ignores os.Interrupt, takes a second to end in order, and nothing of it is kept
	return s, s.raise("mariadb", c.Program, c.Folder, func(program string, user *identity) error {
		if _, err := os.Stat(filepath.Join(s.data(), "mysql")); errors.Is(err, fs.ErrNotExist) {
			if err := s.initialise(ctx, program, user); err != nil {
				return err
			}
		}
		return s.run(program, user, log)
	})
}

func (s *mariaDBServer) data() string { return filepath.Join(s.folder, "data") }

// mariaDBKeepsNothing are settings of a server whose data is gone with the run:
// nothing is synced, and there is no InnoDB, which takes seconds and 80 MB to make.
// None of it has a part in who is let in.
var mariaDBKeepsNothing = []string{"--loose-innodb=OFF", "--default-storage-engine=Aria", "--loose-debug-no-sync", "--skip-name-resolve"}

// initialise makes the server's own tables. Its root can log in by a socket only,
// and there will be none. A server that starts removes every temporary table in its
// folder for those, another server's too: each has its own.
func (s *mariaDBServer) initialise(ctx context.Context, server string, user *identity) error {
	program, err := mariaDBInstaller(server)
	if err != nil {
		return err
	}
	args := append([]string{"--no-defaults", "--datadir=" + s.data(), "--tmpdir=" + s.folder, "--skip-test-db", "--auth-root-authentication-method=socket"}, mariaDBKeepsNothing...)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = s.folder
	user.apply(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the tables of a server with %s: %w: %s", program, err, firstError(out))
	}
	return s.writeInitial(user)
}

// firstError is the first line in which a program tells of an error; the last one is
// advice. All of it where there is none.
func firstError(out []byte) string {
	for line := range bytes.Lines(out) {
		if bytes.Contains(line, []byte("ERROR")) {
			return string(bytes.TrimSpace(line))
		}
	}
	return string(bytes.TrimSpace(out))
}

// mariaDBInstaller is the program that makes the tables of a server's program:
// beside it, in the bin or scripts of the same place, or on PATH.
func mariaDBInstaller(server string) (string, error) {
	const name = "mariadb-install-db"
	for _, folder := range []string{".", "../bin", "../scripts"} {
		if found, err := exec.LookPath(filepath.Join(filepath.Dir(server), folder, name)); err == nil {
			return found, nil
		}
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("find what makes the tables of %s: %w", server, err)
	}
	return found, nil
}

// initialFile is what the server runs at each start.
func (s *mariaDBServer) initialFile() string { return filepath.Join(s.folder, "init.sql") }

// writeInitial writes what there is from the start: the login of the administration,
// by what the server keeps of its password, and what a querier asks for.
func (s *mariaDBServer) writeInitial(owner *identity) error {
	file, err := os.OpenFile(s.initialFile(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err == nil {
		once := sha1.Sum([]byte(s.config.AdminPassword))
		_, err = fmt.Fprintf(file, "CREATE USER IF NOT EXISTS '%[1]s' IDENTIFIED BY PASSWORD '*%[2]X';\n"+
			"GRANT ALL ON *.* TO '%[1]s' WITH GRANT OPTION;\n"+
			"CREATE DATABASE IF NOT EXISTS %[3]s;\n"+
			"CREATE TABLE IF NOT EXISTS %[3]s.visits AS SELECT 1 AS visits;\n"+
			"CREATE DATABASE IF NOT EXISTS %[4]s;\n"+
			"CREATE TABLE IF NOT EXISTS %[5]s (hash CHAR(41) PRIMARY KEY, tag VARCHAR(255));\n"+
			"CREATE TABLE IF NOT EXISTS %[6]s (id INT UNSIGNED PRIMARY KEY, who VARCHAR(255), tag VARCHAR(255));\n",
			contract.DatabaseAdmin, sha1.Sum(once[:]), contract.MariaDBDatabase, contract.MariaDBHarness, contract.MariaDBPasswords, contract.MariaDBSessions)
		err = errors.Join(err, owner.give(file), file.Close())
	}
	if err != nil {
		return fmt.Errorf("write the server's first statements: %w", err)
	}
	return nil
}

// run starts the server, on loopback only.
func (s *mariaDBServer) run(program string, user *identity, log *slog.Logger) error {
	port, err := s.findAddress()
	if err != nil {
		return err
	}
	args := append([]string{
		"--no-defaults", "--datadir=" + s.data(), "--tmpdir=" + s.folder, "--init-file=" + s.initialFile(), "--pid-file=" + filepath.Join(s.folder, "pid"),
		"--bind-address=127.0.0.1", "--port=" + port, "--socket=", "--skip-ssl", "--lc-messages=en_US",
		"--max-connections=1000", "--key-buffer-size=1M", "--loose-aria-pagecache-buffer-size=8M", "--performance-schema=OFF",
	}, mariaDBKeepsNothing...)
	s.cmd = exec.Command(program, args...)
	s.cmd.Dir = s.folder
	user.apply(s.cmd)
	return s.start(s.cmd.StderrPipe, func(line string) {
		if strings.Contains(line, "[ERROR]") {
			log.Warn("server", "detail", line)
		}
	})
}

// version asks the server which it is.
func (s *mariaDBServer) version(ctx context.Context) (string, error) {
	config := mysqlConfig(s.address, contract.DatabaseAdmin)
	config.User, config.Passwd = contract.DatabaseAdmin, s.config.AdminPassword
	db, err := openMySQL(config)
	if err != nil {
		return "", err
	}
	var version string
	err = db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version)
	if err = errors.Join(err, db.Close()); err != nil {
		return "", err
	}
	version, _, _ = strings.Cut(version, "-")
	return "mariadb " + version, nil
}

// mysqlConfig is that of connections to a server, at one address and without
// encryption, by a client of some name: one attempt is one connection.
func mysqlConfig(address, application string) *mysql.Config {
	config := mysql.NewConfig()
	config.Net, config.Addr, config.DBName = "tcp", address, contract.MariaDBDatabase
	config.ConnectionAttributes = contract.MariaDBApplication + ":" + application
	config.Timeout, config.Logger = queryDeadline, &mysql.NopLogger{}
	return config
}
