// Package contract is the one place where the harness and what it starts meet:
// how a stand-in is configured, what is published for it to read, and how it is
// asked and ordered while it runs.
//
//	family, fault ── Config ──► world.Spec ──► runtime ── JSON, in Variable ──► stand-in
//	family ── Document ──► store, file or variable ──────────────────────────► stand-in
//	fault, harness ── Client: status, orders, held entries ──────────────────► stand-in
//
// Both sides use the same types, so that nothing has to be kept equal by hand.
package contract
