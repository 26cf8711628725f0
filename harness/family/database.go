package family

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/protocol"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// databasePassword is the family of the passwords with which services log in to
// a database. The database is the authority, and a real one: what a rotation
// does there it does as a team would, by its own commands.
type databasePassword struct{}

var _ Family = databasePassword{}

// Configure makes a password for the administration of every database, and
// tells queriers where to log in and for how long to keep a connection.
func (databasePassword) Configure(p *plan.Plan) error {
	for i := range p.Services {
		s := &p.Services[i]
		if _, ok := databaseServers[s.Serve]; ok {
			s.Config = &contract.Database{Kind: s.Serve, Name: s.Name, Server: newServer(), Connections: s.Connections}
		}
		switch s.Serve {
		case "pgbouncer":
			s.Config = &contract.PgBouncer{
				Name: s.Name, Server: newServer(), Database: contract.AddressOf(s.Of), AuthQuery: s.AuthQuery, Mode: s.Pooling, Pool: s.Pool,
				Life: contract.Duration(p.Wall(s.Life.Duration())), LoginRetry: contract.Duration(p.Wall(s.LoginRetry.Duration())),
				QueryWait: contract.Duration(p.Wall(plan.PoolerQueryWait.Duration())),
			}
			if s.Reads {
				s.Config.(*contract.PgBouncer).Published = readsOf(p, s)
			}
		case "querier":
			s.Config = &contract.Querier{
				Name: s.Name, Database: contract.AddressOf(s.Of), Type: p.Runbook.Format.Type,
				Life: contract.Duration(p.Wall(s.Life.Duration())), Pool: s.Pool, SwapsPool: s.SwapsPool, Prepares: s.Prepares, Published: readsOf(p, s),
			}
		}
	}
	for i := range p.Services { // a pooler administers its database with the password of that
		if pooler, ok := p.Services[i].Config.(*contract.PgBouncer); ok {
			for _, s := range p.Services {
				if at := contract.ServerOf(s.Config); s.Name == p.Services[i].Of && at != nil {
					pooler.AdminPassword = at.AdminPassword
				}
			}
		}
	}
	return nil
}

// newServer is a server with a password for its administration, and a folder that
// no other has.
func newServer() contract.Server {
	return contract.Server{AdminPassword: rand.Text(), Folder: "rehearse-" + strings.ToLower(rand.Text()[:12])}
}

// databaseServer makes what a rotation does at a database of a kind. What that is
// able to do is in runbook.Databases.
type databaseServer func(b Backend, d *databaseBound, s plan.Service, password string) database

// databaseServers are those that there are, by the kind of stand-in: a new one is a
// file and its line here.
var databaseServers = map[string]databaseServer{"mariadb": bindMariaDB, "postgres": bindPostgres, "redis": bindRedis}

// loginPoint takes logins: a database, or a pooler in front of it.
type loginPoint interface {
	// login makes a new connection. The status is the database's own; a refusal
	// is an outcome and no error.
	login(ctx context.Context, c credential, application string) (databaseSession, loginResult, error)
}

// database is what a rotation does at one database, and what a probe asks it.
// Its errors never hold a password.
type database interface {
	loginPoint
	// do takes a step. Each is safe to repeat.
	do(ctx context.Context, step keyring.Step, c credential) error
	// enabled are the credentials that can log in, by their tags.
	enabled(ctx context.Context) ([]string, error)
}

// loginResult is what became of an attempt to log in.
type loginResult struct {
	outcome history.Outcome
	status  string
}

// databaseSession is a connection that was let in.
type databaseSession interface {
	// works reports whether it is still served.
	works(ctx context.Context) bool
	close(ctx context.Context)
}

// Bind makes the family's steps on the store and the databases, and probes that
// log in as a querier does.
func (databasePassword) Bind(b Backend) Binding {
	d := &databaseBound{
		plan: b.Plan, url: func(service string) string { return b.URL(service, false) }, control: b.Control,
		databases: map[string]database{}, poolers: map[string]loginPoint{}, held: map[string]databaseSession{},
	}
	authorities := Authorities(b.Plan)
	asked, _ := runbook.DatabaseOf(b.Plan.Runbook.Format.Type)
	kind := databaseKind{page: databaseName(b.Plan.Runbook.Scope.Name), tagged: asked.SeveralPasswords}
	for _, s := range b.Plan.Services {
		if slices.Contains(authorities, s.Name) {
			kind.single = kind.single || s.Holds == 1
			kind.tagged = kind.tagged && asked.OneLogin(s.Holds, s.Users)
		}
	}
	d.kind, d.steps = kind, newSteps(kind, b, d.administer)
	d.steps.lists = d.enabled
	for _, s := range b.Plan.Services {
		switch {
		case s.Serve == "querier":
			d.queriers = append(d.queriers, s.Name)
		case slices.Contains(runbook.Traits[b.Plan.Runbook.Scope.Family].Poolers, s.Serve):
			d.poolers[s.Name] = &postgres{url: func() string { return b.URL(s.Name, false) }, kind: kind, pooled: true}
		}
		if !slices.Contains(authorities, s.Name) {
			continue
		}
		password := ""
		if server := contract.ServerOf(s.Config); server != nil {
			password = server.AdminPassword
		}
		d.passwords = append(d.passwords, password)
		d.databases[s.Name] = databaseServers[s.Serve](b, d, s, password)
	}
	return d
}

// databaseKind makes logins. Its entries are what fakes.ServeQuerier reads: the
// tag, which is the credential's name in the run, with a user and a password.
type databaseKind struct {
	page   string // the page's name as an identifier
	single bool   // one user for all, whose password is changed in place
	tagged bool   // one user for all with several passwords, which say themselves whose they are
}

var _ kind = databaseKind{}

// databaseName is a name as an identifier of a database, that needs no quotes.
func databaseName(name string) string { return strings.ReplaceAll(name, "-", "_") }

// user is that of a credential.
func (k databaseKind) user(tag string) string {
	if k.single || k.tagged {
		return k.page + "_login"
	}
	return k.page + "_" + tag
}

func (k databaseKind) generate(name string) (map[string]any, error) {
	// Text is at least 128 bits, in letters that no client has trouble with.
	password := rand.Text()
	if k.tagged {
		password = name + contract.DatabaseTagEnd + password
	}
	return map[string]any{"tag": name, "user": k.user(name), "password": password}, nil
}

func (databaseKind) parse(entry map[string]any) (credential, error) {
	tag, _ := entry["tag"].(string)
	user, _ := entry["user"].(string)
	password, _ := entry["password"].(string)
	if tag == "" || user == "" || password == "" {
		return credential{}, errors.New("it is not a tag with a user and a password")
	}
	return credential{identifier: tag, entry: entry, values: []string{password}}, nil
}

// databaseBound is the family with a world behind it.
type databaseBound struct {
	*steps
	kind      databaseKind
	plan      *plan.Plan
	databases map[string]database
	poolers   map[string]loginPoint
	passwords []string // of their administration
	queriers  []string
	url       func(service string) string
	control   string // the token of the run's stand-ins

	mu   sync.Mutex
	held map[string]databaseSession // by database and credential
}

// Also is the user of a credential, where each has its own.
func (d *databaseBound) Also(identifier string) string {
	if d.kind.single || d.kind.tagged {
		return ""
	}
	return d.kind.user(identifier)
}

// administer takes a step at every database.
func (d *databaseBound) administer(ctx context.Context, step keyring.Step, c credential) error {
	for _, name := range slices.Sorted(maps.Keys(d.databases)) {
		if err := d.databases[name].do(ctx, step, c); err != nil {
			return fmt.Errorf("%s %s at %s: %w", step, c.identifier, name, err)
		}
	}
	return nil
}

// enabled are the credentials that each database lets log in, by their tags.
func (d *databaseBound) enabled(ctx context.Context) (map[string][]string, error) {
	lists := map[string][]string{}
	for name, at := range d.databases {
		tags, err := at.enabled(ctx)
		if err != nil {
			return nil, fmt.Errorf("list who may log in at %s: %w", name, err)
		}
		lists[name] = tags
	}
	return lists, nil
}

// Secrets are the passwords, those of the administration too.
func (d *databaseBound) Secrets() []string {
	values := append(d.steps.Secrets(), d.passwords...)
	slices.Sort(values)
	return slices.Compact(values)
}

var (
	_ world.Probes   = (*databaseBound)(nil)
	_ world.Renewer  = (*databaseBound)(nil)
	_ world.Sessions = (*databaseBound)(nil)
	_ Closer         = (*databaseBound)(nil)
)

// Sessions asks every database that can tell.
func (d *databaseBound) Sessions(ctx context.Context, name string) (map[string]int64, error) {
	c, err := d.lookup(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("count sessions of %s: %w", name, err)
	}
	all := map[string]int64{}
	for at, db := range d.databases {
		own, can := db.(interface {
			sessions(context.Context, credential) (map[string]int64, error)
		})
		if !can {
			continue
		}
		held, err := own.sessions(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("count sessions of %s at %s: %w", name, at, err)
		}
		for who, n := range held {
			// A pooler hands on the names of those behind it.
			if sole := d.plan.SoleClient(at); sole != "" && !d.plan.Reaches(who, at) {
				who = sole
			}
			all[who] += n
		}
	}
	return all, nil
}

// Renew has a querier make its connections anew.
func (d *databaseBound) Renew(ctx context.Context, emitter string) (told bool, err error) {
	if !slices.Contains(d.queriers, emitter) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url(emitter)+contract.RenewPath, http.NoBody)
	if err != nil {
		return false, fmt.Errorf("have %s connect anew: %w", emitter, err)
	}
	contract.SetBearer(req, d.control)
	resp, err := probeClients[protocol.HTTP1].Do(req)
	if err != nil {
		return false, fmt.Errorf("have %s connect anew: %w", emitter, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		return false, fmt.Errorf("have %s connect anew: answered %s", emitter, resp.Status)
	}
	return true, nil
}

// Hold makes a session at every database, which is asked after the revoke
// whether it is still served.
func (d *databaseBound) Hold(ctx context.Context, name string, _ time.Duration) error {
	c, err := d.lookup(ctx, name)
	if err != nil {
		return fmt.Errorf("hold a session of %s: %w", name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for at, db := range d.databases {
		session, result, err := db.login(ctx, c, contract.DatabaseAdmin)
		switch {
		case err != nil:
			return fmt.Errorf("hold a session of %s at %s: %w", name, at, err)
		case session != nil:
			if before, ok := d.held[at+" "+name]; ok {
				before.close(ctx)
			}
			d.held[at+" "+name] = session
		case result.outcome != history.AuthFailure: // where it is refused already, nothing is to be held
			return fmt.Errorf("hold a session of %s at %s: it answered %s", name, at, result.status)
		}
	}
	return nil
}

// Present logs in anew, and asks the session that was held for the credential,
// if there is one. It is taken where either is.
func (d *databaseBound) Present(ctx context.Context, validator, name string, purpose history.Purpose) (history.Probe, error) {
	at, known := d.poolers[validator]
	if !known {
		at, known = d.databases[validator]
	}
	if !known {
		return history.Probe{}, fmt.Errorf("present %s to %s: it is no database of this run", name, validator)
	}
	c, err := d.lookup(ctx, name)
	if err != nil {
		return history.Probe{}, fmt.Errorf("present %s to %s: %w", name, validator, err)
	}
	began := time.Now()
	session, result, err := at.login(ctx, c, ProbeAgent)
	if err != nil {
		return history.Probe{}, fmt.Errorf("present %s to %s: %w", name, validator, err)
	}
	probe := history.Probe{
		Purpose: purpose, Outcome: result.outcome, Status: result.status,
		Latency: history.Offset(time.Since(began)), Presentation: "new connection",
	}
	if session != nil {
		session.close(ctx)
	}
	if purpose == history.OldAfter && probe.Outcome == history.AuthFailure && d.outlives(ctx, validator+" "+name) {
		probe.Outcome, probe.Session, probe.Status = history.OK, true, "a session made before"
		probe.Presentation = "session made before the revoke"
	}
	return probe, nil
}

// outlives reports whether a held session is still served.
func (d *databaseBound) outlives(ctx context.Context, key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	session, ok := d.held[key]
	if !ok {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if session.works(ctx) {
		return true
	}
	session.close(ctx)
	delete(d.held, key)
	return false
}

// Close ends every session that is still held.
func (d *databaseBound) Close(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, session := range d.held {
		session.close(ctx)
	}
	clear(d.held)
}
