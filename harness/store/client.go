// Package store binds a rehearsal to a secrets store: HashiCorp Vault, or the
// embedded stand-in that speaks the same API. Each run has a mount of its own,
// made fresh and removed at its end, so that a shared server keeps nothing of
// it and no path of production is ever touched.
package store

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"
)

// timeout bounds each request; a store on loopback answers in milliseconds.
const timeout = 10 * time.Second

// newClient talks to the server at url with a token about paths, as a guard has
// them, and with nothing that the
// surrounding shell says: VAULT_TOKEN, VAULT_NAMESPACE, VAULT_HEADERS and the
// other VAULT_* variables, and proxies, are not used. A VAULT_* variable that
// does not parse still is an error, because api.NewClient reads all of them: a
// program calls ForgetEnvironment first.
//
// Requests are not repeated: a repeated check-and-set whose first answer was
// lost would look like a conflict. Callers repeat where they know that they may.
func newClient(url, token string, paths []string) (*api.Client, error) {
	c, err := api.NewClient(&api.Config{
		Address:    url,
		HttpClient: &http.Client{Transport: guard{next: &http.Transport{}, paths: paths}},
		Timeout:    timeout,
		MaxRetries: 0,
	})
	if err != nil {
		return nil, fmt.Errorf("make client of the store at %s (is a VAULT_* variable malformed?): %w", url, err)
	}
	c.SetHeaders(http.Header{api.RequestHeaderName: {"true"}})
	c.SetToken(token)
	return c, nil
}

// ForgetEnvironment removes every VAULT_* variable from the process's
// environment: a rehearsal talks to the server that it was told of, and to no
// other. A program calls it at its start, before it starts anything.
func ForgetEnvironment() error {
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "VAULT_") {
			continue
		}
		if err := os.Unsetenv(name); err != nil {
			return fmt.Errorf("forget %s: %w", name, err)
		}
	}
	return nil
}
