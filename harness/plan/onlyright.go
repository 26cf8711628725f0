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

// Neither says that a validator neither took nor refused a credential, by its last status.
func (l Limits) Neither(credential, status string) string {
	if l.OnlyRight(status) {
		return fmt.Sprintf("takes the password of %s still, and denies it a right (%s)", credential, status)
	}
	return history.Neither(credential, status)
}

// EndTheLogin is the cure where a revoke took only a right.
func EndTheLogin(step, credential string) string {
	return fmt.Sprintf("have the step %s end the login itself of %s (NOLOGIN, ACCOUNT LOCK, another password, a user that is deleted) besides the right: with that given back, or at what needs none, whoever has the password is let in", step, credential)
}
