package database

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// bookWithin bounds one query of these tables.
const bookWithin = 2 * time.Second

// mariaDBSessions reads the tables that the harness keeps at a server: of the passwords that it
// made (contract.MariaDBPasswords), and who was let in with which, as the stand-in adds
// (contract.MariaDBSessions). The server itself tells nobody which of the passwords of
// a user it was shown, and a client need not say.
type mariaDBSessions struct {
	db *sql.DB

	mu    sync.Mutex
	known map[[sha1.Size]byte]string // tags by what the server keeps of a password
}

// openMariaDBSessions opens them with the login of the server's administrator.
func openMariaDBSessions(address, password string) (*mariaDBSessions, error) {
	config := mysqlConfig(address, contract.DatabaseAdmin)
	config.User, config.Passwd, config.DBName = contract.DatabaseAdmin, password, ""
	config.InterpolateParams = true
	db, err := openMySQL(config)
	return &mariaDBSessions{db: db, known: map[[sha1.Size]byte]string{}}, err
}

// whose is the tag of the password that a client has shown that it knows; "" where
// the harness has made no such password.
func (b *mariaDBSessions) whose(salt, response []byte) (tag string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if tag = b.match(salt, response); tag != "" || len(response) != sha1.Size {
		return tag, nil
	}
	if err := b.read(); err != nil {
		return "", fmt.Errorf("read whose passwords there are: %w", err)
	}
	return b.match(salt, response), nil
}

// match tries all that are known; b.mu is held.
func (b *mariaDBSessions) match(salt, response []byte) string {
	for stored, tag := range b.known {
		if shows(salt, response, stored) {
			return tag
		}
	}
	return ""
}

// shows reports whether an answer to a salt is that of who knows a password (MariaDB,
// Authentication Plugin - mysql_native_password): SHA1(password) under a pad that is made of
// the salt and of what the server keeps, SHA1(SHA1(password)).
func shows(salt, response []byte, stored [sha1.Size]byte) bool {
	if len(response) != sha1.Size {
		return false
	}
	pad := sha1.Sum(append(bytes.Clone(salt), stored[:]...))
	once := make([]byte, sha1.Size)
	subtle.XORBytes(once, response, pad[:])
	return sha1.Sum(once) == stored
}

// read reads them all anew; b.mu is held.
func (b *mariaDBSessions) read() error {
	ctx, cancel := context.WithTimeout(context.Background(), bookWithin)
	defer cancel()
	rows, err := b.db.QueryContext(ctx, "SELECT hash, tag FROM "+contract.MariaDBPasswords)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var hash, tag string
		if err := rows.Scan(&hash, &tag); err != nil {
			return err
		}
		stored, err := hex.DecodeString(strings.TrimPrefix(hash, "*"))
		if err != nil || len(stored) != sha1.Size {
			return errors.New("one is no hash of a password")
		}
		b.known[[sha1.Size]byte(stored)] = tag
	}
	return rows.Err()
}

// enter writes down with which password a session was let in.
func (b *mariaDBSessions) enter(session uint32, login *login) error {
	ctx, cancel := context.WithTimeout(context.Background(), bookWithin)
	defer cancel()
	_, err := b.db.ExecContext(ctx, "REPLACE INTO "+contract.MariaDBSessions+" VALUES (?, ?, ?)", session, login.presenter, login.identifier)
	if err != nil {
		return fmt.Errorf("write down who was let in: %w", err)
	}
	return nil
}

func (b *mariaDBSessions) close() error { return b.db.Close() }
