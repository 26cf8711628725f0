// Package store is the embedded secrets store: a stand-in that speaks the part
// of HashiCorp Vault's HTTP API which a rehearsal uses, so that one runs where
// no Vault is at hand. It holds everything in memory and forgets it at its end.
//
// It serves the KV version 2 engine, tokens, ACL policies and an audit device
// on standard output. Status codes and bodies agree with those of Vault 1.21;
// the conformance test of harness/store sends one table of requests to both.
//
// What Vault has and this has not: other engines and auth methods,
// namespaces, leases and renewal, response wrapping, PATCH, written KV
// metadata and configuration, policy segments (+), templates and parameters,
// and tokens made by anyone but a root token. A request for one of these is
// refused and never half done.
package store
