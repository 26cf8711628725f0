package database

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/rehearse-dev/rehearse/harness/server"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// redisServer is a server that runs as a child.
type redisServer struct {
	child
	config contract.Database
}

// aclFile is where the server keeps its users.
const aclFile = "users.acl"

// startRedis starts a server, with the users that are in its folder already or
// else with that of the administration alone.
func startRedis(c contract.Database, log *slog.Logger) (*redisServer, error) {
	s := &redisServer{config: c}
	return s, s.raise("redis", c.Program, c.Folder, func(program string, user *identity) error {
		if err := s.users(user); err != nil {
			return err
		}
		port, err := s.findAddress()
		if err != nil {
			return err
		}
		s.cmd = exec.Command(program, "-")            // its configuration is what it reads
		s.cmd.Args[0] = server.Programs["redis"].Name // Debian's is several programs, by the name that it is called by
		s.cmd.Stdin = strings.NewReader(s.settings(port))
		s.cmd.Dir = s.folder
		user.apply(s.cmd)
		return s.start(s.cmd.StdoutPipe, func(line string) {
			if strings.Contains(line, " # ") && strings.Contains(line, "rror") {
				log.Warn("server", "detail", line)
			}
		})
	})
}

// users writes the file of users, unless there is one already: one that was
// killed goes on with what it had. It holds hashes of passwords.
func (s *redisServer) users(owner *identity) error {
	file, err := os.OpenFile(filepath.Join(s.folder, aclFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err == nil {
		hash := sha256.Sum256([]byte(s.config.AdminPassword))
		_, err = fmt.Fprintf(file, "user default off\nuser %s on #%x ~* &* +@all\n", contract.DatabaseAdmin, hash)
		err = errors.Join(err, owner.give(file), file.Close())
	}
	if err != nil {
		return fmt.Errorf("write the server's users: %w", err)
	}
	return nil
}

// settings are the server's. Nothing but its users is kept.
func (s *redisServer) settings(port string) string {
	return strings.Join([]string{
		"bind 127.0.0.1", "port " + port, "protected-mode yes", `save ""`, "appendonly no",
		"dir " + s.folder, "aclfile " + filepath.Join(s.folder, aclFile), "loglevel notice", "",
	}, "\n")
}

// quiet keeps the library from writing of its own accord: what matters of a
// connection is told where it was tried.
var quiet = sync.OnceFunc(func() { redis.SetLogger(silence{}) })

type silence struct{}

// Printf writes nothing.
func (silence) Printf(context.Context, string, ...any) {}

// version asks the server which it is.
func (s *redisServer) version(ctx context.Context) (string, error) {
	quiet()
	client := redis.NewClient(&redis.Options{
		Addr: s.address, ClientName: contract.DatabaseAdmin, Username: contract.DatabaseAdmin, Password: s.config.AdminPassword,
		PoolSize: 1, MaxRetries: -1, DisableIdentity: true,
	})
	info, err := client.Info(ctx, "server").Result()
	if err = errors.Join(err, client.Close()); err != nil {
		return "", err
	}
	for line := range strings.Lines(info) {
		if version, found := strings.CutPrefix(line, "redis_version:"); found {
			return "redis " + strings.TrimSpace(version), nil
		}
	}
	return "", io.ErrUnexpectedEOF
}
