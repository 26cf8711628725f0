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
)

// verifyGate holds when the lead is at least G1 for every validator on the
// page, each has taken the new credential, and nobody off the page takes part.
func (r *rotation) verifyGate(ctx context.Context) (string, []refusal) {
	var refusals []refusal
	since := plan.Text(r.limits.Page(r.world.Clock.Now().Sub(r.acceptedAt)))
	late, short := map[string]bool{}, map[string][]string{}
	for _, b := range r.short("G1") {
		short[b.Party] = append(short[b.Party], b.Short())
	}
	for _, v := range r.limits.Validators {
		if !v.OnPage {
			continue // outsiders, below, names it if it was seen
		}
		why := short[v.Name]
		delete(short, v.Name)
		if r.mustPublish(v, r.acceptedAt) && !r.publishes(v.From, New) {
			late[v.From] = true // whoever takes what it publishes can do nothing about it
		} else if taken, how := r.taken(v, New); !taken {
			why = append(why, how)
		}
		if len(why) > 0 {
			refusals = append(refusals, refusal{v.Name, strings.Join(why, ", and ")})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(late)) {
		short[name] = append(short[name], fmt.Sprintf("%s does not publish %s, %s after it was accepted", name, New, since))
	}
	for _, name := range slices.Sorted(maps.Keys(short)) {
		refusals = append(refusals, refusal{name, strings.Join(short[name], ", and ")})
	}
	refusals = append(refusals, r.outsiders()...)
	holds := fmt.Sprintf("%s after %s was accepted every validator has it", since, New)
	if untold := r.untold(); untold != "" {
		holds += ", as far as it can be told: nothing tells it of " + untold
	}
	return holds, refusals
}

// untold are the validators that cannot be seen taking a credential.
func (r *rotation) untold() string {
	var names []string
	for _, v := range r.limits.Validators {
		if v.Untold {
			names = append(names, v.Name)
		}
	}
	return strings.Join(names, ", ")
}

// mustPublish reports whether the emitter of a validator's credentials has had
// the time that it may take to publish a change.
func (r *rotation) mustPublish(v plan.Validator, changed time.Time) bool {
	return r.world.Clock.Now().Sub(changed) > r.limits.Wall(r.limits.Publishing(v))+settle
}

// publishes reports whether an emitter publishes a credential; one that does not
// say what it publishes is given the benefit of the doubt.
func (r *rotation) publishes(emitter, credential string) bool {
	set, known := r.published(emitter)
	return !known || slices.Contains(set, credential)
}

// published is the set that an emitter says it publishes.
func (r *rotation) published(emitter string) (set []string, known bool) {
	r.see(func(v *history.View) { set, known = v.Published[emitter] })
	return set, known
}

// taken says whether a validator takes a credential: from its own fetches and
// logs, from a probe that it accepted, or because it is one that learns when it
// meets the credential and was not asked.
func (r *rotation) taken(v plan.Validator, credential string) (bool, string) {
	var holds, asked, accepted bool
	r.see(func(view *history.View) {
		_, holds = view.Holds[v.Name][credential]
		if probe, there := view.Probes[v.Name][credential]; there {
			asked, accepted = true, probe.Outcome == history.OK
		}
	})
	switch {
	case asked && accepted, !asked && (holds || v.Authority || v.OnMiss || v.Untold):
		return true, ""
	case asked && holds:
		return false, fmt.Sprintf("%s has fetched %s and still refuses it", v.Name, credential)
	case asked:
		return false, fmt.Sprintf("%s refuses %s", v.Name, credential)
	}
	return false, fmt.Sprintf("%s has not taken %s", v.Name, credential)
}
