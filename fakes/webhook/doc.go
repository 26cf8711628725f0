// Package webhook has the stand-ins of the family webhook-secret: a sender that
// signs deliveries, and receivers that check them with the library of a provider.
//
//	store ──► sender ── POST, signed by a scheme ──► receiver ◄── store
//	            ▲  ▲                                    │
//	client ─────┘  └── queue of retries ◄── not 2xx ────┘
//
// How a scheme signs, and what it does while two secrets are accepted, is in
// harness/webhook. Each attempt is signed anew, with the secrets of its moment.
package webhook
