package rotation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// verify holds when the lead is at least G1 for every validator on the
// page, each has taken the new credential, and nobody off the page takes part.
func (l Look) verify() (string, []refusal) {
	var refusals []refusal
	since := plan.Text(l.since(string(keyring.Accept), New))
	if _, accepted := l.View.Steps[string(keyring.Accept)][New]; l.Limits.Rotator() && !accepted {
		why := fmt.Sprintf("the rotator had %s in use before it was accepted", New)
		if l.is != "" {
			why += ": " + l.is
		}
		return "", append(l.outsiders(), refusal{consumer: "", why: why})
	}
	late, short := map[string]bool{}, map[string][]string{}
	for _, b := range l.short("G1") {
		short[b.Party] = append(short[b.Party], b.Short())
	}
	for _, v := range l.Limits.Validators {
		if !v.OnPage {
			continue // outsiders, below, names it if it was seen
		}
		why := short[v.Name]
		delete(short, v.Name)
		if l.Limits.NamedOtherwise(l.View, v.From, Old, New) {
			short[v.From] = append(short[v.From], fmt.Sprintf("%s calls what it signs with %s: no canary shows whether %s has %s", v.From, l.View.Emitting[v.From], v.Name, New))
			continue
		}
		due := l.mustPublish(v, string(keyring.Accept), New) || l.askedWhenDue(v, string(keyring.Accept), New)
		if due && !l.publishes(v.From, New) {
			late[v.From] = true // validators that take their set from it are not at fault
		} else if untold, is := l.unlike(v, New, history.Canary); is {
			refusals = append(refusals, untold)
		} else if taken, how := l.taken(v, New); !taken {
			if publishedAfter, due := l.publishedLate(v); due {
				short[v.From] = append(short[v.From], fmt.Sprintf("%s published %s only %s after it was accepted, and %s still has time to learn it",
					v.From, New, plan.Text(publishedAfter), v.Name))
			} else {
				why = append(why, how)
			}
		}
		if len(why) > 0 {
			refusals = append(refusals, refusal{consumer: v.Name, why: strings.Join(why, ", and ")})
		}
	}
	for _, m := range l.Limits.Emitters {
		late[m.Name] = late[m.Name] || l.lacks(m, string(keyring.Accept), New)
	}
	for _, name := range slices.Sorted(maps.Keys(late)) {
		if !late[name] {
			continue
		}
		short[name] = append(short[name], fmt.Sprintf("%s does not publish %s, %s after it was accepted", name, New, since))
	}
	for _, name := range slices.Sorted(maps.Keys(short)) {
		refusals = append(refusals, refusal{consumer: name, why: strings.Join(short[name], ", and ")})
	}
	refusals = append(refusals, l.outsiders()...)
	refusals = append(refusals, l.byChance("G1")...)
	holds := fmt.Sprintf("%s after %s was accepted every validator has it", since, New)
	if untold := l.untold(); untold != "" {
		holds += ", as far as can be told: nothing tells of " + untold
	}
	if fetched := l.onlyFetched(); fetched != "" {
		holds += fmt.Sprintf("; of %s only the fetch was seen, not that it takes %s", fetched, New)
	}
	return holds, refusals
}

// publishedLate reports whether a validator's emitter published the new credential so much later than
// the page says that the validator still has time to learn it and is not at fault; after is how long
// after the accept it was published.
func (l Look) publishedLate(v plan.Validator) (after time.Duration, late bool) {
	accepted := l.View.Steps[string(keyring.Accept)][New]
	published, does := l.View.PublishedAt[v.From][New]
	if !does || v.OnMiss {
		return 0, false
	}
	late = (published - accepted).Duration() > l.Limits.Wall(l.Limits.Publishing(v)+l.Limits.Propagation)+settle
	has := (l.Now - published).Duration()
	if v.Learns == runbook.Forever || has > l.Limits.Wall(max(v.Learns, v.Rereads)+v.Shared)+v.Granule {
		return 0, false
	}
	return l.Limits.Page((published - accepted).Duration()), late
}

// untold are the validators that nothing shows taking a credential.
func (l Look) untold() string {
	var names []string
	for _, v := range l.Limits.Validators {
		if v.Untold {
			names = append(names, v.Name)
		}
	}
	return strings.Join(names, ", ")
}

// onlyFetched are the validators on the page that fetched the new credential and were not seen to take
// it: their logs do not say, and no canary was shown to them.
func (l Look) onlyFetched() string {
	var names []string
	for _, v := range l.Limits.Validators {
		if v.OnPage && l.View.OnlyFetched(v.Name, New) {
			names = append(names, v.Name)
		}
	}
	return strings.Join(names, ", ")
}

// mustPublish reports whether the emitter of a validator's credentials has had its time to publish a
// change.
func (l Look) mustPublish(v plan.Validator, step, credential string) bool {
	changed, done := l.View.Steps[step][credential]
	return done && (l.Now-changed).Duration() > l.Limits.Wall(l.Limits.Publishing(v))+settle
}

// askedWhenDue reports whether a validator fetched its emitter's set itself after the change should
// have been published by the page.
func (l Look) askedWhenDue(v plan.Validator, step, credential string) bool {
	changed, done := l.View.Steps[step][credential]
	due := changed + history.Offset(l.Limits.Wall(l.Limits.Publishing(v)))
	return done && v.Via == "" && l.View.LastFetch[v.Name] > due
}

// lacks reports whether an emitter on the page publishes a key set without a credential that it has had
// the time to read. A validator that gets this set, through a balancer or an address unknown here,
// cannot learn it.
func (l Look) lacks(m plan.Emitter, step, credential string) bool {
	changed, done := l.View.Steps[step][credential]
	fetched := slices.ContainsFunc(l.Limits.Validators, func(v plan.Validator) bool { return !v.Reads && !v.Authority })
	due := done && fetched && m.OnPage && !m.Reloaded && m.Refresh > 0 && (l.Now-changed).Duration() > l.Limits.Wall(m.Refresh+l.Limits.Propagation)+settle
	return due && !l.publishes(m.Name, credential)
}

// publishes reports whether an emitter publishes a credential; one that does not
// say what it publishes is given the benefit of the doubt.
func (l Look) publishes(emitter, credential string) bool {
	set, known := l.published(emitter)
	if l.Limits.NamedOtherwise(l.View, emitter, Old, New) {
		return true // under which name is not known
	}
	return !known || slices.Contains(set, credential)
}

// published is the set that an emitter says it publishes.
func (l Look) published(emitter string) (set []string, known bool) {
	set, known = l.View.Published[emitter]
	return set, known && !l.View.TurnedAway[emitter]
}

// taken says whether a validator takes a credential: by its own fetches and logs, by the canaries that
// it accepted, or because it learns on first use and was not asked.
func (l Look) taken(v plan.Validator, credential string) (bool, string) {
	answer, why := l.answerOf(v, credential, history.Canary)
	_, holds := l.View.Holds[v.Name][credential]
	open := l.View.Said(v.Name, "", history.Control)
	switch {
	case why != "":
		return false, why
	case open.Taken > 0:
		return false, fmt.Sprintf("%s takes a %s as one of %s (%s): it checks nothing just now, or its refusals cannot be read, and nothing shows that it has learned %s", v.Name, open.Last.Presentation, credential, open.Last.Status, credential)
	case answer != plan.Unasked || holds || v.Authority || v.OnMiss || v.Untold:
		return true, ""
	}
	if l.Limits.Rotator() && v.OnPage {
		return false, fmt.Sprintf("the rotator had %s in use before %s was seen to take it", credential, v.Name)
	}
	return false, fmt.Sprintf("%s has not taken %s", v.Name, credential)
}
