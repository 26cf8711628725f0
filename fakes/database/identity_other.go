//go:build !unix

package database

import (
	"os"
	"os/exec"
)

// identity is the user as which a server runs: the one who started it.
type identity struct{}

func unprivileged(string, string) (*identity, error) { return nil, nil }

func (*identity) give(*os.File) error { return nil }

// apply has a command run without the variables of this process, which hold its
// configuration.
func (*identity) apply(cmd *exec.Cmd) {
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"), "LC_ALL=C", "TZ=UTC"}
}
