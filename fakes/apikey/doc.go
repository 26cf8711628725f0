// Package apikey has the stand-ins of the family api-key: a provider, which is
// the authority that takes or refuses a key, and a charger, which presents one.
//
//	store ──► charger ── POST /charges, Authorization: Bearer KEY ──► provider
//	            ▲                                                        ▲
//	client ─────┘                    harness ── /admin/keys, admin token ┘
//
// The provider has keys in slots, a ledger of what was charged, a lockout
// against guessing, and a page for people. The charger tries again as it is
// configured, under an idempotency key or without one.
package apikey
