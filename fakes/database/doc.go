// Package database has the stand-ins of the family database-password: real
// PostgreSQL and Redis servers, each a child of its stand-in, and a querier that
// keeps a pool of connections by the real driver.
//
//	store ──► querier ── pool of pgx or go-redis ──► stand-in ──► server
//	            ▲                                       ▲            │
//	client ─────┘       harness ── as rehearse-admin ───┘    its log, its answers
//
// The stand-in relays each connection, and writes one line for what the server
// decided about its login: PostgreSQL tells that in its log, Redis in its answer
// on the wire. The querier tells of each attempt to connect as well.
package database
