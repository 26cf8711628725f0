// Package scenario is the rehearsal of a page: services, traffic, faults and
// what is expected; its types and its parsing.
package scenario

import (
	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Kind is what every scenario says at its top, beside runbook.APIVersion.
const Kind = "Scenario"

// GateMode says what a gate that does not hold does.
type GateMode string

// The gate modes.
const (
	Enforce GateMode = "enforce" // stop and roll back
	Observe GateMode = "observe" // record and go on
	Off     GateMode = "off"     // not evaluated
)

// OnBudget says what an exceeded budget (the page's rollback.when) does.
type OnBudget string

// What an exceeded budget does.
const (
	BudgetRollback OnBudget = "rollback"
	BudgetRecord   OnBudget = "record"
)

// Scenario is one rehearsal of a page.
type Scenario struct {
	APIVersion string `yaml:"apiVersion" json:"apiVersion"` // always rehearse/v1
	Kind       string `yaml:"kind" json:"kind"`             // always Scenario
	// Extends is the path of another scenario, to which this one is a merge
	// patch (RFC 7396); relative to this file.
	Extends string `yaml:"extends,omitempty" json:"extends,omitempty"`
	// Description is one line for lists.
	Description string `yaml:"description,omitempty" json:"description,omitempty"`
	// Runbook is the path of the page, relative to the file that says it.
	Runbook string `yaml:"runbook,omitempty" json:"runbook,omitempty"`
	// Override is a merge patch (RFC 7396) on the page.
	Override map[string]any `yaml:"override,omitempty" json:"override,omitempty"`
	Gates    GateMode       `yaml:"gates,omitempty" json:"gates,omitempty"`         // what a gate does that does not hold: enforce (default) stops or takes back, observe notes it, off does not ask
	OnBudget OnBudget       `yaml:"on_budget,omitempty" json:"on_budget,omitempty"` // what a spent budget (rollback.when of the page) does: rollback, the default with enforced gates, or record
	Speed    float64        `yaml:"speed,omitempty" json:"speed,omitempty"`         // by how much the durations of page and libraries are divided: 60 makes an hour a minute; default 1
	Seed     int64          `yaml:"seed,omitempty" json:"seed,omitempty"`           // what chance is drawn by, so that a run can be repeated; default 1
	// Runtime is simulated for what lasts too long to be rehearsed for real: it is
	// rehearsed in virtual time then, unless another is asked for, and among many
	// (rehearse test) always. Default is any.
	Runtime string `yaml:"runtime,omitempty" json:"runtime,omitempty"`
	// Baseline is how long the old credential is watched before anything is
	// changed, in page time; default 5m.
	Baseline runbook.Duration `yaml:"baseline,omitempty" json:"baseline,omitempty"`

	// RollbackFrom is the phase at whose end the rotation is taken back: the way
	// back is what is rehearsed then. Empty: it goes on to its end.
	RollbackFrom string `yaml:"rollback_from,omitempty" json:"rollback_from,omitempty"`
	// Compromised says that the new credential has got into wrong hands, so that
	// a way back does not wait until what was made with it is out of use.
	Compromised bool `yaml:"compromised,omitempty" json:"compromised,omitempty"`
	// Attach names a system that runs already, to be rehearsed in place of one
	// that the run starts.
	Attach *Attach `yaml:"attach,omitempty" json:"attach,omitempty"`

	Services map[string]Service `yaml:"services,omitempty" json:"services,omitempty"` // the parties of the rehearsal by their names, which are those of the page where it has them
	Load     []Client           `yaml:"load,omitempty" json:"load,omitempty"`         // the clients whose requests are counted
	Faults   []Fault            `yaml:"faults,omitempty" json:"faults,omitempty"`     // what is broken on the way, and when
	// Vary are durations of services and clients by their paths, as services.cdn.ttl
	// or load.web.token.life, that are not the same each time: in virtual time each
	// rehearsal draws them anew, by its seed. A real one has them as they are written.
	Vary   map[string]Distribution `yaml:"vary,omitempty" json:"vary,omitempty"`
	Expect *Expect                 `yaml:"expect,omitempty" json:"expect,omitempty"`
}

// Simulated is the Scenario.Runtime of what is rehearsed in virtual time.
const Simulated = "simulated"

// Scale says whether a service's settings were given divided by the speed.
type Scale string

// The scales. Services that rehearse serves itself are full; a team's own is
// none unless it says otherwise.
const (
	ScaleFull Scale = "full"
	ScaleNone Scale = "none"
)

// Service is one party of the rehearsal: a stand-in that rehearse serves, or
// one of a team's own, which is an image, is built, or is a command of this
// machine. Of Serve, Image and Build at most one is set.
type Service struct {
	Serve string `yaml:"serve,omitempty" json:"serve,omitempty"` // which stand-in of rehearse it is, as issuer, verifier, or relay, which hands on a key set and tells who fetched it; without it the service is a team's own, by image, build or command
	// Library is which validator a verifier is: keyfunc, jwx, go-oidc, or another that
	// can be served.
	// Without one it is that of the consumer on the page or, with the runtime
	// simulated, learns and forgets as that says (learns_within, forgets_within).
	Library string `yaml:"library,omitempty" json:"library,omitempty"`
	// Algorithms are those that a verifier takes, one signature algorithm each (RFC
	// 7518 §3.1); default are all that a key set can have. Leeway is how far ahead of its
	// clock it takes a token's iat to be, in wall time; default is the library's, none.
	Algorithms []string         `yaml:"algorithms,omitempty" json:"algorithms,omitempty"`
	Leeway     runbook.Duration `yaml:"leeway,omitempty" json:"leeway,omitempty"`
	// Of is the service whose key set or answers this one takes: a cache's
	// origin, a verifier's key source (default: the page's emitter), a
	// charger's provider, the emitter whose tokens a broker hands on.
	Of string `yaml:"of,omitempty" json:"of,omitempty"`
	// Distribution is how this one gets what is published: jwks, poll, env or
	// file, or in a cluster secret-volume, config-map or secret-env. The default is the
	// page's; of a team's own, what its settings use.
	Distribution string `yaml:"distribution,omitempty" json:"distribution,omitempty"`
	// Delay is how long after the store its file is written, where it has one;
	// default is at once, and of a volume of Kubernetes what a kubelet takes by its
	// defaults, 1m32s. In a cluster the kubelet takes what it takes.
	Delay runbook.Duration `yaml:"delay,omitempty" json:"delay,omitempty"`
	// Refresh is how often it reads what was published for it, in the store or
	// in its file; default is the consumer's on the page, else 30s. TTL is how
	// long a cache keeps an answer.
	Refresh runbook.Duration `yaml:"refresh,omitempty" json:"refresh,omitempty"`
	TTL     runbook.Duration `yaml:"ttl,omitempty" json:"ttl,omitempty"`
	// Pinned makes it keep for good what it found at its start: it does not read
	// again, and nobody starts it anew.
	Pinned bool `yaml:"pinned,omitempty" json:"pinned,omitempty"`
	// Holds is how many secrets a receiver has room for, the emitted one first;
	// 0: all. A database that holds 1 has one login, whose password is changed in
	// place; one whose login has several passwords can have two Users take turns in
	// their place, each with one: 2. Fails is the share of events that it takes for authentic and cannot
	// process: it answers 503, and the sender tries them again.
	Holds int             `yaml:"holds,omitempty" json:"holds,omitempty"`
	Users int             `yaml:"users,omitempty" json:"users,omitempty"` // of a database whose login can have several passwords: 2 users take turns in their place
	Fails runbook.Percent `yaml:"fails,omitempty" json:"fails,omitempty"`
	// Retries is how often a charger tries a charge again that was not made:
	// after a refusal at once, with the key read anew; where there was no good
	// answer after RetryAfter, in page time. Default is not at all.
	Retries    int              `yaml:"retries,omitempty" json:"retries,omitempty"`
	RetryAfter runbook.Duration `yaml:"retry_after,omitempty" json:"retry_after,omitempty"`
	// Idempotency is none for a charger that names no charge, so that a retry is
	// one more. A provider knows a charge by its name within the account
	// (default), within the API key that comes with it (key), or not at all (none).
	Idempotency string `yaml:"idempotency,omitempty" json:"idempotency,omitempty"`
	// ChecksLate is a provider that makes a charge before it sees that the key is
	// disabled. Its Fails is the share of charges that it makes and answers 504.
	ChecksLate bool `yaml:"checks_late,omitempty" json:"checks_late,omitempty"`
	// Lag is how long a provider goes on taking a key after it was disabled, in
	// page time. Taken is how many of its slots for keys others have.
	Lag   runbook.Duration `yaml:"lag,omitempty" json:"lag,omitempty"`
	Taken int              `yaml:"taken,omitempty" json:"taken,omitempty"`
	// Call is how consumers of a team's own call a provider, and where a receiver of
	// a team's own takes deliveries.
	Call *Called `yaml:"call,omitempty" json:"call,omitempty"`
	// Lockout is when a provider takes refusals for guessing.
	Lockout *Lockout `yaml:"lockout,omitempty" json:"lockout,omitempty"`

	// Life is how long a querier keeps a connection; default is the page's
	// format.longest_life. Of a pooler it is that of its connections to the database
	// (server_lifetime); default is 1h. KeepsSessions makes a revoke leave the sessions of a
	// database alone: nobody new can log in, and who is in stays in.
	Life          runbook.Duration `yaml:"life,omitempty" json:"life,omitempty"`
	KeepsSessions bool             `yaml:"keeps_sessions,omitempty" json:"keeps_sessions,omitempty"`
	// Pool is how many connections a querier has at most, and from the start;
	// default is 10. Of a pooler it is how many it has for each user; default is 20.
	Pool int `yaml:"pool,omitempty" json:"pool,omitempty"`
	// SwapsPool makes a querier build a whole new pool for a new
	// login, and leave the connections of the old one alone until their life is
	// over; without it each connection takes the login of the moment in which it is
	// made anew (pgxpool's BeforeConnect, a driver.Connector), and there are those of one pool only.
	SwapsPool bool `yaml:"swaps_pool,omitempty" json:"swaps_pool,omitempty"`
	// Prepares has a querier of PostgreSQL use statements that it prepared on its
	// connection before, by their names, as pgx does by default.
	Prepares bool `yaml:"prepares,omitempty" json:"prepares,omitempty"`
	// AuthQuery has a pooler ask its database for passwords at each login; without
	// it, it has them in a file (auth_file), into which what is published is written
	// at each refresh, and which it then reads anew. Pooling is its pool_mode:
	// session (default) or transaction. LoginRetry is for how long it lets nobody in
	// after the database refused it, in page time; default is 15s.
	AuthQuery  bool             `yaml:"auth_query,omitempty" json:"auth_query,omitempty"`
	Pooling    string           `yaml:"pooling,omitempty" json:"pooling,omitempty"`
	LoginRetry runbook.Duration `yaml:"login_retry,omitempty" json:"login_retry,omitempty"`
	// Connections is how many a PostgreSQL database has room for, beyond those
	// that are kept for superusers: max_connections less
	// superuser_reserved_connections, 3 (PostgreSQL, 20.3.1); default is 200. It
	// refuses more with SQLSTATE 53300. Those of the rehearsal's own probes count.
	Connections int `yaml:"connections,omitempty" json:"connections,omitempty"`
	// RotatedBy says who changes the one password of a database that holds 1: the
	// rotation itself, or vault: its database secrets engine (a static role).
	RotatedBy string `yaml:"rotated_by,omitempty" json:"rotated_by,omitempty"`

	Image string `yaml:"image,omitempty" json:"image,omitempty"` // an image of a team's own, as acme/orders:1.4
	Build *Build `yaml:"build,omitempty" json:"build,omitempty"`
	// Command is what an image is to run in place of its own command, or, without
	// an image, a program of this machine, in the folder of the scenario.
	Command []string `yaml:"command,omitempty" json:"command,omitempty"`
	// Init are commands that run before it, one after the other, each to its end and with exit
	// status 0, at every start of it, with its image, environment and files, as the init
	// containers of a pod do.
	Init [][]string `yaml:"init,omitempty" json:"init,omitempty"`
	// Entrypoint is what runs in place of the image's own, before the command. User is as
	// whom it runs, a name or a number, and in a cluster a number.
	Entrypoint []string `yaml:"entrypoint,omitempty" json:"entrypoint,omitempty"`
	User       string   `yaml:"user,omitempty" json:"user,omitempty"`
	// EnvFile are files of variables, NAME=value a line, relative to the file that says
	// it. What is said later counts, and Environment before all of them.
	EnvFile []string `yaml:"env_file,omitempty" json:"env_file,omitempty"`
	// Volumes are files and folders that a container has a copy of, as FROM:TO, from a
	// path relative to the file that says it, to one of the image: what it writes there
	// changes nothing of a team's own.
	Volumes []string `yaml:"volumes,omitempty" json:"volumes,omitempty"`
	// Environment and Files, by their paths in the image, may use {{ .NAME.url }},
	// .host and .port of any service, {{ .store.url }}, .path and .token, parts of
	// the secret ({{ .secret.value }}, .identifier, .user, .values, .other.value,
	// .json, .file), {{ .files.NAME }}, the path of one of its files, and
	// {{ .scaled.10m.ms }} or .s: a duration of the page as it is at the speed of
	// the rehearsal. A function may follow: {{ .secret.value | urlquery }}. Files
	// with the secret are written anew whenever that changes; of a command of this
	// machine files lie in a folder of the run.
	Environment map[string]string `yaml:"environment,omitempty" json:"environment,omitempty"`
	Files       map[string]string `yaml:"files,omitempty" json:"files,omitempty"`
	Ports       []int             `yaml:"ports,omitempty" json:"ports,omitempty"` // those on which it listens in its container; the first is where it is called
	// HTTPS says that it speaks TLS where it is called, with a certificate of the rehearsal.
	// A stand-in has one; of a service of a team's own, which speaks it at the first of its
	// ports or at {{ .NAME.port }}, settings have it: {{ .tls.certificate }}, .key and, to check callers and
	// other services by, .ca, each as PEM. Whoever calls it has a certificate of that CA too.
	HTTPS bool `yaml:"https,omitempty" json:"https,omitempty"`
	// Count is how many alike there are of a verifier, a checker, a receiver or a cache, each with
	// what it fetched or read itself, behind one address; default 1. More than one can be simulated only.
	Count int `yaml:"count,omitempty" json:"count,omitempty"`
	// Rollout is how long it takes, in page time, until all of it that runs behind its address has
	// what is published, where that is brought: with distribution env or secret-env it is started anew in so many Batches,
	// one after the other and evenly apart, and otherwise its files are written so. Default is at once, or
	// after Delay. It can be simulated only.
	Rollout runbook.Duration `yaml:"rollout,omitempty" json:"rollout,omitempty"`
	Batches int              `yaml:"batches,omitempty" json:"batches,omitempty"` // in how many parts it is rolled out; default 10
	// Replicas is how many of it run behind its address, which gives each request to the
	// next of them; default 1. A command has its port by {{ .NAME.port }} then. What is
	// restarted for its environment is, one replica after the other.
	Replicas int `yaml:"replicas,omitempty" json:"replicas,omitempty"`
	// Healthcheck is a path that answers with success once it can be used, as /healthz, or
	// :9090/healthz at another of its ports, by HTTP there; default is that its port accepts
	// connections.
	Healthcheck string   `yaml:"healthcheck,omitempty" json:"healthcheck,omitempty"`
	Reload      *Reload  `yaml:"reload,omitempty" json:"reload,omitempty"`
	Refusal     *Refusal `yaml:"refusal,omitempty" json:"refusal,omitempty"`
	// Agent is how its own requests begin their User-Agent: by it processes are
	// told apart, which have no addresses of their own.
	Agent string `yaml:"agent,omitempty" json:"agent,omitempty"`
	// NewPrivileges lets it gain rights in its container that it was not started
	// with, as setuid programs do (sudo, ping); without it none can.
	NewPrivileges bool  `yaml:"new_privileges,omitempty" json:"new_privileges,omitempty"`
	Scale         Scale `yaml:"scale,omitempty" json:"scale,omitempty"` // whether its settings are given divided by the speed: full, or none (default for a team's own), which allows no speed but 1
}

// Called is how a service of the rehearsal is called by one of a team's own, or the
// other way round, where that is not as stand-ins do it.
type Called struct {
	Method string `yaml:"method,omitempty" json:"method,omitempty"` // of the call, as PUT; default POST
	Path   string `yaml:"path" json:"path"`                         // where it is called, as /v1/charges
	// Header is the one that has the key: X-Api-Key, or with a word before the key
	// "Authorization: Token"; default "Authorization: Bearer". With Basic the key is
	// the user, or the password of nobody.
	Header string `yaml:"header,omitempty" json:"header,omitempty"`
	// Answers is the status of a call that was taken, default 201; Refuses that of
	// one whose key was refused, default 401.
	Answers int `yaml:"answers,omitempty" json:"answers,omitempty"`
	Refuses int `yaml:"refuses,omitempty" json:"refuses,omitempty"`
}

// Lockout is a provider's policy against guessing: After refused calls Within a
// time its account is locked For another, and every key is refused, right ones
// too. Within is the same at any speed, as rates are; For is page time.
type Lockout struct {
	After  int              `yaml:"after" json:"after"`   // how many refused calls lock the account, as 20
	Within runbook.Duration `yaml:"within" json:"within"` // the wall time in which they come, as 10s
	For    runbook.Duration `yaml:"for" json:"for"`       // how long it stays locked, in page time, as 15m
}

// Client is a stream of load.
type Client struct {
	Client string `yaml:"client" json:"client"`             // its name, as web
	To     string `yaml:"to,omitempty" json:"to,omitempty"` // the service that it calls
	// Targets are several that it calls, in place of To, Endpoint and Request: each has its
	// share of the rate, and is reported by the client's name and its own, as web-checkout.
	Targets []Target `yaml:"targets,omitempty" json:"targets,omitempty"`
	// Endpoint is the receiver to which a sender delivers what this client tells it.
	Endpoint string `yaml:"endpoint,omitempty" json:"endpoint,omitempty"`
	Rate     Rate   `yaml:"rate" json:"rate"`
	// From and Until are when it begins and when it ends: a phase, with an optional
	// distance in page time; default from the start to the end.
	From  *Moment `yaml:"from,omitempty" json:"from,omitempty"`
	Until *Moment `yaml:"until,omitempty" json:"until,omitempty"`
	// Steps change its rate meanwhile, in order.
	Steps    []RateStep `yaml:"steps,omitempty" json:"steps,omitempty"`
	Sessions int        `yaml:"sessions,omitempty" json:"sessions,omitempty"` // how many sessions it has, each with a token of its own; default 1
	// Count is how many alike there are of this client, each with that rate and so many
	// sessions; default 1. More than one can be simulated only.
	Count   int     `yaml:"count,omitempty" json:"count,omitempty"`
	Token   *Token  `yaml:"token,omitempty" json:"token,omitempty"`
	Request Request `yaml:"request,omitempty" json:"request,omitempty"`
	// Timeout is for how long it waits for an answer, in wall time; default 5s.
	Timeout runbook.Duration `yaml:"timeout,omitempty" json:"timeout,omitempty"`
}

// OnRefusal is what a client does when its token is refused.
type OnRefusal string

// What a client does when its token is refused.
const (
	Keep  OnRefusal = "keep"  // goes on with the token that it has
	Renew OnRefusal = "renew" // fetches a new token and tries once more
)

// Token says how a client gets and keeps its tokens.
type Token struct {
	From      string           `yaml:"from,omitempty" json:"from,omitempty"`             // the service that issues it; default is the emitter of the page
	Life      runbook.Duration `yaml:"life,omitempty" json:"life,omitempty"`             // how long it is valid, in page time; default is format.longest_life of the page
	RenewAt   float64          `yaml:"renew_at,omitempty" json:"renew_at,omitempty"`     // the share of its life after which a new one is fetched; default 0.8
	OnRefusal OnRefusal        `yaml:"on_refusal,omitempty" json:"on_refusal,omitempty"` // what follows a refusal: keep (default) goes on with it, renew fetches a new one and tries once more
	// Issuer and Audience are the iss and aud that the token has, where a
	// stand-in signs it; default: its address, and rehearse.
	Issuer   string `yaml:"iss,omitempty" json:"iss,omitempty"`
	Audience string `yaml:"aud,omitempty" json:"aud,omitempty"`
	// Claims are others that such a token has: scope, roles, azp.
	Claims map[string]any `yaml:"claims,omitempty" json:"claims,omitempty"`
	// How the token endpoint of an issuer of a team's own is asked; without any of it
	// as a stand-in's is. Its texts may use {{ .NAME.url }} of a service, and {{ .env.NAME }}, a variable of
	// the shell.
	contract.TokenCall `yaml:",inline"`
	// File holds a token or another credential that stays the same, relative to
	// the file that says it; then nothing is fetched.
	File string `yaml:"file,omitempty" json:"file,omitempty"`
	// Header is the one in which it is presented as it is, X-Token, behind a word,
	// "Authorization: Token", or as a cookie, "Cookie: session="; default is "Authorization: Bearer".
	Header string `yaml:"header,omitempty" json:"header,omitempty"`
}

// Request is what a client sends; default GET /.
type Request struct {
	Method  string            `yaml:"method,omitempty" json:"method,omitempty"`   // as POST; default GET
	Path    string            `yaml:"path,omitempty" json:"path,omitempty"`       // as /orders?limit=1; default /
	Headers map[string]string `yaml:"headers,omitempty" json:"headers,omitempty"` // those of the request, as {Accept: application/json}
	Body    string            `yaml:"body,omitempty" json:"body,omitempty"`       // what is sent; of a gRPC call the bytes of its message in base64
	// Protocol is what the service speaks where that is not HTTP/1.1: http2, or grpc, a unary
	// call of path /PACKAGE.SERVICE/METHOD. Each gRPC status is told as the HTTP status that
	// gRPC has for it: UNAUTHENTICATED as 401, PERMISSION_DENIED as 403.
	Protocol string `yaml:"protocol,omitempty" json:"protocol,omitempty"`
}

// Fault is a disturbance between or at services.
type Fault struct {
	Kind string `yaml:"kind" json:"kind"`                     // which disturbance, by its name in `rehearse faults`
	On   string `yaml:"on,omitempty" json:"on,omitempty"`     // the service to which it is done; of an edge from and to are said in its place
	From string `yaml:"from,omitempty" json:"from,omitempty"` // the service at which the edge begins
	To   string `yaml:"to,omitempty" json:"to,omitempty"`     // the service, or store, at which the edge ends
	// At is when: a phase, with an optional distance in page time: accept+10s.
	At  Moment           `yaml:"at" json:"at"`
	For runbook.Duration `yaml:"for,omitempty" json:"for,omitempty"` // how long it is in effect, in page time; default is to the end
	// Latency is what kind latency adds to every answer, in wall time.
	Latency runbook.Duration `yaml:"latency,omitempty" json:"latency,omitempty"`
	// Answer is what kind jwks makes of the key set: a status, 503-empty, empty, garbage.
	Answer string `yaml:"answer,omitempty" json:"answer,omitempty"`
	// By is what kind stuck-rollout is stuck by: paused, image, node.
	By string `yaml:"by,omitempty" json:"by,omitempty"`
	// Limit is how many requests kind jwks leaves alone, as a rate, and at first
	// as many at once as in a second; only those beyond it get the answer.
	Limit Rate `yaml:"limit,omitempty" json:"limit,omitempty"`
	// TTL is how long kind cache keeps an answer, in page time.
	TTL runbook.Duration `yaml:"ttl,omitempty" json:"ttl,omitempty"`
	// Shift is how far kind clock puts a clock ahead, or with a minus behind, in wall time.
	Shift Shift `yaml:"shift,omitempty" json:"shift,omitempty"`
	// Every is how often kind garbage-kids shows one, in page time.
	Every runbook.Duration `yaml:"every,omitempty" json:"every,omitempty"`
}

// Expect is what a scenario expects of its own result: what rehearse test
// holds it against. The judge never sees it.
type Expect struct {
	Verdict string `yaml:"verdict" json:"verdict"` // what the run must come to: pass, fail or inconclusive
	// Findings is the exact set of findings of level error, unless Extra says allow.
	Findings []ExpectedFinding `yaml:"findings,omitempty" json:"findings,omitempty"`
	Extra    string            `yaml:"extra,omitempty" json:"extra,omitempty"` // allow takes findings beside those that are listed; without it they are the exact set
}

// ExpectedFinding matches a finding in all fields that are not empty.
type ExpectedFinding struct {
	RuleID     string `yaml:"ruleId" json:"ruleId"`                               // the rule that is broken, as auth-failures-flat
	Consumer   string `yaml:"consumer,omitempty" json:"consumer,omitempty"`       // the party to look at
	Presenter  string `yaml:"presenter,omitempty" json:"presenter,omitempty"`     // whose credential was refused
	Validator  string `yaml:"validator,omitempty" json:"validator,omitempty"`     // who refused it
	Credential string `yaml:"credential,omitempty" json:"credential,omitempty"`   // k1, the old one, or k2, the new one
	CausedBy   string `yaml:"caused_by,omitempty" json:"caused_by,omitempty"`     // the step, phase or fault that it began with, as emit
	Cause      string `yaml:"cause,omitempty" json:"cause,omitempty"`             // the mechanism, as stale-cache
	FirstPhase string `yaml:"first_phase,omitempty" json:"first_phase,omitempty"` // the phase in which it was first seen
}

// The Service.Pooling of a pooler: a connection to the database belongs to a client
// for as long as that is connected, or for a transaction.
const (
	SessionPooling     = "session"
	TransactionPooling = "transaction"
)

// Poolings are those.
var Poolings = []string{SessionPooling, TransactionPooling}

// RotatedByVault is the Service.RotatedBy that needs a real Vault as the store.
const RotatedByVault = "vault"
