package store

import (
	"crypto/rand"

	"github.com/rehearse-dev/rehearse/harness/contract"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// EmbeddedSpec is the embedded store as a runtime starts it, and the root token
// and the unseal key that were made for it. They reach it in its configuration.
func EmbeddedSpec(name string) (spec world.Spec, keys Keys) {
	keys = Keys{Root: rand.Text(), Unseal: rand.Text()}
	return world.Spec{Name: name, Serve: "store", Config: &contract.Store{RootToken: keys.Root, UnsealKey: keys.Unseal}}, keys
}
