package store

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/vaultpath"
)

// ErrOutside is in the chain of the error of a request that would have left the
// run's own part of a server. It was not sent.
var ErrOutside = errors.New("it is outside of the run's own part of the store")

// guard is the transport of every client of this package: the one place that all
// requests go through. It sends those whose path is plain and listed, and no other.
type guard struct {
	next http.RoundTripper
	// paths are those that may be asked, without /v1/. One that ends in a slash or
	// a hyphen stands for all that begin with it.
	paths []string
}

// RoundTrip sends a request, or refuses it with ErrOutside.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	path, ours := strings.CutPrefix(r.URL.Path, "/v1/")
	err := vaultpath.Check(path)
	if err == nil && (!ours || !slices.ContainsFunc(g.paths, func(may string) bool { return covers(may, path) })) {
		err = ErrOutside
	}
	if err != nil {
		if r.Body != nil { // a transport closes it, whatever happens (http.RoundTripper)
			err = errors.Join(err, r.Body.Close())
		}
		return nil, fmt.Errorf("ask the store for %q: %w", r.URL.Path, err)
	}
	return g.next.RoundTrip(r)
}

// covers reports whether a listed path is, or stands for, another.
func covers(may, path string) bool {
	if strings.HasSuffix(may, "/") || strings.HasSuffix(may, "-") {
		return strings.HasPrefix(path, may)
	}
	return may == path
}

// inside are the paths of a run's own mounts: all that its own token is for.
func inside(mount string) []string { return []string{mount + "/", databasesOf(mount) + "/"} }

// around are the paths of Vault itself that a run needs for its own mounts, with
// the token that it was given: to make them, to say who may do what there, and
// to remove all that.
func around(mount string) []string {
	return []string{
		"sys/health", "sys/mounts/" + mount, "sys/mounts/" + databasesOf(mount),
		"sys/policies/acl/" + mount, "sys/policies/acl/" + mount + "-",
		"auth/token/create", "auth/token/revoke-accessor",
	}
}

// ofOurs are those that a run may ask besides where it started the server itself.
func ofOurs() []string {
	return []string{
		"sys/audit/" + auditDevice, "sys/seal", "sys/unseal", "sys/init", "sys/health",
		"sys/plugins/catalog/database/" + postgresPlugin,
	}
}
