package refusal

import (
	"slices"
	"strconv"
	"strings"
)

// The statuses of attempts, as they are counted, whose meaning is told from by more than the
// outcome: of PostgreSQL (SQLSTATE, Appendix A), MariaDB (error number) and Redis (the first
// word of an error).
var (
	// noRoom: there is no room for one more connection, of anybody or of this user
	// (too_many_connections; ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED; RabbitMQ's limit of a user or a virtual host;
	// those of a NATS server and of its accounts).
	noRoom = []string{"53300", PostgresRoleFull, "1040", "1203", "1226", "530 connection limit", "maximum connections exceeded", "maximum account active connections exceeded"}
	// ownLimit: of those, the limit is one of the user alone, whatever room the server has (CONNECTION LIMIT of a role,
	// MAX_USER_CONNECTIONS of an account, max-connections of a user of RabbitMQ, which may be of its virtual host).
	ownLimit = []string{PostgresRoleFull, "1203", "1226", "530 connection limit"}
	// wrongValue: the user is known, and the password is not its own (invalid_password;
	// ER_ACCESS_DENIED_ERROR).
	wrongValue = []string{"28P01", "1045", "WRONGPASS"}
	// lacksRight: the password is right, and what is asked for is not allowed (insufficient_privilege, as after
	// REVOKE CONNECT; ER_DBACCESS_DENIED_ERROR; Redis's ACL; RabbitMQ's NOT_ALLOWED, of a virtual host; NATS).
	lacksRight = []string{"42501", "1044", "NOPERM", "530", "permissions violation"}
	// success: what succeeded (successful_completion; Redis's answer).
	success = []string{"00000", "OK", "ok"}
)

// NoRoom reports whether a status is that of a server that had no room for another
// connection: no password had a part in it.
func NoRoom(status string) bool { return slices.Contains(noRoom, status) }

// PostgresRoleFull is the status of a role that has as many connections as it may have, which shares its code with a
// server that has no room for anybody.
const PostgresRoleFull = "53300 role limit"

// OwnLimit reports whether a status is that of a user who may have no more connections, while the server has room for
// others.
func OwnLimit(status string) bool { return slices.Contains(ownLimit, status) }

// WrongValue reports whether a status says that a user is known and what it showed as its
// password is not.
func WrongValue(status string) bool { return slices.Contains(wrongValue, status) }

// LacksRight reports whether a database's status is that of a login whose password it took, and which it
// denied what it asked for.
func LacksRight(status string) bool { return slices.Contains(lacksRight, status) }

// Succeeded reports whether a status is one of success: an HTTP status below 400, or a
// database's own.
func Succeeded(status string) bool {
	code, err := strconv.Atoi(status)
	return slices.Contains(success, status) || err == nil && len(status) == 3 && !strings.HasPrefix(status, "0") && code < 400
}

// Hint says where to look first for why a database refuses a login, by its status; "" where that does not tell.
func Hint(status string) string {
	switch status {
	case "28P01":
		return "28P01: the password is not the one that it has, or that one has run out (VALID UNTIL), or is kept as md5 where pg_hba.conf asks for scram-sha-256"
	case "28000":
		return "28000: it is not let in before a password is asked for: the order of pg_hba.conf, or a role with NOLOGIN"
	case "1045":
		return "1045: the password is another, or no account of this user is for the host that it comes from (USER@HOST)"
	case "4151":
		return "4151: the account is locked"
	}
	return ""
}
