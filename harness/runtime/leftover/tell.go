package leftover

import "fmt"

// Tell says in a sentence what a dead run left on a server, and what removes it.
func Tell(l Left) string {
	return fmt.Sprintf("run %s left the mount %s, %d policies and %d tokens in the Vault at %s: `rehearse clean --vault-addr %s` removes them"+
		" (where that Vault is gone, remove %s)", l.Run, l.Mount, len(l.Policies), len(l.Accessors), l.Address, l.Address, l.File)
}
