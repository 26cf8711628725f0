package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// services holds each service against its kind and against the others.
func (c check) services() {
	if len(c.s.Services) == 0 {
		c.Report("services", "", "the scenario has no service")
	}
	for _, name := range c.names() {
		s, path := c.s.Services[name], source.Join("services", name)
		runbook.CheckName(c.Checker, path, name)
		c.OneOf(path+".scale", string(s.Scale), Scales)
		c.OneOf(path+".library", s.Library, runbook.LibraryNames())
		c.service(path+".of", s.Of)
		switch {
		case c.s.Attach != nil:
			c.attachedTo(path, s)
		case s.Serve != "" && s.NeedsImage(), s.Image != "" && s.Build != nil:
			c.Report(path, "", "has more than one of serve, image and build")
		case s.External() && !s.NeedsImage() && len(s.Command) == 0:
			c.Report(path, "serve: "+strings.Join(ServeKinds, "|")+", image: NAME, build: {context: FOLDER} or command: [PROGRAM]",
				"has neither serve nor image, build or command")
		case s.External():
			c.external(path, s)
			c.called(path, s)
		case c.OneOf(path+".serve", s.Serve, ServeKinds):
			c.standIn(path, name, s)
		}
		if circle := c.circle(name); circle != nil {
			c.Report(path+".of", "", "goes in a circle: %s", strings.Join(circle, " → "))
		}
	}
}

// misplaced reports keys that have no meaning in a service.
func (c check) misplaced(path, why string, keys ...string) {
	for _, key := range keys {
		if c.Has(path + "." + key) {
			c.Report(path+"."+key, "", "%s", why)
		}
	}
}

// standIn holds a service that rehearse serves itself against its kind.
func (c check) standIn(path, name string, s Service) {
	if c.page != nil {
		if f, built := runbook.Traits[c.page.Scope.Family]; built && !slices.Contains(f.Kinds(), s.Serve) {
			c.Report(path+".serve", "takes "+strings.Join(f.Kinds(), ", "), "%q has no part in family %s", s.Serve, f.Name)
			return
		}
	}
	c.misplaced(path, "is for a service of your own, and this is a stand-in",
		"command", "environment", "files", "ports", "healthcheck", "reload", "refusal", "agent", "new_privileges", "entrypoint", "user", "env_file", "volumes", "replicas", "init")
	if !slices.Contains(SpeakTLS, s.Serve) {
		c.misplaced(path, "is for a service of your own, and for "+strings.Join(SpeakTLS, ", "), "https")
	}
	if library, known := runbook.Libraries[s.Library]; known && s.Serve == "verifier" && !library.Served {
		c.Report(path+".library", "it is in scenarios/jwt-signing-key/library-matrix, as an image to build", "no stand-in runs %q", s.Library)
	}
	if s.Serve != "verifier" {
		c.misplaced(path, "is for a verifier", "library", "algorithms", "leeway")
	}
	for i, algorithm := range s.Algorithms {
		c.OneOf(fmt.Sprintf("%s.algorithms[%d]", path, i), algorithm, Algorithms)
	}
	if s.Serve != "cache" {
		c.misplaced(path, "is for a cache", "ttl")
	}
	if !slices.Contains(counted, s.Serve) {
		c.misplaced(path, "is for a verifier, a checker, a receiver or a cache", "count")
	}
	c.alike(path, s.Count)
	c.rollout(path, s)
	c.reading(path, s)
	c.database(path, s)
	if s.Holds < 0 {
		c.Report(path+".holds", "1 for a library with room for one secret; without it all", "is %d, the least is 1", s.Holds)
	}
	c.charging(path, s)
	c.called(path, s)
	switch s.Serve {
	case "issuer":
		if at := c.page; at != nil && at.Storage.Distribution == runbook.JWKS && at.Storage.JWKS != runbook.WellKnownJWKS && c.serves("verifier") {
			c.Report(path+".serve", "on the page: storage.jwks: "+runbook.WellKnownJWKS+", or bring an issuer of your own",
				"the page's storage.jwks is %q, and a stand-in serves its key set at %s", at.Storage.JWKS, runbook.WellKnownJWKS)
		}
		c.misplaced(path, `"issuer" takes nothing of another service`, "of")
	case "cache":
		if s.Of == "" {
			c.Report(path+".of", "the service whose answers it keeps", "a cache needs it")
		}
		if s.TTL <= 0 {
			c.Report(path+".ttl", "how long it keeps an answer: 5m", "a cache needs it")
		}
		c.leadsTo(path, s, "issuer", "cache", "relay")
	case "relay":
		if s.Of == "" {
			c.Report(path+".of", "the issuer whose key set it hands on", "a relay needs it")
		}
		c.leadsTo(path, s, "issuer", "cache", "relay")
	case "verifier":
		consumer, _ := c.consumer(name)
		paged := c.s.Runtime == Simulated && consumer.LearnsWithin != nil && consumer.ForgetsWithin != nil
		if s.Library == "" && consumer.Library == "" && !paged && c.page != nil {
			c.Report(path+".library", source.DidYouMean("", runbook.ServedNames()), "a verifier needs it, here or on the page%s", c.orPaged())
		}
		c.leadsTo(path, s, "issuer", "cache", "relay")
	case "charger":
		if s.Of == "" && !c.serves("provider") {
			c.Report(path+".of", "the provider to which it presents the key", "a charger needs it")
		}
		c.leadsTo(path, s, "provider")
	case "querier":
		if s.Of == "" && !slices.ContainsFunc(databaseKinds(), c.serves) {
			c.Report(path+".of", "the database to which it logs in", "a querier needs it")
		}
		c.leadsTo(path, s, append(databaseKinds(), runbook.Traits["database-password"].Poolers...)...)
	case "pgbouncer":
		behind := slices.DeleteFunc(databaseKinds(), func(kind string) bool { return !slices.Contains(runbook.Databases[kind].Poolers, s.Serve) })
		if s.Of == "" && !slices.ContainsFunc(behind, c.serves) {
			c.Report(path+".of", "the database to which it logs in", "a pooler needs it")
		}
		c.leadsTo(path, s, behind...)
	default:
		c.misplaced(path, fmt.Sprintf("%q takes nothing of another service", s.Serve), "of")
	}
}

// charging holds against its kind what a stand-in says of how it charges.
func (c check) charging(path string, s Service) {
	switch s.Serve {
	case "charger":
		c.misplaced(path, "is for a provider", "checks_late", "fails", "lag", "taken", "lockout")
		c.OneOf(path+".idempotency", s.Idempotency, []string{None})
		if s.Retries < 0 || s.RetryAfter < 0 {
			c.Report(path, "0 is none", "retries and retry_after cannot be less than 0")
		}
		return
	case "provider":
		c.OneOf(path+".idempotency", s.Idempotency, Idempotencies)
		if s.Lag < 0 || s.Taken < 0 {
			c.Report(path, "0 is none", "lag and taken cannot be less than 0")
		}
		if l := s.Lockout; l != nil {
			for key, least := range map[string]bool{"after": l.After > 0, "within": l.Within > 0, "for": l.For > 0} {
				if key = path + ".lockout." + key; c.Has(key) && !least {
					c.Report(key, "lockout: {after: 10, within: 1m, for: 15m}", "must be more than 0")
				}
			}
		}
	case "receiver":
		c.misplaced(path, "is for charger and provider", "idempotency")
		c.misplaced(path, "is for a provider", "checks_late", "lag", "taken", "lockout")
	default:
		c.misplaced(path, "is for a receiver or a provider", "fails")
		c.misplaced(path, "is for charger and provider", "idempotency")
		c.misplaced(path, "is for a provider", "checks_late", "lag", "taken", "lockout")
	}
	c.misplaced(path, "is for a charger", "retries", "retry_after")
}

// mostConnections bounds what a stand-in is asked to make or to have room for:
// each is a process of the server.
const mostConnections = 1000

// databaseKinds are the stand-ins that run a database, sorted.
func databaseKinds() []string { return slices.Sorted(maps.Keys(runbook.Databases)) }

// speaks is the format.type of a page about what a stand-in runs, a database or a
// pooler before one; "" where it is neither.
func speaks(serve string) string {
	for kind, d := range runbook.Databases {
		if kind == serve || slices.Contains(d.Poolers, serve) {
			return d.Type
		}
	}
	return ""
}

// database holds against its kind what a stand-in says of a database, or of
// the way to one.
func (c check) database(path string, s Service) {
	switch s.Serve {
	case "querier":
		c.misplaced(path, "is for a pooler", "auth_query", "pooling", "login_retry")
	case "pgbouncer":
		c.misplaced(path, "is for a querier", "swaps_pool", "prepares")
		c.OneOf(path+".pooling", s.Pooling, Poolings)
		if s.AuthQuery {
			c.misplaced(path, "is for a pooler with its passwords in a file, and this one asks the database (auth_query)", "refresh", "pinned", "distribution", "delay")
		}
		if c.Has(path+".login_retry") && s.LoginRetry <= 0 {
			c.Report(path+".login_retry", "15s is PgBouncer's own", "must be more than 0")
		}
	default:
		c.misplaced(path, "is for a querier or a pooler", "life", "pool")
		c.misplaced(path, "is for a querier", "swaps_pool", "prepares")
		c.misplaced(path, "is for a pooler", "auth_query", "pooling", "login_retry")
	}
	if c.Has(path+".pool") && (s.Pool < 1 || s.Pool > mostConnections) {
		c.Report(path+".pool", "10 without it", "is %d, want 1 to %d", s.Pool, mostConnections)
	}
	if asked, _ := runbook.DatabaseOf(c.formatType()); s.Serve == "querier" && s.SwapsPool && c.page != nil && !asked.SwapsPool {
		c.Report(path+".swaps_pool", "without it every connection takes the login of its moment", "is for a querier of %s", able(func(d runbook.Database) bool { return d.SwapsPool }))
	}
	if c.Has(path+".connections") && runbook.Databases[s.Serve].Bounded && (s.Connections < 1 || s.Connections > mostConnections) {
		c.Report(path+".connections", "200 without it; every pool, a new one beside its old one too, needs its size", "is %d, want 1 to %d", s.Connections, mostConnections)
	}
	if c.Has(path+".life") && s.Life <= 0 {
		c.Report(path+".life", "an hour is pgxpool's own", "must be more than 0")
	}
	if format := speaks(s.Serve); format != "" && c.page != nil && c.page.Format.Type != format {
		c.Report(path+".serve", "on the page: format.type: "+format, "the page's format.type is %q", c.page.Format.Type)
	}
	runs, database := runbook.Databases[s.Serve]
	if !runs.Bounded {
		c.misplaced(path, "is for "+able(func(d runbook.Database) bool { return d.Bounded }), "connections")
	}
	if !runs.RotatedByVault {
		c.misplaced(path, "is for "+able(func(d runbook.Database) bool { return d.RotatedByVault }), "rotated_by")
	} else if s.RotatedBy != "" && c.OneOf(path+".rotated_by", s.RotatedBy, RotatedBys) && s.Holds != 1 {
		c.Report(path+".rotated_by", "holds: 1", "is of a role whose password is changed in place, and this database has two")
	}
	switch {
	case !runs.TakesTurns:
		c.misplaced(path, "is for "+able(func(d runbook.Database) bool { return d.TakesTurns }), "users")
	case c.Has(path+".users") && s.Users != 2:
		c.Report(path+".users", "2, who take turns; without it one user has both passwords", "is %d", s.Users)
	case s.Users == 2 && s.Holds == 1:
		c.Report(path+".users", "leave one of them out", "two users who take turns, and one user whose password is changed in place (holds: 1), are two ways to rotate")
	}
	switch {
	case database:
		if s.Holds > 1 {
			c.Report(path+".holds", "1 for a login whose password is changed in place; without it both are taken", "is %d", s.Holds)
		}
	case s.Serve == "receiver", s.Serve == "checker":
		c.misplaced(path, "is for a database", "keeps_sessions")
	default:
		c.misplaced(path, "is for a database", "keeps_sessions")
		c.misplaced(path, "is for a receiver, a checker or a database", "holds")
	}
}

// able are the databases that can do something, as pages call them: "redis or mariadb".
func able(does func(runbook.Database) bool) string {
	var types []string
	for _, kind := range databaseKinds() {
		if d := runbook.Databases[kind]; does(d) {
			types = append(types, d.Type)
		}
	}
	return "a database of type " + strings.Join(types, " or ")
}

// formatType is the page's; "" where there is no page.
func (c check) formatType() string {
	if c.page == nil {
		return ""
	}
	return c.page.Format.Type
}

// reading holds against its kind what a stand-in says of how it gets what is
// published.
func (c check) reading(path string, s Service) {
	if readers := runbook.Readers(); !slices.Contains(readers, s.Serve) {
		c.misplaced(path, "is for those to whom the secret is brought: "+strings.Join(readers, ", "), "rollout", "batches")
		c.misplaced(path, "is for those who read the secret: "+strings.Join(readers, ", "), "refresh", "pinned", "distribution", "delay")
		return
	}
	c.OneOf(path+".distribution", s.Distribution, runbook.Reading)
	how := runbook.Way(s.Distribution)
	if how == "" && c.page != nil {
		how = runbook.Way(c.page.Storage.Distribution)
	}
	if how != runbook.File && how != runbook.Env {
		c.misplaced(path, "is for distribution env, file and those of Kubernetes: nobody rolls out who reads the store", "rollout", "batches")
	}
	if how != runbook.File {
		c.misplaced(path, "is for distribution file, secret-volume and config-map", "delay")
	}
	if how == runbook.Env {
		c.misplaced(path, "is not for distribution env or secret-env: it changes when the service is started anew", "refresh")
	}
	if c.Has(path+".refresh") && s.Refresh <= 0 {
		c.Report(path+".refresh", "30s is usual", "must be more than 0")
	}
}

// serving are the stand-ins of a kind.
func (c check) serving(kind string) []string {
	return slices.DeleteFunc(c.names(), func(name string) bool { return c.s.Services[name].Serve != kind })
}

// serves reports whether there is a stand-in of a kind.
func (c check) serves(kind string) bool { return len(c.serving(kind)) > 0 }

// leadsTo reports an `of` that names a stand-in of a wrong kind; an image
// may be anything.
func (c check) leadsTo(path string, s Service, kinds ...string) {
	of, ok := c.s.Services[s.Of]
	if ok && of.Serve != "" && !slices.Contains(kinds, of.Serve) {
		c.Report(path+".of", "want one that serves as "+strings.Join(kinds, " or "), "%q serves as %s", s.Of, of.Serve)
	}
}

// circle is the way from a service along `of` back to itself, if it is the
// first in the alphabet on that way; nil if there is none.
func (c check) circle(name string) []string {
	way := []string{name}
	for next := c.s.Services[name].Of; next != "" && len(way) <= len(c.s.Services); next = c.s.Services[next].Of {
		way = append(way, next)
		if next == name {
			return way
		}
		if next < name {
			return nil
		}
	}
	return nil
}

// orPaged is what else a verifier may be known by, where nothing is started.
func (c check) orPaged() string {
	if c.s.Runtime != Simulated {
		return ""
	}
	return ", or learns_within and forgets_within of it on the page"
}
