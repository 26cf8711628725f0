package plan

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/refusal"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// OnlyRight reports whether a status says that a server took the password of a credential and denied it
// what it asked for, as after REVOKE CONNECT: it lets nobody do that, and does not refuse the credential.
func (l Limits) OnlyRight(status string) bool {
	return runbook.Traits[l.Family].Pools && refusal.LacksRight(status)
}

// OwnLimit reports whether a status says that a user of a server may have no more connections: it lets nobody in then, and
// refuses no credential.
func (l Limits) OwnLimit(status string) bool {
	return runbook.Traits[l.Family].Pools && refusal.OwnLimit(status)
}

// LeavesTheLogin reports whether who got a status was kept out by something else than its credential, which would let it
// in still.
func (l Limits) LeavesTheLogin(status string) bool { return l.OnlyRight(status) || l.OwnLimit(status) }

// Neither says that a validator neither took nor refused a credential, by its last status.
func (l Limits) Neither(credential, status string) string {
	if l.OnlyRight(status) {
		return fmt.Sprintf("takes the password of %s still, and denies it a right (%s)", credential, status)
	}
	if l.OwnLimit(status) {
		return fmt.Sprintf("lets no more connections in with %s, whose user has a limit of its own that is reached, or is 0 (%s), and refuses no password", credential, status)
	}
	return history.Neither(credential, status)
}

// EndTheLogin is the cure where a revoke took only a right, or the room for connections, by the status of who is kept out
// now.
func (l Limits) EndTheLogin(step, credential, status string) string {
	besides := "the right: with that given back, or at what needs none, whoever has the password is let in"
	if l.OwnLimit(status) {
		besides = "its limit of connections: those that it has go on, and with another limit whoever has the password is let in"
	}
	return fmt.Sprintf("have the step %s end the login itself of %s (NOLOGIN, ACCOUNT LOCK, another password, a user that is deleted) besides %s", step, credential, besides)
}
