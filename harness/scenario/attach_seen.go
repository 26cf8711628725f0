package scenario

// Present says how a probe presents a credential to a validator; its texts may use
// {{ .identifier }} and {{ .value }}, which stay in memory. One of DSN, Signed and
// the rest is set.
type Present struct {
	// DSN is that of a server of the page's type: postgres://{{ .identifier }}:{{ .value }}@HOST:PORT/NAME,
	// mysql://, redis://, nats:// or, with the virtual host as NAME, amqp://. By a socket of this machine: ?host=FOLDER
	// of PostgreSQL, ?socket=PATH of MariaDB, unix://USER:PASSWORD@PATH of Redis.
	// What is filled in is quoted for it.
	DSN string `yaml:"dsn,omitempty" json:"dsn,omitempty"`
	// Signed has a delivery signed with the value, in the scheme of the page.
	Signed bool `yaml:"signed,omitempty" json:"signed,omitempty"`
	// Method is that of the request, Path its path at the validator, Headers and
	// Body what it has; default GET, or POST of a signed one.
	Method  string            `yaml:"method,omitempty" json:"method,omitempty"`
	Path    string            `yaml:"path,omitempty" json:"path,omitempty"`
	Headers map[string]string `yaml:"headers,omitempty" json:"headers,omitempty"`
	Body    string            `yaml:"body,omitempty" json:"body,omitempty"`
}

// Decisions says where it is told what became of the credentials that were
// presented: in the log of who checks them, or in the record of who presents them.
type Decisions struct {
	// File is a log on this machine, which is read as it grows; default is the log
	// of the service's container.
	File string `yaml:"file,omitempty" json:"file,omitempty"`
	// Format is that of the log: postgresql, a server with log_connections = on; mariadb,
	// the file of its audit plugin (server_audit); rabbitmq, what a node logs; nats, whose log tells only
	// what users may not do, and redis, which has none, are asked at Server.
	Format string `yaml:"format,omitempty" json:"format,omitempty"`
	// Server is, of format redis, the address at which it is asked, by a user who may
	// CLIENT LIST and ACL LOG; of format rabbitmq that of its management API, http://USER:PASSWORD@HOST:PORT
	// with the tag monitoring, which knows of connections that were made before the run; of format nats
	// that of its monitoring port, http://HOST:8222. It may use {{ .env.NAME }}.
	Server string `yaml:"server,omitempty" json:"server,omitempty"`
	// Accepted and Refused are, where there is no format, regular expressions that
	// match the lines which tell so. Their groups may be identifier, presenter,
	// validator, status and time: when it was decided, as epoch seconds or milliseconds, RFC 3339, or in the common
	// log format; without it that is when the line was read.
	Accepted string `yaml:"accepted,omitempty" json:"accepted,omitempty"`
	Refused  string `yaml:"refused,omitempty" json:"refused,omitempty"`
}

// DecisionFormats are the formats of a log that need no regular expressions.
var DecisionFormats = []string{MariaDBDecisions, NATSDecisions, "postgresql", RabbitMQDecisions, RedisDecisions}

// MariaDBDecisions is the format of the file of MariaDB's audit plugin.
const MariaDBDecisions = "mariadb"

// NATSDecisions is the format of a NATS server, whose monitoring port is asked.
const NATSDecisions = "nats"

// RabbitMQDecisions is the format of what a RabbitMQ node logs.
const RabbitMQDecisions = "rabbitmq"

// RedisDecisions is the format of a server without a log of logins, which is asked.
const RedisDecisions = "redis"
