//go:build unix

package database

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// identity is the user as which a server runs; nil: the one who started it.
type identity struct{ uid, gid uint32 }

// unprivileged is a user for a server that refuses to run as root, with a
// folder of its own: the one that it was installed with, else nobody.
func unprivileged(name, folder string) (*identity, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	found, err := user.Lookup(name)
	if err != nil {
		var nobody error
		if found, nobody = user.Lookup("nobody"); nobody != nil {
			return nil, fmt.Errorf("find a user for the server, which does not run as root: %w", errors.Join(err, nobody))
		}
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read the user %s: %w", found.Username, err)
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read the group of %s: %w", found.Username, err)
	}
	if err := os.Chown(folder, int(uid), int(gid)); err != nil {
		return nil, fmt.Errorf("give the server its folder: %w", err)
	}
	return &identity{uint32(uid), uint32(gid)}, nil
}

// give makes that user the owner of a pipe, who may then open it by its name.
func (i *identity) give(pipe *os.File) error {
	if i == nil {
		return nil
	}
	return pipe.Chown(int(i.uid), int(i.gid))
}

// apply has a command run as that user, without the variables of this process,
// which hold its configuration, and in a group of its own: what a terminal sends
// is not meant for it.
func (i *identity) apply(cmd *exec.Cmd) {
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd, os.Interrupt)
	if i != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: i.uid, Gid: i.gid}
	}
}
