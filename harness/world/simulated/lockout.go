package simulated

import (
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// lockout is what an authority with a policy against guessing has counted.
type lockout struct {
	calls []refusal // the last ones that were refused
	until history.Offset
}

// refusal is a presentation that was refused.
type refusal struct {
	at                    history.Offset
	presenter, credential string
}

// refuse counts a refusal by an authority, and locks it where its policy says so: for a time it then
// takes nothing.
func (v *validator) refuse(presenter, credential string) {
	w := v.world
	policy := w.services[v.name].Lockout
	if policy == nil || w.now() < v.lockout.until {
		return
	}
	within := history.Offset(policy.Within.Duration()) // at any speed, as rates are
	v.lockout.calls = append(slices.DeleteFunc(v.lockout.calls, func(r refusal) bool { return w.now()-r.at > within }),
		refusal{w.now(), presenter, credential})
	if len(v.lockout.calls) < policy.After {
		return
	}
	v.lockout = lockout{until: w.now() + v.wall(policy.For.Duration())}
	w.record(history.Event{Kind: history.KindLocked, Service: v.name, Reader: presenter, Credential: credential, Count: int64(policy.After)})
	w.clock.at(v.lockout.until, func() {
		w.touch(v.name)
		w.record(history.Event{Kind: history.KindUnlocked, Service: v.name})
	})
}
