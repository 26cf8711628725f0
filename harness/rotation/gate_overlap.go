package rotation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// recentUse is how often a party used a credential lately.
type recentUse struct {
	times  int64
	within time.Duration // wall time
}

// user is the party to look at where a credential is in use: its presenter or, where the presenter
// shows every accepted credential at once, the validator that took this one because it has not learned
// the other.
func (l Look) user(key history.CellKey) string {
	_, holds := l.View.Holds[key.Validator][New]
	if e, ok := l.Limits.Emitter(key.Presenter); ok && e.Several && !holds {
		return key.Validator
	}
	return key.Presenter
}

// overlap holds when the window is at least G2, nothing uses the old credential any more, no session
// made with it is left where an authority can list sessions, nobody who presents the new one is
// refused, and nobody off the page takes part.
func (l Look) overlap() (string, []refusal) {
	var refusals []refusal
	for _, name := range l.emittersOn(Old, false) {
		refusals = append(refusals, refusal{consumer: name, why: l.stillUses(name)})
	}
	used := map[string]recentUse{}
	for _, key := range l.View.Keys() {
		if key.Source == l.Limits.JudgedAt && key.Credential == Old && !l.Limits.Excepted(key.Presenter) {
			within := l.Limits.LastUse(l.View, key, New, l.Now)
			sum := l.View.Sum(key, l.Now-history.Offset(within), l.Now+1)
			if n := sum.Answered(); n > 0 {
				u := used[l.user(key)]
				used[l.user(key)] = recentUse{u.times + n, max(u.within, within)}
			}
		}
	}
	refusals = append(refusals, l.onAnother()...)
	refusals = append(refusals, l.strangers()...)
	refusals = append(refusals, l.inSession()...)
	refusals = append(refusals, l.turnedAway()...)
	refusals = append(refusals, l.withdrawnBefore()...)
	refusals = append(refusals, l.unread()...)
	for name, u := range used {
		refusals = append(refusals, refusal{consumer: name, why: fmt.Sprintf("%s used %s %s in the last %s", name, Old, plan.Counted(u.times, "time"), plan.Text(l.Limits.Page(u.within)))})
	}
	refusals = l.withBounds(refusals)
	slices.SortFunc(refusals, func(a, b refusal) int { return strings.Compare(a.consumer+a.why, b.consumer+b.why) })
	return fmt.Sprintf("%s is not used any more, and nobody off the page takes part", Old), append(refusals, l.outsiders()...)
}

// onAnother are the emitters on the page that use neither credential: another rotation
// has begun before this one ended.
func (l Look) onAnother() []refusal {
	var refusals []refusal
	for _, name := range l.Limits.OnAnother(l.View, Old, New) {
		refusals = append(refusals, refusal{consumer: name, why: fmt.Sprintf("%s uses %s, which is neither %s nor %s: another rotation has begun", name, l.View.Emitting[name], Old, New)})
	}
	for _, m := range l.Limits.Emitters {
		if l.Limits.NamedOtherwise(l.View, m.Name, Old, New) {
			refusals = append(refusals, refusal{consumer: m.Name, why: fmt.Sprintf("%s calls what it signs with %s: nothing shows whether %s is out of use", m.Name, l.View.Emitting[m.Name], Old)})
		}
	}
	return refusals
}

// withBounds adds the bounds that do not hold: of the window and, before the revoke can hurt anybody,
// of the watch. A window that is too short is told with the parties for which it is too short: those
// that still use the old credential or were seen to keep it.
func (l Look) withBounds(refusals []refusal) []refusal {
	for _, b := range l.short("G2") {
		said := false
		for i, refused := range refusals {
			if refused.consumer != "" && (b.Party == "" || b.Party == refused.consumer) {
				refusals[i].why, said = b.Short()+", and "+refused.why, true
			}
		}
		if !said {
			refusals = append(refusals, refusal{consumer: b.Party, why: b.Short()})
		}
	}
	for _, b := range l.short("G3") {
		refusals = append(refusals, refusal{consumer: b.Party, why: b.Short()})
	}
	return append(append(refusals, l.byChance("G2")...), l.byChance("G3")...)
}

// turnedAway adds a refusal for each presenter whose every presentation of the new credential an
// authority refused: it has another value, such as that of another environment, and only the old
// credential works for it. That the old one is out of use says nothing there.
func (l Look) turnedAway() []refusal {
	var refusals []refusal
	for _, key := range l.View.Keys() {
		v, _ := l.Limits.Validator(key.Validator)
		if key.Source != l.Limits.JudgedAt || key.Credential != New || !v.Authority {
			continue
		}
		within := l.Limits.LastUse(l.View, key, New, l.Now)
		sum := l.View.Sum(key, l.Now-history.Offset(within), l.Now+1)
		if sum.AuthFailures > 0 && sum.OK == 0 {
			refusals = append(refusals, refusal{consumer: key.Presenter, why: fmt.Sprintf("%s presents %s to %s, which refused it %s in the last %s and never took it: it still needs %s",
				key.Presenter, New, key.Validator, plan.Counted(sum.AuthFailures, "time"), plan.Text(l.Limits.Page(within)), Old)})
		}
	}
	return refusals
}

// withdrawnBefore adds a refusal for each authority that refuses the old credential before its revoke:
// somebody else has withdrawn it, and whoever needed it in the overlap would have been refused.
func (l Look) withdrawnBefore() []refusal {
	var refusals []refusal
	for _, v := range l.Limits.Validators {
		if a := l.View.Said(v.Name, Old, history.Still); v.Authority && a.Refused > 0 && a.Taken == 0 {
			refusals = append(refusals, refusal{consumer: v.Name, why: fmt.Sprintf("%s refuses %s (%s) before the revoke: somebody else has withdrawn it, or it has expired, and the overlap was shorter than the page has it", v.Name, Old, a.Last.Status)})
		}
	}
	return refusals
}

// inSession adds a refusal for each party served on sessions made with the old credential: the revoke
// ends them, in use or not.
func (l Look) inSession() []refusal {
	var refusals []refusal
	for _, name := range slices.Sorted(maps.Keys(l.served)) {
		if !l.Limits.Excepted(name) {
			refusals = append(refusals, refusal{consumer: name, why: fmt.Sprintf("%s is served on %s made with %s", name, plan.Counted(l.served[name], "session"), Old)})
		}
	}
	return refusals
}
