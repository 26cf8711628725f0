package rotation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/world"
)

// answered counts the attempts that got an answer: one without is counted when
// it was given up, and may have been made long before.
func answered(c history.Counts) int64 { return c.OK + c.AuthFailures }

// user is the party to look at where a credential is in use: who presents it or,
// where that presents every accepted one at once, who takes this one of them.
func (r *rotation) user(key history.CellKey) string {
	if e, there := r.limits.Emitter(key.Presenter); there && e.Several {
		return key.Validator
	}
	return key.Presenter
}

// overlapGate holds when the window is at least G2, nothing of the old
// credential is used any more, no session that was made with it is left where an
// authority can tell, and nobody off the page takes part.
func (r *rotation) overlapGate(ctx context.Context) (string, []refusal) {
	var refusals []refusal
	for _, name := range r.emittersOn(Old, false) {
		refusals = append(refusals, refusal{name, fmt.Sprintf("%s still uses %s", name, Old)})
	}
	now := r.world.Evidence.Offset()
	users, lastUse := map[string]int64{}, time.Duration(0)
	r.see(func(v *history.View) {
		lastUse = r.limits.LastUse((now - v.LastSwitch(New)).Duration())
		for _, key := range v.Keys() {
			if key.Source == r.limits.Hop && key.Credential == Old && !r.limits.Excepted(key.Presenter) {
				if n := answered(v.Sum(key, now-history.Offset(lastUse), now+1)); n > 0 {
					users[r.user(key)] += n
				}
			}
		}
	})
	refusals = append(refusals, r.strangers(now)...)
	refusals = append(refusals, r.inSession(ctx)...)
	for name, n := range users {
		refusals = append(refusals, refusal{name, fmt.Sprintf("%s used %s %s in the last %s", name, Old, plan.Counted(n, "time"), plan.Text(r.limits.Page(lastUse)))})
	}
	refusals = r.withBounds(refusals)
	slices.SortFunc(refusals, func(a, b refusal) int { return strings.Compare(a.consumer+a.why, b.consumer+b.why) })
	return fmt.Sprintf("%s is not used any more, and nobody off the page takes part", Old), append(refusals, r.outsiders()...)
}

// withBounds adds what the window and, before the revoke can hurt anybody, the watch
// lack. A window that is too short is said with whom it is too short for: those who
// still use the old credential, or who were seen to keep it.
func (r *rotation) withBounds(refusals []refusal) []refusal {
	for _, b := range r.short("G2") {
		said := false
		for i, refused := range refusals {
			if refused.consumer != "" && (b.Party == "" || b.Party == refused.consumer) {
				refusals[i].why, said = b.Short()+", and "+refused.why, true
			}
		}
		if !said {
			refusals = append(refusals, refusal{b.Party, b.Short()})
		}
	}
	for _, b := range r.short("G3") {
		refusals = append(refusals, refusal{b.Party, b.Short()})
	}
	return refusals
}

// inSession refuses for those who are served on sessions that were made with the
// old credential: the revoke ends them, in use or not.
func (r *rotation) inSession(ctx context.Context) []refusal {
	sessions, able := r.world.Probes.(world.Sessions)
	if !able {
		return nil
	}
	held, err := sessions.Sessions(ctx, Old)
	if err != nil {
		return []refusal{{"", "it could not be told who is served on sessions of " + Old + ": " + err.Error()}}
	}
	var refusals []refusal
	for _, name := range slices.Sorted(maps.Keys(held)) {
		if !r.limits.Excepted(name) {
			refusals = append(refusals, refusal{name, fmt.Sprintf("%s is served on %s made with %s", name, plan.Counted(held[name], "session"), Old)})
		}
	}
	return refusals
}
