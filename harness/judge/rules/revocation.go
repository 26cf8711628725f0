package rules

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/keyset"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/learning"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/unanswered"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/watch"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// revocation holds when every validator refused the old credential by its bound G3, shown with a token
// or session from before the revoke that had not expired, and takes the new one.
func revocation(e *judging) (judge.Outcome, string, []judge.Finding) {
	return e.once("revocation", findRevocation)
}

func findRevocation(e *judging) (judge.Outcome, string, []judge.Finding) {
	revoked, ok := e.RevokedAt()
	if !ok {
		return judge.Skipped, "nothing was revoked", nil
	}
	if e.Ended == history.EndedRolledBack {
		return judge.Skipped, "the revoke was taken back", nil
	}
	var findings []judge.Finding
	var open []string
	for _, v := range e.Limits.Validators {
		if e.Limits.NamedOtherwise(e.View, v.From, e.Old, e.Fresh) {
			open = append(open, e.ownNames())
			continue
		}
		f := judge.Finding{
			Level: judge.Error, Validator: v.Name, Consumer: v.Name, Credential: e.Old, CausedBy: string(keyring.Revoke), Cause: judge.CauseKeptRevoked,
			FirstPhase: string(history.Watch), FirstMS: revoked.Milliseconds(),
		}
		about := f
		missing := e.refusesOld(&f, v, revoked)
		if missing != "" {
			open = append(open, missing)
		}
		missing, untaken := e.takesNew(v)
		if missing != "" {
			open = append(open, missing)
		}
		if open := watch.TakesSpoilt(e.Evidence, v.Name); open != "" && f.Message == "" && !untaken {
			f.Credential, f.CausedBy, f.Cause, f.Message, f.Fix = e.Fresh, "", judge.CauseTakesAnything, open, watch.CloseFirst(v.Name)
			a := e.View.Said(v.Name, "", history.Control)
			f.FirstPhase, f.FirstMS, f.LastMS, f.Count = e.PhaseAt(a.LastAsked), a.LastTaken.Milliseconds(), a.LastTaken.Milliseconds(), a.Taken
		}
		switch { // one party, one finding
		case untaken && (f.Message == "" || e.wasPutBack(v)):
			findings = append(findings, e.tellUntaken(about, v))
		case f.Message != "" && untaken:
			f.Message += fmt.Sprintf("; and it refuses %s", e.Fresh)
			findings = append(findings, f)
		case f.Message != "":
			findings = append(findings, f)
		}
	}
	open = append(open, e.neverAsked()...)
	if f, left := e.undestroyed(); left {
		findings = append(findings, f)
		if len(findings) == 1 {
			return judge.Fail, f.Message, findings
		}
	}
	switch {
	case len(findings) == 1 && findings[0].Cause == judge.CauseTakesAnything:
		return judge.Fail, findings[0].Message, findings
	case len(findings) > 0:
		return judge.Fail, fmt.Sprintf("%s is refused late, or %s is not taken", e.Old, e.Fresh), findings
	case len(open) > 0:
		return judge.Inconclusive, strings.Join(open, "; "), nil
	}
	return judge.Pass, fmt.Sprintf("every validator refused %s in time and takes %s", e.Old, e.Fresh), nil
}

// keptTooLong reports whether a validator took the old credential after its bound: when asked after it
// or, by its own log of forgetting, when answering after it. Being asked late, or answering slowly,
// does not count.
func (e *judging) keptTooLong(v plan.Validator, p evidence.Presented, revoked history.Offset) bool {
	bound := e.Limits.G3(v)
	if p.Taken == 0 || bound == runbook.Forever {
		return false
	}
	until := revoked + history.Offset(e.Limits.Wall(bound)+v.Granule) + evidence.Nearly
	forgot, says := e.View.Forgot[v.Name][e.Old]
	return p.LastAsked > until || p.LastTaken > until && says && forgot > until
}

// refusesOld tells in a finding that a validator went on taking the old credential, or says what is
// missing to know.
func (e *judging) refusesOld(f *judge.Finding, v plan.Validator, revoked history.Offset) (missing string) {
	p := e.OldProbes(v, revoked)
	f.LastMS, f.Count = p.LastTaken.Milliseconds(), p.Taken
	bound := e.Limits.G3(v)
	if why := watch.Unreadable(e.Evidence, v.Name); why != "" {
		return why
	}
	switch {
	case p.Refused && e.keptTooLong(v, p, revoked):
		f.Message = fmt.Sprintf("%s%s took %s until %s after the revoke; the bound is %s", v.Name, e.OffPage(v.Name), e.Old, e.Page(p.LastTaken-revoked), plan.Text(bound))
		f.Fix = fmt.Sprintf("find out why %s forgets late, or write forgets_within: %s on the page", v.Name, e.AtLeast(p.RefusedAt-revoked))
		late := v
		late.Forgets = e.Limits.Page((p.RefusedAt - revoked).Duration()) + evidence.Margin
		if need := e.Limits.G3(late); need > e.Limits.Watch {
			f.Fix += fmt.Sprintf(" and watch for at least %s (rollout.watch)", plan.Text(need.Round(time.Second)))
		}
		if v.Authority {
			f.Fix += "; if it keeps for a time what it once decided, this run saw what was left of that: write the whole of it"
		}
		e.kept(f, v, p)
	case p.Refused:
	case p.Last.Outcome == history.Unavailable && p.InARow == 0 && e.Limits.LeavesTheLogin(p.Last.Status):
		return fmt.Sprintf("%s %s: that is no refusal; %s, and rehearse again", v.Name, e.Limits.Neither(e.Old, p.Last.Status), e.Limits.EndTheLogin(string(keyring.Revoke), e.Old, p.Last.Status))
	case p.Taken == 0 && p.Unshown != "":
		return fmt.Sprintf("%s was never shown %s: %s", v.Name, e.Old, p.Unshown)
	case p.Taken == 0:
		if status, err := strconv.Atoi(p.Last.Status); err == nil && status < http.StatusInternalServerError {
			return fmt.Sprintf("%s answered %s to %s, which is read as neither taken nor refused%s", v.Name, p.Last.Status, e.Old, unanswered.SayRefusal(e.Evidence, v.Name, p.Last.Status))
		}
		return fmt.Sprintf("%s %s", v.Name, history.Neither(e.Old, p.Last.Status))
	case bound == runbook.Forever && (p.Last.Outcome == history.OK || p.LastTaken >= e.End-evidence.Nearly),
		bound != runbook.Forever && p.LastAsked-revoked+2*evidence.BucketWidth >= history.Offset(e.Limits.Wall(bound)+v.Granule):
		f.Message = fmt.Sprintf("%s%s still took %s %s after the revoke: %s", v.Name, e.OffPage(v.Name), e.Old, e.Page(p.LastTaken-revoked), e.boundText(v, bound))
		f.Fix = fmt.Sprintf("restart %s after a revoke, or give what it keeps (its key set, tokens that it has checked) an expiry of at most %s: until then a revoked credential still lets somebody in", v.Name, e.mayKeep(v))
		switch {
		case v.Authority:
			f.Fix = fmt.Sprintf("check at %s itself whether %s is revoked: if not, the step revoke did nothing, or something else; if it is, ask the operators of %s how long it still takes a revoked one, write that on the page (consumers: forgets_within), and watch for longer than that (rollout.watch, more than %s)",
				v.Name, e.Old, v.Name, e.Page(p.LastTaken-revoked))
		case v.Reads:
			f.Fix = fmt.Sprintf("have %s read what is published again after a revoke (a reload, a signal, a restart): until then a revoked credential still lets somebody in", v.Name)
		}
		if p.BySession() {
			f.Message = fmt.Sprintf("%s lets nobody in anew with %s, and still served a session made before, %s after the revoke", v.Name, e.Old, e.Page(p.LastTaken-revoked))
		}
		e.kept(f, v, p)
	case p.InARow > 0:
		return fmt.Sprintf("%s took %s again after it had refused it, and has refused it only %s since: some of its replicas may still take it", v.Name, e.Old, plan.Counted(p.InARow, "time"))
	case p.Last.Outcome != history.OK:
		return fmt.Sprintf("%s still took %s %s after the revoke and gave no answer after that (%s)%s", v.Name, e.Old, e.Page(p.LastTaken-revoked), p.Last.Status, unanswered.SayRefusal(e.Evidence, v.Name, p.Last.Status))
	case p.UnshownSince != 0:
		return fmt.Sprintf("%s took %s for %s after the revoke, and may until %s; after that it could not be asked: %s", v.Name, e.Old, e.Page(p.LastTaken-revoked),
			plan.Text(bound+e.Limits.Page(v.Granule)), p.Unshown)
	default:
		return fmt.Sprintf("%s still took %s when it was last asked, %s after the revoke, and may until %s", v.Name, e.Old, e.Page(p.LastAsked-revoked),
			plan.Text(bound+e.Limits.Page(v.Granule))) // what it rounds up is wall time
	}
	return ""
}

// neverAsked names parties that fetch the key set, are neither on the page nor known to check anything,
// and were therefore never shown the old credential: they may take it for good.
func (e *judging) neverAsked() (open []string) {
	for _, key := range slices.Sorted(maps.Keys(e.View.Readers)) {
		r := e.View.Readers[key]
		_, checks := e.Limits.Validator(r.Name)
		if _, emits := e.Limits.Emitter(r.Name); r.What == runbook.JWKS && !checks && !emits && e.isOffPage(r.Name) && !e.handsOn(r.Name) {
			open = append(open, fmt.Sprintf("%s fetches the key set and is not on the page: nobody showed it %s after the revoke, and nothing tells whether it refuses it; put it on the page, or say whose requests these are (services: agent)", r.Name, e.Old))
		}
	}
	return open
}

// handsOn reports whether somebody fetched the key set from a party, as from a cache: such a party
// checks nothing.
func (e *judging) handsOn(name string) bool {
	return slices.ContainsFunc(e.Events, func(event history.Event) bool {
		return event.Kind == history.KindRead && event.What == runbook.JWKS && event.Service == name || event.Kind == history.KindFetched && event.From == name
	})
}

// mayKeep is how long a validator may keep a key: what the page says or, where nothing makes it forget,
// what the watch leaves after the change has arrived.
func (e *judging) mayKeep(v plan.Validator) string {
	if v.Forgets != runbook.Forever {
		return plan.Text(v.Forgets) + ", as the page says"
	}
	v.Forgets = 0
	if left := e.Limits.Watch - e.Limits.G3(v); left > 0 {
		return fmt.Sprintf("%s, so that it is over in a watch of %s", plan.Text(left), plan.Text(e.Limits.Watch))
	}
	return "what you can bear, and watch for longer than that"
}

// takesNew says whether a validator refuses the new credential after the revoke, or what is missing to
// know.
func (e *judging) takesNew(v plan.Validator) (missing string, untaken bool) {
	switch answer, a := e.Limits.Answered(e.View, v.Name, e.Fresh, history.NewAfter); answer {
	case plan.Refuses:
		if n := e.takenMeanwhile(v); a.Taken == 0 && n >= evidence.LeastAttempts && !e.underAnotherName(v) {
			why := "it refuses something other than the key in new tokens, for instance a time that its clock has not reached"
			if old, fresh := keyset.TypesIn(e.Evidence, v.From); old != fresh && old != "" && fresh != "" {
				why = fmt.Sprintf("%s has a key of the type %s in its set as %s, and %s of %s: it signs with a key of its own, and not with what it was given, by which the harness signs", v.From, fresh, e.Fresh, e.Old, old)
			}
			if v.Authority {
				why = "it does not let the harness in, or not for what the harness asks (a list of addresses, a scope), so nothing shows what it takes"
			}
			return fmt.Sprintf("%s refused %s in all of %d answers to the harness, and took it %d times from others meanwhile: %s", v.Name, e.Fresh, a.Refused, n, why), false
		}
		if e.namesNone() && a.Taken == 0 {
			return fmt.Sprintf("%s refused each token that the harness made, and what clients present names no credential of this run: it may not check by a key (it may ask about each token, as by introspection), so nothing shows what it takes", v.Name), false
		}
		return "", true
	case plan.Doubtful:
		return e.doubt(v, a), false
	case plan.Unasked, plan.Silent:
		return fmt.Sprintf("%s was not seen taking %s after the revoke", v.Name, e.Fresh), false
	}
	return "", false
}

// whyUntaken explains why a validator refused the new credential after the revoke.
func (e *judging) whyUntaken(v plan.Validator) (cell.Explanation, bool) {
	_, at, _ := e.lastProbe(v.Name, history.NewAfter)
	c := &cell.Cell{Evidence: e.Evidence, Symptom: cell.Untaken, Validator: v, Credential: e.Fresh, First: at, Last: at, Way: e.WayTo(v)}
	return cause.Detect(c)
}

// underAnotherName reports whether the new key is published under the name of the old one: what
// its emitter signs names that, and what the harness signs names the key as it should be called.
func (e *judging) underAnotherName(v plan.Validator) bool {
	told, found := e.whyUntaken(v)
	return found && told.Cause == judge.CauseReusedKid
}

// wasPutBack reports whether somebody else set the credential of a validator that refuses the new one:
// then it takes the old one for that reason, and did not keep it.
func (e *judging) wasPutBack(v plan.Validator) bool {
	told, found := e.whyUntaken(v)
	return found && told.Cause == judge.CausePutBack
}

// takenMeanwhile is how often a validator took the new credential from others until the end of the
// watch, where it then refused hardly any: once faults are undone it may take all.
func (e *judging) takenMeanwhile(v plan.Validator) int64 {
	const lately = 5 * evidence.Nearly
	var sum history.Counts
	_, asked, _ := e.lastProbe(v.Name, history.NewAfter)
	for _, key := range e.JudgedCells() {
		if key.Validator == v.Name && key.Credential == e.Fresh {
			part := e.View.Sum(key, asked-lately, asked+evidence.BucketWidth)
			sum.Add(&part)
		}
	}
	if sum.AuthFailures > sum.OK/2 {
		return 0
	}
	return sum.OK
}

// doubt tells of a validator that refused the new credential too seldom to say why.
func (e *judging) doubt(v plan.Validator, a history.Answers) string {
	return fmt.Sprintf("%s refused %s in %d of %d answers, and nothing tells whether one of its replicas does or whether that is usual", v.Name, e.Fresh, a.Refused, a.Asked())
}

// tellUntaken is the finding of a validator that refuses the new credential.
func (e *judging) tellUntaken(f judge.Finding, v plan.Validator) judge.Finding {
	a := e.View.Said(v.Name, e.Fresh, history.NewAfter)
	f.Credential, f.Cause, f.Count = e.Fresh, judge.CauseUnknown, a.Refused
	f.LastMS = e.End.Milliseconds()
	f.Message = fmt.Sprintf("%s refuses %s after the revoke of %s", v.Name, e.Fresh, e.Old)
	f.Fix = fmt.Sprintf("look into the log of %s", v.Name)
	_, ever := e.Learned(v.Name, e.Fresh, e.Start)
	last, took := e.LastTook(v.Name)
	switch {
	case v.Authority || a.Taken > 0: // an authority has it from the step itself
	case took:
		f.Message += fmt.Sprintf(": it took it before, the last time at %s", e.Moment(last))
		f.Fix = fmt.Sprintf("look at what the revoke takes from %s (it is to take %s alone), and into its log from then on", v.Name, e.Old)
	case !ever:
		f.Message += fmt.Sprintf(": it never learned it; %s", learning.LastFetch(e.Evidence, v.Name))
	}
	told, found := e.whyUntaken(v)
	if a.Taken > 0 && !found {
		told = cell.Explanation{
			Cause: judge.CauseSomeReplicas,
			Why:   fmt.Sprintf(" in %d of %d answers: not all of its replicas take it", a.Refused, a.Asked()),
			Fix:   fmt.Sprintf("ask each replica of %s by its own address, and start anew the one that does not fetch; prove every replica before emitting", v.Name),
		}
	}
	told.Apply(&f)
	f.Message += told.Why
	return f
}

// undestroyed is the finding that the old credential could not be destroyed.
func (e *judging) undestroyed() (judge.Finding, bool) {
	if _, done := e.Done(keyring.Destroy, e.Old); done {
		return judge.Finding{}, false
	}
	for _, event := range e.Events {
		if event.Kind != history.KindStep || event.Step != string(keyring.Destroy) || event.Credential != e.Old || event.Detail == "" {
			continue
		}
		f := judge.Finding{
			Level: judge.Error, Credential: e.Old, CausedBy: string(keyring.Destroy), Cause: judge.CauseNotDestroyed, FirstPhase: e.PhaseAt(event.At),
			FirstMS: event.At.Milliseconds(), LastMS: event.At.Milliseconds(), Count: 1,
			Message: fmt.Sprintf("%s is refused everywhere and could not be removed: %s", e.Old, event.Detail),
			Fix:     fmt.Sprintf("give what %s still owns another owner, then remove it (destroy); rehearse that step too", e.Old),
		}
		for _, v := range e.Limits.Validators {
			if v.Authority {
				f.Consumer, f.Validator = v.Name, v.Name
			}
		}
		return f, true
	}
	return judge.Finding{}, false
}

// kept explains a finding about a credential that was taken for too long.
func (e *judging) kept(f *judge.Finding, v plan.Validator, p evidence.Presented) {
	revoked, _ := e.RevokedAt()
	told, found := cause.Detect(e.keptCell(v, p, revoked))
	told.Apply(f)
	f.Message += told.Why
	if found || v.Authority {
		return
	}
	for _, b := range e.BoundsSeen() { // it keeps its set for longer than the page says
		if b.Rule == "G3" && b.Validator == v.Name && b.Party == v.Name && !b.Held && !b.Open && len(b.Seen) > 0 && b.Needed != runbook.Forever {
			f.Message += "; " + strings.Join(b.Seen, ", ")
			f.Fix = fmt.Sprintf("%s; where %s must be refused sooner, restart %s with the revoke", fixBound(b), e.Old, v.Name)
		}
	}
}

// keptCell is the cell of a validator that took the revoked credential for too long.
func (e *judging) keptCell(v plan.Validator, p evidence.Presented, revoked history.Offset) *cell.Cell {
	return &cell.Cell{Evidence: e.Evidence, Symptom: cell.Kept, Validator: v, Credential: e.Old, First: revoked, Last: p.LastTaken, Presented: p}
}

func (e *judging) boundText(v plan.Validator, bound time.Duration) string {
	if bound == runbook.Forever && !v.OnPage && v.Library == "" {
		return "nobody says when it forgets"
	}
	if bound == runbook.Forever {
		return "nothing makes it forget"
	}
	return "the bound is " + plan.Text(bound)
}
