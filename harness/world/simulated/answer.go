package simulated

import (
	"math/rand/v2"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// answer is a validator's answer to a credential and its presenter in the present state.
type answer struct {
	outcome history.Outcome
	status  string
	// acts says that asking changes something, or that chance decides the answer.
	acts bool
	// until is when the answer begins to act, where nothing else changes; 0: never.
	until history.Offset
	// share is the part of a validator's replicas that answer so, while the others take the credential;
	// chance decides which is asked. 0: all answer so.
	share float64
}

// draw is the answer of a random replica.
func (a answer) draw(random *rand.Rand) (history.Outcome, string) {
	if a.share > 0 && random.Float64() >= a.share {
		return history.OK, "200"
	}
	return a.outcome, a.status
}

// answers is the validator's answer, without asking it.
func (v *validator) answers(presenter, credential string) answer {
	w := v.world
	switch {
	case w.down[v.name] && w.frozen[v.name]:
		return answer{outcome: history.Unavailable, status: noAnswer}
	case w.down[v.name]:
		return answer{outcome: history.Unavailable, status: "refused"}
	case w.broken[edge{presenter, v.name}] != "":
		return answer{outcome: history.Unavailable, status: w.broken[edge{presenter, v.name}]}
	case w.options.Erring[v.name]:
		return answer{outcome: history.Unavailable, status: serverError}
	case w.now() < v.lockout.until:
		return answer{outcome: history.AuthFailure, status: "403"} // that it ends is an event
	}
	return v.together(presenter, credential)
}

// together is the answer of its replicas, of which chance picks one.
func (v *validator) together(presenter, credential string) answer {
	if v.fleet && !v.fetchesOnMiss(v.replicas[0]) { // they then differ only in what they hold
		name := v.world.nameOn(presenter, credential)
		with := v.answersOf(&replica{behaviour: v.behaviour, holds: []string{name}}, presenter, credential)
		without := v.answersOf(&replica{behaviour: v.behaviour}, presenter, credential)
		return among(without, with, len(v.replicas)-v.held[name], len(v.replicas))
	}
	all := v.answersOf(v.replicas[0], presenter, credential)
	refused := 0
	for _, r := range v.replicas {
		a := v.answersOf(r, presenter, credential)
		all.acts = all.acts || a.acts
		if a.until > 0 && (all.until == 0 || a.until < all.until) {
			all.until = a.until
		}
		if a.outcome == history.AuthFailure {
			all.outcome, all.status = a.outcome, a.status
			refused++
		}
	}
	return among(all, answer{outcome: history.OK, status: "200", acts: all.acts, until: all.until}, refused, len(v.replicas))
}

// among combines the answer of n of the replicas with that of the rest, who take it.
func among(one, other answer, n, of int) answer {
	switch n {
	case 0:
		return other
	case of:
		return one
	}
	if one.outcome != other.outcome {
		one.share = float64(n) / float64(of)
	}
	return one
}

// answersOf is the answer of one replica.
func (v *validator) answersOf(r *replica, presenter, credential string) answer {
	w := v.world
	holds := r.holds
	if v.authority {
		holds = v.holds
	}
	refused := answer{outcome: history.AuthFailure, status: "401", acts: w.services[v.name].Lockout != nil}
	if !v.takesType(credential) { // a library looks at the type before it looks for a key
		return refused
	}
	name := w.nameOn(presenter, credential)
	has := slices.Contains(holds, name)
	switch {
	case !has && v.mayFetch(r):
		refused.acts = true
	case !has && v.fetchesOnMiss(r):
		refused.until = r.missAt + v.wall(r.behaviour.Cooldown)
	case has && name == credential && w.fits(v.name, credential) && w.fits(presenter, credential):
		return answer{outcome: history.OK, status: "200"}
	}
	return refused
}

// decide asks the validator, with all consequences.
func (v *validator) decide(presenter, credential string) (history.Outcome, string) {
	a := v.answers(presenter, credential)
	if !a.acts {
		return a.draw(v.random)
	}
	w, r := v.world, v.replicas[0]
	w.touch(v.name)
	if n := len(v.replicas); n > 1 {
		r = v.replicas[v.random.IntN(n)]
	}
	if v.takesType(credential) && !slices.Contains(r.holds, w.nameOn(presenter, credential)) && v.mayFetch(r) {
		r.missed, r.missAt = true, w.now()
		v.fetch(r)
	}
	if a = v.answersOf(r, presenter, credential); a.outcome == history.AuthFailure {
		v.refuse(presenter, credential)
	}
	return a.outcome, a.status
}

func (v *validator) mayFetch(r *replica) bool {
	return v.fetchesOnMiss(r) && (!r.missed || v.world.now()-r.missAt >= v.wall(r.behaviour.Cooldown))
}

// fetchesOnMiss reports whether an unknown credential makes a replica fetch.
func (v *validator) fetchesOnMiss(r *replica) bool {
	return r.behaviour.OnMiss && !v.authority && !v.pinned
}
