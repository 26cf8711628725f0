// Package standin is what all stand-ins share: how one is started and ended, how
// it gets the secret that is published for it, the log into which it writes what
// it decides, and the orders by which it is made to misbehave.
//
//	runtime ── configuration, listener, lifeline ──► Process.Run ──► Service
//	                                                                  │
//	store, file or variable ──► PublishedSecret ──► the family's own part
//	                                 ▲                                │
//	fault ── POST /rehearse/disturb ─┴─ Disturbances                  ▼
//	harness ── GET /healthz, /rehearse/status ─────────► one line of log per decision
//
// A stand-in serves one address. Split tells HTTP from another protocol on it,
// and the proxy, which every family can have on an edge, passes both on through
// toxiproxy.
package standin
