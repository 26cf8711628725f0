// Package jwt has the stand-ins of the family jwt-signing-key: an issuer that
// signs tokens, verifiers that run the real libraries at their defaults, and a
// shared cache between them.
//
//	store ──► issuer ── GET /.well-known/jwks.json ◄── cache ◄── verifier
//	            ▲                                                   ▲
//	            └── POST /token ── client ── Authorization: Bearer ─┘
//
// The issuer reads private keys from the store and publishes the public ones.
// A verifier hands each token to its library, and an observer of the fetches of
// that library writes what it learned and forgot. The key server (keys) answers
// with sets that a measurement puts there.
package jwt
