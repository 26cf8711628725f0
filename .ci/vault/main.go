// Command vault is HashiCorp Vault's own server, built from its published Go
// module so that tests can run against the real thing where no image registry
// is at hand. It is a test dependency under its own licence (BUSL 1.1) and is
// never linked into rehearse: hence a module of its own.
package main

import (
	"os"

	"github.com/hashicorp/vault/command"
)

func main() { os.Exit(command.Run(os.Args[1:])) }
