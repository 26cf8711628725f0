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
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// refusal is one reason for which a gate does not hold, and the party to look at.
type refusal struct {
	consumer string
	why      string
}

// check evaluates a gate: what holds, in a sentence, and what does not.
type check func(ctx context.Context) (holds string, refusals []refusal)

// gate evaluates what must hold before the next phase, records it, and, where
// gates are enforced, turns a refusal into a decision to go back.
func (r *rotation) gate(ctx context.Context, phase history.Phase, check check) error {
	if r.plan.Gates == scenario.Off {
		return nil
	}
	asked := r.world.Evidence.Offset()
	holds, refusals := check(ctx)
	g := history.Gate{Phase: phase, Mode: string(r.plan.Gates), Held: len(refusals) == 0, Detail: holds}
	if g.Held {
		r.record(history.Event{Kind: history.KindGate, Phase: phase, Gate: &g})
		return nil
	}
	whys := make([]string, len(refusals))
	for i, refused := range refusals {
		g := g
		g.Detail, g.Consumer = refused.why, refused.consumer
		r.record(history.Event{Kind: history.KindGate, Phase: phase, Gate: &g})
		whys[i] = refused.why
	}
	why := fmt.Sprintf("the gate of %s does not hold: %s", phase, strings.Join(whys, "; "))
	if r.enforced() {
		return r.decide(history.TriggerGate, why, asked)
	}
	r.record(history.Event{Kind: history.KindDecision, Phase: phase, Decision: &history.Decision{
		Action: history.ActionRecord, Trigger: history.TriggerGate, Why: why, Since: asked,
	}})
	return nil
}

// enough is how many first attempts a cell must have for its baseline to say
// anything; a client that is too slow for that in the planned time needs half
// of what it sends.
const enough = 20

// baselineGate holds when every client has been seen, and without failures
// beyond the page's objective: over a failing baseline nothing can be told.
func (r *rotation) baselineGate(context.Context) (string, []refusal) {
	var refusals []refusal
	var attempts int64
	for _, c := range r.clientSums(0) {
		attempts += c.sum.Attempts
		due := c.rate * r.plan.Times.Baseline.Seconds() / 2
		if need := min(enough, int64(due)); c.sum.Attempts < need {
			refusals = append(refusals, refusal{c.to, fmt.Sprintf("%s made %d attempts at %s in the baseline, want at least %d",
				c.name, c.sum.Attempts, c.to, need)})
		}
		bad := c.sum.AuthFailures + c.sum.Unavailable
		if bad > 0 && float64(bad) > (1-r.limits.Objective)*float64(c.sum.Attempts) {
			refusals = append(refusals, refusal{c.to, fmt.Sprintf("%d of %d attempts of %s at %s failed before anything was changed",
				bad, c.sum.Attempts, c.name, c.to)})
		}
	}
	holds := fmt.Sprintf("%d attempts, every client seen, failures inside the objective", attempts)
	if r.youngest != "" {
		holds += fmt.Sprintf("; %s has just fetched, so its cache is at its freshest", r.youngest)
	}
	return holds, refusals
}

// clientSum is what one presenter did at the judged hop since some offset.
type clientSum struct {
	name, to string
	rate     float64
	sum      history.Counts
}

// clientSums adds up what each presenter did at the judged hop since an offset.
// Clients that have not been seen at all are there with zero attempts where the
// load itself is judged.
func (r *rotation) clientSums(from history.Offset) []clientSum {
	var sums []clientSum
	r.see(func(v *history.View) {
		index := map[[2]string]int{}
		if r.limits.Hop == history.FromLoad {
			for _, c := range r.limits.Clients {
				index[[2]string{c.Name, c.To}] = len(sums)
				sums = append(sums, clientSum{name: c.Name, to: c.To, rate: c.Rate})
			}
		}
		for _, key := range v.Keys() {
			if key.Source != r.limits.Hop {
				continue
			}
			pair := [2]string{key.Presenter, key.Validator}
			i, there := index[pair]
			if !there {
				i = len(sums)
				index[pair] = i
				sums = append(sums, clientSum{name: key.Presenter, to: key.Validator})
			}
			c := v.Sum(key, from, v.Now+1)
			sums[i].sum.Add(&c)
		}
	})
	return sums
}

// verifyGate holds when the lead is at least G1 for every validator on the
// page, each has taken the new credential, and nobody off the page takes part.
func (r *rotation) verifyGate(ctx context.Context) (string, []refusal) {
	var refusals []refusal
	since := plan.Text(r.limits.Page(r.world.Clock.Now().Sub(r.acceptedAt)))
	late := map[string]bool{}
	for _, v := range r.limits.Validators {
		if !v.OnPage {
			continue // outsiders, below, names it if it was seen
		}
		var why []string
		if g1 := r.limits.G1(v); r.limits.Lead < g1 {
			why = append(why, fmt.Sprintf("the lead is %s and must be at least %s for %s", plan.Text(r.limits.Lead), plan.Text(g1), v.Name))
		}
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
		refusals = append(refusals, refusal{name, fmt.Sprintf("%s does not publish %s, %s after it was accepted", name, New, since)})
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

// revocation is the judge's rule for which a token must outlive the revoke.
const revocation = "revocation"

// lacks reports whether there is no evidence for a rule of the judge.
func (r *rotation) lacks(rule string) bool {
	_, lacks := r.limits.Lacks(rule)
	return lacks
}

// emittersOn lists the emitters that were last seen with a credential.
func (r *rotation) emittersOn(credential string, onPage bool) []string {
	var names []string
	r.see(func(v *history.View) {
		for _, e := range r.limits.Emitters {
			if v.Emitting[e.Name] == credential && (e.OnPage || !onPage) {
				names = append(names, e.Name)
			}
		}
	})
	return names
}

// emitGate holds when each emitter on the page was seen using the new credential.
func (r *rotation) emitGate(context.Context) (string, []refusal) {
	var refusals []refusal
	for _, name := range r.emittersOn(Old, true) {
		refusals = append(refusals, refusal{name, fmt.Sprintf("%s still uses %s, %s after it was told to use %s",
			name, Old, plan.Text(r.limits.Propagation+r.limits.Publishing(plan.Validator{From: name})), New)})
	}
	return fmt.Sprintf("every emitter uses %s", New), refusals
}

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
// credential is used any more, and nobody off the page takes part.
func (r *rotation) overlapGate(context.Context) (string, []refusal) {
	var refusals []refusal
	g2 := r.limits.G2()
	for _, name := range r.emittersOn(Old, false) {
		refusals = append(refusals, refusal{name, fmt.Sprintf("%s still uses %s", name, Old)})
	}
	now := r.world.Evidence.Offset()
	users, lastUse := map[string]int64{}, time.Duration(0)
	r.see(func(v *history.View) {
		lastUse = r.limits.LastUse((now - v.LastSwitch(New)).Duration())
		for _, key := range v.Keys() {
			if key.Source == r.limits.Hop && key.Credential == Old && !slices.Contains(r.limits.Exceptions, key.Presenter) {
				if n := answered(v.Sum(key, now-history.Offset(lastUse), now+1)); n > 0 {
					users[r.user(key)] += n
				}
			}
		}
	})
	short := ""
	if r.limits.Window < g2 {
		short = fmt.Sprintf("the window is %s and must be at least %s, the longest life of what %s made", plan.Text(r.limits.Window), plan.Text(g2), Old)
	}
	refusals = append(refusals, r.strangers(now)...)
	for name, n := range users {
		why := fmt.Sprintf("%s used %s %d times in the last %s", name, Old, n, plan.Text(r.limits.Page(lastUse)))
		if short != "" {
			why = short + ", and " + why
		}
		refusals = append(refusals, refusal{name, why})
	}
	if short != "" && len(users) == 0 {
		refusals = append(refusals, refusal{"", short})
	}
	slices.SortFunc(refusals, func(a, b refusal) int { return strings.Compare(a.consumer+a.why, b.consumer+b.why) })
	return fmt.Sprintf("%s is not used any more, and nobody off the page takes part", Old), append(refusals, r.outsiders()...)
}

// watchGate holds when every validator refused the old credential by G3 and
// takes the new one.
func (r *rotation) watchGate(context.Context) (string, []refusal) {
	var refusals []refusal
	late := map[string]bool{}
	for _, v := range r.limits.Validators {
		if set, known := r.published(v.From); known && slices.Contains(set, Old) && r.mustPublish(v, r.revokedAt) {
			late[v.From] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(late)) {
		refusals = append(refusals, refusal{name, fmt.Sprintf("%s still publishes %s %s after the revoke", name, Old, plan.Text(r.limits.Watch))})
	}
	r.see(func(view *history.View) {
		for _, v := range r.limits.Validators {
			old, asked := view.Probes[v.Name][Old]
			switch {
			case asked && old.Outcome == history.OK && late[v.From]: // it takes what is published
			case asked && old.Outcome == history.OK:
				bound := "and nothing will ever make it refuse it"
				if g3 := r.limits.G3(v); g3 != runbook.Forever {
					bound = fmt.Sprintf("the bound is %s", plan.Text(g3))
				}
				refusals = append(refusals, refusal{v.Name, fmt.Sprintf("%s still takes %s %s after the revoke, %s",
					v.Name, Old, plan.Text(r.limits.Watch), bound)})
			case r.lacks(revocation): // nothing could be shown to it
			case !asked || old.Outcome != history.AuthFailure:
				refusals = append(refusals, refusal{v.Name, fmt.Sprintf("%s could not be asked whether it refuses %s", v.Name, Old)})
			}
			_, holds := view.Holds[v.Name][New]
			if late[v.From] && !holds {
				continue // it cannot take what its emitter does not give it
			}
			if probe, asked := view.Probes[v.Name][New]; asked && probe.Outcome != history.OK {
				refusals = append(refusals, refusal{v.Name, fmt.Sprintf("%s does not take %s: %s", v.Name, New, probe.Status)})
			}
		}
	})
	return fmt.Sprintf("every validator refuses %s and takes %s", Old, New), refusals
}
