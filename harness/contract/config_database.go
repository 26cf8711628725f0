package contract

const (
	// DatabaseAdmin is the login under which the harness itself makes and takes
	// logins, and the application name of what it does: no load, and no probe.
	DatabaseAdmin = "rehearse-admin"
	// DatabaseTagEnd ends the tag with which a password begins where one user has
	// several, since the database cannot say which of them was presented.
	DatabaseTagEnd = "."
	// DatabasePooled is the tag in the application name of the connections that a
	// pooler makes to its database, NAME/TAG: for whom is told where that logged in
	// at the pooler, so that the database does not count it once more.
	DatabasePooled = "@pooled"
	// LoginRetry is what keeps a pooler from letting anybody in for the time being:
	// the setting by which it does not try to log in again at once where it was refused.
	LoginRetry = "server_login_retry"
)

// Server is what every stand-in is told that runs somebody else's server.
type Server struct {
	// AdminPassword is that of DatabaseAdmin.
	AdminPassword string `json:"admin_password"`
	// Program is the path of the server's executable; empty: it is looked for.
	Program string `json:"program,omitempty"`
	// Folder is the name of the server's folder in the temporary one.
	Folder string `json:"folder"`
}

func (s *Server) server() *Server { return s }

// ServerOf is the server that the stand-in of a configuration runs; nil: it runs none.
func ServerOf(c Config) *Server {
	if runs, ok := c.(interface{ server() *Server }); ok {
		return runs.server()
	}
	return nil
}

// Database is the configuration of the server of a database.
type Database struct {
	// Kind is under which name its stand-in is served: one of server.Kinds.
	Kind string `json:"kind"`
	Name string `json:"name"`
	Server
	// Connections is how many the server has room for beyond those that it keeps
	// for its administration; 0: as many as it has by default. Of those that can be
	// bounded (runbook.Database).
	Connections int `json:"connections,omitempty"`
}

// Serves is its kind.
func (d *Database) Serves() string { return d.Kind }

// PostgresDatabase is the database that consumers of a PostgreSQL server use.
const PostgresDatabase = "postgres"

const (
	// MariaDBDatabase is the database that consumers of a MariaDB server use.
	MariaDBDatabase = "rehearsal"
	// MariaDBApplication is the attribute of a connection in which a client says
	// who it is, NAME/TAG, as an application name does elsewhere.
	MariaDBApplication = "program_name"
	// MariaDBHarness is the database of the harness's own at a MariaDB server, which
	// consumers cannot read. In MariaDBPasswords it writes what the server keeps of each
	// password that it makes (hash) and whose that is (tag); in MariaDBSessions the
	// stand-in adds which session (id) of whom (who) was let in with which (tag).
	MariaDBHarness   = "rehearse"
	MariaDBPasswords = MariaDBHarness + ".passwords"
	MariaDBSessions  = MariaDBHarness + ".sessions"
)

// PgBouncer is the configuration of a PgBouncer in front of a PostgreSQL server.
// Its AdminPassword is that of the server: with it the pooler asks for the
// passwords of others (auth_query), and is asked itself.
type PgBouncer struct {
	Name string `json:"name"`
	Server
	// Database is the base URL of the stand-in that runs the server.
	Database string `json:"database"`
	// AuthQuery has it ask the server for a password at every login; without it it
	// takes those of its auth_file, into which the published ones are written.
	AuthQuery bool `json:"auth_query,omitempty"`
	// Mode is its pool_mode: transaction or session.
	Mode string `json:"mode"`
	// Life is its server_lifetime, LoginRetry its server_login_retry, and QueryWait
	// its query_wait_timeout.
	Life       Duration `json:"life"`
	LoginRetry Duration `json:"login_retry"`
	QueryWait  Duration `json:"query_wait"`
	// Pool is its default_pool_size: connections for each user.
	Pool int `json:"pool"`
	// Published says how it gets the passwords of its auth_file.
	Published
}

// Serves is pgbouncer.
func (*PgBouncer) Serves() string { return "pgbouncer" }

// Querier is the configuration of a consumer of a database.
type Querier struct {
	Name string `json:"name"`
	// Database is the base URL of the stand-in that runs the database; what it
	// speaks is Type, as a page says it.
	Database string `json:"database"`
	Type     string `json:"type"`
	// Life is how long a connection stays in the pool.
	Life Duration `json:"life"`
	// Pool is how many connections it has at most, and from the start.
	Pool int `json:"pool"`
	// SwapsPool makes a whole new pool for a login with another tag, and lets the
	// connections of the one before live until their life is over. Without it there
	// is one pool, whose connections are made anew one by one.
	SwapsPool bool `json:"swaps_pool,omitempty"`
	// Prepares has pgx prepare each statement once on a connection and use it by its
	// name from then on, pgx's own default (QueryExecModeCacheStatement, v5.12);
	// without it every query is described and run by itself (QueryExecModeExec).
	Prepares bool `json:"prepares,omitempty"`
	// Published says how it gets its password.
	Published
}

// Serves is querier.
func (*Querier) Serves() string { return "querier" }
