package judge

import (
	"fmt"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// bounds holds when the lead, the window and the watch are at least G1, G2 and G3,
// with the larger of what the page, the library and this run's own measurements
// say. A run in which one is broken and nobody was refused was lucky: another
// moment, another phase of a cache, and somebody is. By the page alone that leaves
// the answer open; where the run itself has seen that a party takes longer than the
// page says, the page is wrong, and the run fails. So it does where the run has seen
// that only a hold kept somebody from being refused: on hold the page's clock stands
// still, and caches and clients go on.
func bounds(e *evidence) (Outcome, string, []Finding) {
	var broken []plan.Bound
	tried, hurt := 0, false
	for _, b := range e.boundsSeen() {
		if !e.tried(b.Rule) {
			continue
		}
		if tried++; !b.Held {
			broken, hurt = append(broken, b), hurt || e.hurt(b.Rule)
		}
	}
	broken = plan.Worst(broken)
	felt, _, told := flat(e)
	broken = slices.DeleteFunc(broken, func(b plan.Bound) bool { return isOneSlot(b, told) })
	var findings []Finding
	outcome, detail := Pass, "lead, window and watch are long enough for everybody, by the page and by what was seen"
	for _, b := range broken {
		f, came := e.tellBound(b), Inconclusive
		switch {
		case hurt:
			f.Message, came = b.Short(), Fail
		case len(b.Seen) > 0:
			f.Level, came = Error, Fail
			if felt == Fail {
				f.Level = Warning // the run is about who was refused, and why
			}
		}
		if r, held := e.reprieved(b); held && !hurt {
			f.Message = fmt.Sprintf("held because of the hold: %s; %s", b.Short(), r.text)
			if r.sure {
				f.Level, came = Error, Fail
			}
			if r.who != "" {
				f.Consumer = r.who
			}
		}
		if outcome == Pass || outcome == Inconclusive && came == Fail {
			outcome, detail = came, f.Message
		}
		findings = append(findings, f)
	}
	for _, v := range e.limits.Validators {
		if slices.ContainsFunc(findings, func(f Finding) bool { return f.Validator == v.Name && f.FirstPhase == string(history.Verify) }) {
			continue
		}
		f, came := e.canary(v)
		if came == Fail || came == Inconclusive && outcome == Pass {
			outcome, detail = came, f.Message
		}
		if came != Pass {
			findings = append(findings, f)
		}
	}
	if f, early := e.early(); early && !e.hurt("G1") {
		if findings = append(findings, f); outcome == Pass {
			outcome, detail = Inconclusive, f.Message
		}
	}
	if tried == 0 {
		return Skipped, "nothing was waited for", nil
	}
	if why := e.momentUnseen(); outcome == Pass && why != "" {
		outcome, detail = Inconclusive, why
	}
	return outcome, detail, onePerParty(findings)
}

// isOneSlot reports whether a lead seems too short because its validator was found to have
// room for one credential: when that took the new one says nothing of how long it takes to
// learn, since it was the emit that had it learn.
func isOneSlot(b plan.Bound, findings []Finding) bool {
	return b.Rule == "G1" && len(b.Seen) > 0 &&
		slices.ContainsFunc(findings, func(f Finding) bool { return f.Cause == CauseOneSlot && f.Consumer == b.Validator })
}

// momentUnseen says of whom on the page nobody saw when it is worst to accept: that
// it learned in time was luck, for all that is known. Of a system that is not the
// run's own fetches need not be seen: there it is said, and the bounds of the page tell.
func (e *evidence) momentUnseen() string {
	if e.limits.Attached() {
		return ""
	}
	for _, event := range e.events {
		if v, there := e.limits.Validator(event.Service); event.Kind == history.KindMoment && event.What == history.MomentUnseen && there && v.OnPage {
			return fmt.Sprintf("the worst moment to accept for %s was waited for and did not come: %s", v.Name, event.Detail)
		}
	}
	return ""
}

// canary is what a refused canary comes to where the new credential was emitted all
// the same: the validator, or one of its replicas, had not learned it at the end of
// the lead, whatever the bounds say, and that nobody happened to be refused was luck.
func (e *evidence) canary(v plan.Validator) (Finding, Outcome) {
	at, emitted := e.done(string(keyring.Emit), e.fresh)
	answer, a := e.limits.Answered(e.view, v.Name, e.fresh, history.Canary)
	if !emitted || answer != plan.Refuses && answer != plan.Doubtful {
		return Finding{}, Pass
	}
	f := Finding{
		Level: Warning, Validator: v.Name, Consumer: v.Name, Credential: e.fresh, CausedBy: string(keyring.Emit),
		FirstPhase: string(history.Verify), FirstMS: a.FirstRefused.Milliseconds(), LastMS: at.Milliseconds(), Count: a.Refused,
	}
	if answer == plan.Doubtful {
		f.Message = e.doubt(v, a)
		f.Fix = fmt.Sprintf("watch %s for longer before the accept, and ask each of its replicas by its own address", v.Name)
		return f, Inconclusive
	}
	f.Message = fmt.Sprintf("%s refused the canary of %s at the end of the lead in %d of %d answers", v.Name, e.fresh, a.Refused, a.Asked())
	f.Fix = fmt.Sprintf("find out when %s takes a new one, and emit after that (rollout.lead)", v.Name)
	if a.Taken > 0 {
		f.Message += ": not all of its replicas had learned it"
		f.Fix = fmt.Sprintf("ask each replica of %s by its own address, and prove every one before emitting", v.Name)
	}
	if e.hurt("G1") {
		return f, Pass // that is what the run is about
	}
	f.Message = "held by luck: " + f.Message + "; nobody was refused this time"
	return f, Inconclusive
}

// onePerParty leaves of errors that name the same party the first.
func onePerParty(findings []Finding) []Finding {
	named := map[string]bool{}
	for i, f := range findings {
		if f.Level != Error {
			continue
		}
		if named[f.Consumer] {
			findings[i].Level = Warning
		}
		named[f.Consumer] = true
	}
	return findings
}

// tried reports whether a run got as far as that a bound counts.
func (e *evidence) tried(rule string) bool {
	emitted, was := e.done(string(keyring.Emit), e.fresh)
	switch rule {
	case "G1":
		return was
	case "G2":
		revoked, done := e.done(string(keyring.Revoke), e.old)
		return was && done && revoked >= emitted
	}
	_, done := e.done(string(keyring.Revoke), e.old)
	return done && e.ended == history.EndedComplete
}

// hurt reports whether somebody felt what a broken bound leads to, or another rule
// has found it: then that is what the run is about, and the bound only says what
// would have been enough.
func (e *evidence) hurt(rule string) bool {
	refused := func(credential string, from history.Offset) bool {
		for _, key := range e.hop() {
			if key.Credential == credential && e.view.Sum(key, from, e.end+1).AuthFailures > 0 {
				return true
			}
		}
		return false
	}
	switch rule {
	case "G1":
		_, _, felt := availability(e) // a refusal in other words
		return refused(e.fresh, e.start) || slices.ContainsFunc(felt, func(f Finding) bool { return f.Level == Error && f.Credential == e.fresh })
	case "G2":
		revoked, _ := e.begun(string(keyring.Revoke), e.old)
		used, _, _ := distribution(e)
		_, _, felt := availability(e)
		cut := slices.ContainsFunc(felt, func(f Finding) bool { return f.Cause == CauseCutOff })
		return used == Fail || cut || refused(e.old, revoked-bucketWidth)
	}
	kept, _, _ := revocation(e)
	return kept == Fail
}

// tellBound is the finding of a bound that does not hold, where nobody was refused.
func (e *evidence) tellBound(b plan.Bound) Finding {
	f := Finding{
		Level: Warning, Validator: b.Validator, Consumer: b.Party, Credential: e.fresh, CausedBy: string(keyring.Emit),
		FirstPhase: string(history.Verify), Count: 1, Message: "held by luck: " + b.Short() + "; nobody was refused this time",
	}
	at, _ := e.done(string(keyring.Emit), e.fresh)
	switch b.Rule {
	case "G2":
		f.Credential, f.CausedBy, f.FirstPhase = e.old, string(keyring.Revoke), string(history.Overlap)
		at, _ = e.begun(string(keyring.Revoke), e.old)
	case "G3":
		f.Credential, f.CausedBy, f.FirstPhase = e.old, string(keyring.Revoke), string(history.Watch)
		f.Message = b.Short()
		v, _ := e.limits.Validator(b.Validator)
		if revoked, _ := e.begun(string(keyring.Revoke), e.old); e.oldProbes(v, revoked).refused {
			f.Message = "held by luck: " + b.Short() + "; the old one was refused sooner this time"
		}
		at = e.end
	}
	f.FirstMS, f.LastMS = at.Milliseconds(), at.Milliseconds()
	f.Fix = fixBound(b)
	return f
}

// fixBound is what to write on the page, or to do, where a bound does not hold.
func fixBound(b plan.Bound) string {
	if b.Needed == runbook.Forever {
		return fmt.Sprintf("make %s fetch anew, or restart it, as a step of the rollout: no %s is long enough", b.Validator, b.Field)
	}
	fix := fmt.Sprintf("%s: at least %s", b.Field, plan.Text(b.Needed))
	if len(b.Seen) > 0 {
		fix += fmt.Sprintf(", and write on the page what %s really does", b.Party)
	}
	if b.Open {
		fix += fmt.Sprintf("; nothing shows that any %s is long enough: have %s fetch anew, or restart it, as a step of the rollout", b.Field, b.Party)
	}
	return fix
}
