package database

import (
	"fmt"
	"path/filepath"

	"github.com/rehearse-dev/rehearse/fakes/standin"
	"github.com/rehearse-dev/rehearse/harness/contract"
)

// decode reads the configuration of a database's server and checks what every one needs.
func decode(config []byte) (contract.Database, error) {
	var c contract.Database
	if err := contract.Decode(config, &c); err != nil {
		return c, err
	}
	if err := standin.Require("name", c.Name, "admin_password", c.AdminPassword, "folder", c.Folder); err != nil {
		return c, err
	}
	if filepath.Base(c.Folder) != c.Folder {
		return c, fmt.Errorf("check configuration: folder is %q, want a name", c.Folder)
	}
	return c, nil
}
