package runbook

import (
	"maps"
	"slices"
)

// Database is what a kind of database is able to do, as far as pages, scenarios and
// plans need to know: each is declared in a file of its own, and nobody asks for its name.
type Database struct {
	// Type is the format.type of a page about a password of it.
	Type string
	// SeveralPasswords says that one login takes several passwords at once, so that an
	// overlap needs no second login. Which of them was presented it cannot say.
	SeveralPasswords bool
	// TakesTurns says that SeveralPasswords need not be used: two users can take turns
	// in their place, each with one password (users: 2).
	TakesTurns bool
	// SwapsPool says that there is a consumer that makes a new pool for a new login.
	SwapsPool bool
	// Bounded says that it has room for so many connections, and tells who finds none.
	Bounded bool
	// RotatedByVault says that Vault's database secrets engine is set up for it.
	RotatedByVault bool
	// Poolers are the kinds of stand-ins that can be put before it.
	Poolers []string
}

// Databases are those that there are, by the kind of stand-in that runs each.
var Databases = map[string]Database{
	"mariadb":  mariadb,
	"postgres": postgresql,
	"redis":    redis,
}

// OneLogin reports whether all passwords are one login's, of a database that holds so
// many passwords of it, or has so many users; 0: as it is able to.
func (d Database) OneLogin(holds, users int) bool {
	return holds == 1 || d.SeveralPasswords && users != 2
}

// DatabaseOf is the database of a page's format.type; false where there is none.
func DatabaseOf(format string) (Database, bool) {
	for _, d := range Databases {
		if d.Type == format {
			return d, true
		}
	}
	return Database{}, false
}

// databaseKinds are the stand-ins that run one, sorted.
func databaseKinds() []string { return slices.Sorted(maps.Keys(Databases)) }

// NoStandIn are the types of those that are rehearsed where they run (attach) only: brokers that one logs in
// to as to a database.
var NoStandIn = []string{"nats", "rabbitmq"}

// databaseTypes are what pages call them, sorted.
func databaseTypes() []string {
	types := slices.Clone(NoStandIn)
	for _, kind := range databaseKinds() {
		types = append(types, Databases[kind].Type)
	}
	slices.Sort(types)
	return types
}
