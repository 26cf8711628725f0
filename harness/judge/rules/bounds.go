package rules

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/judge/cause/switching"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// bounds holds when lead, window and watch are at least G1, G2 and G3, each with the largest of what
// the page, the library and this run's own measurements say. A run in which one is broken and nobody
// was refused was lucky: at another moment somebody is. By the page alone that is inconclusive. The run
// fails where it saw that a party takes longer than the page says, for then the page is wrong; and
// where it saw that only a hold kept somebody from being refused: on hold the page's clock stands
// still, while caches and clients go on.
func bounds(e *judging) (judge.Outcome, string, []judge.Finding) {
	var broken []plan.Bound
	tried, hurt := 0, false
	for _, b := range e.BoundsSeen() {
		if !e.tried(b.Rule) {
			continue
		}
		if tried++; !b.Held {
			broken, hurt = append(broken, b), hurt || e.hurt(b.Rule)
		}
	}
	broken = slices.DeleteFunc(plan.Worst(broken), func(b plan.Bound) bool { return b.Maybe && hurt }) // the rules that it hurt say who
	felt, _, told := flat(e)
	broken = slices.DeleteFunc(broken, func(b plan.Bound) bool { return isOneSlot(b, told) })
	broken = slices.DeleteFunc(broken, func(b plan.Bound) bool { // enough for those that switched
		_, turns := switching.TellInTurns(e.Evidence, b.Party)
		return b.Rule == "G2" && len(b.Seen) > 0 && turns && e.hurt(b.Rule)
	})
	var findings []judge.Finding
	outcome, detail := judge.Pass, "lead, window and watch are long enough for everybody, by the page and by what was seen"
	for _, b := range broken {
		f, came := e.tellBound(b), judge.Inconclusive
		switch {
		case hurt:
			f.Message, came = b.Short(), judge.Fail
		case b.Chance: // the bound of the page is its party's mean
		case b.Maybe:
			f.Message, f.Consumer = b.Untold(), ""
		case len(b.Seen) > 0:
			f.Level, came = judge.Error, judge.Fail
			if felt == judge.Fail {
				f.Level = judge.Warning // the refusals are the main finding
			}
		}
		if r, held := e.reprieved(b); held && !hurt {
			f.Message = fmt.Sprintf("held because of the hold: %s; %s", b.Short(), r.text)
			if r.sure {
				f.Level, came = judge.Error, judge.Fail
			}
			if r.who != "" {
				f.Consumer = r.who
			}
		}
		if outcome == judge.Pass || outcome == judge.Inconclusive && came == judge.Fail {
			outcome, detail = came, f.Message
		}
		findings = append(findings, f)
	}
	for _, v := range e.Limits.Validators {
		if slices.ContainsFunc(findings, func(f judge.Finding) bool { return f.Validator == v.Name && f.FirstPhase == string(history.Verify) }) {
			continue
		}
		f, came := e.canary(v)
		if came == judge.Fail || came == judge.Inconclusive && outcome == judge.Pass {
			outcome, detail = came, f.Message
		}
		if came != judge.Pass {
			findings = append(findings, f)
		}
	}
	if f, early := switching.Early(e.Evidence); early && !e.hurt("G1") {
		if findings = append(findings, f); outcome != judge.Fail {
			outcome, detail = judge.Fail, f.Message
		}
	}
	if f, left := e.endedUnseen(findings); left {
		if findings = append(findings, f); outcome == judge.Pass {
			outcome, detail = judge.Inconclusive, f.Message
		}
	}
	if tried == 0 {
		return judge.Skipped, "nothing was waited for", nil
	}
	if why := e.momentUnseen(); outcome == judge.Pass && why != "" {
		outcome, detail = judge.Inconclusive, why
	}
	return outcome, detail, onePerParty(findings)
}

// endedUnseen tells of sessions of the old credential that the revoke ended, where nobody saw whom that hurt: idle
// ones without a name, which a pooler discards, and with which a service's pool fails its next caller; and those of
// who is not on the page, which no client calls. A window seen to be too short is told instead.
func (e *judging) endedUnseen(findings []judge.Finding) (judge.Finding, bool) {
	revoked, done := e.RevokedAt()
	n, unknown := int64(0), false
	f := judge.Finding{Level: judge.Warning, Credential: e.Old, CausedBy: string(keyring.Revoke), FirstPhase: string(history.Revoke)}
	for _, event := range e.Events {
		if event.Kind != history.KindEnded || event.Credential != e.Old || !done || event.At < revoked-evidence.Nearly {
			continue
		}
		if off := e.isOffPage(event.Reader) && event.Reader != history.Somebody; event.What == history.Idle || off {
			if f.Validator == "" {
				f.Validator, f.Presenter, f.FirstMS, unknown = event.Service, event.Reader, event.At.Milliseconds(), off
			}
			if event.Reader != f.Presenter {
				continue
			}
			n++
			f.LastMS = event.At.Milliseconds()
		}
	}
	if n == 0 || e.hurt("G2") || slices.ContainsFunc(findings, func(f judge.Finding) bool { return f.Credential == e.Old }) {
		return f, false
	}
	f.Count = n
	if unknown {
		f.Consumer = f.Presenter
		f.Message = fmt.Sprintf("the revoke ended %s of %s at %s that %s, which is not on the page, still had: whom that hurt is not seen", plan.Counted(n, "session"), e.Old, f.Validator, f.Presenter)
		f.Fix = fmt.Sprintf("put %s on the page, with how it comes by %s, and have it log in anew with that before the revoke", f.Presenter, e.Fresh)
		return f, true
	}
	f.Message = fmt.Sprintf("the revoke ended %s of %s at %s that were idle and whose client gave no name: a pooler between %s and it would replace them unnoticed, and a pool of %s itself would fail its next caller with them; it cannot be told whose they are, and nobody was refused this time",
		plan.Counted(n, "session"), e.Old, f.Validator, f.Presenter, f.Presenter)
	f.Fix = fmt.Sprintf("name the pooler in the scenario, if there is one (services: NAME: {of: %s}); have %s say its name when it logs in, where the server tells it (application_name of PostgreSQL, CLIENT SETNAME of Redis), and close connections when they are as old as the page says", f.Validator, f.Presenter)
	return f, true
}

// isOneSlot reports whether a lead seems too short only because its validator has room for one
// credential: such a validator takes the new one because of the emit, and its time says nothing of how
// fast it learns.
func isOneSlot(b plan.Bound, findings []judge.Finding) bool {
	return b.Rule == "G1" && len(b.Seen) > 0 &&
		slices.ContainsFunc(findings, func(f judge.Finding) bool { return f.Cause == judge.CauseOneSlot && f.Consumer == b.Validator })
}

// momentUnseen says for which validators on the page nobody saw the worst moment to accept: that they
// learned in time may be luck. In an attached system fetches need not be seen; the bounds of the page
// answer there.
func (e *judging) momentUnseen() string {
	if e.Limits.Attached() {
		return ""
	}
	for _, event := range e.Events {
		if event.Kind != history.KindMoment || event.What != history.MomentUnseen {
			continue
		}
		if v, ok := e.Limits.Validator(event.Service); ok && v.OnPage && !e.asThoseBehind(v) {
			return fmt.Sprintf("the worst moment to accept for %s was waited for and did not come: %s", v.Name, event.Detail)
		}
	}
	return ""
}

// asThoseBehind reports whether a validator never fetches, and hands on what it is shown to others on
// the page that do: its worst moment is theirs.
func (e *judging) asThoseBehind(v plan.Validator) bool {
	return len(v.Hands) > 0 && !e.HasFetches(v.Name) && !slices.ContainsFunc(v.Hands, func(name string) bool {
		behind, _ := e.Limits.Validator(name)
		return !behind.OnPage || !e.HasFetches(name)
	})
}

// canary judges a refused canary where the new credential was emitted all the same: the validator, or a
// replica of it, had not learned the credential at the end of the lead, whatever the bounds say. That
// nobody was refused was luck.
func (e *judging) canary(v plan.Validator) (judge.Finding, judge.Outcome) {
	at, emitted := e.Done(keyring.Emit, e.Fresh)
	answer, a := e.Limits.Answered(e.View, v.Name, e.Fresh, history.Canary)
	otherwise := emitted && answer == plan.Silent && e.answeredTheCanary(v, a)
	if e.Limits.NamedOtherwise(e.View, v.From, e.Old, e.Fresh) || e.namesNone() || !e.Limits.Attached() && e.View.Sets[v.From].OtherKey(e.Fresh) {
		return judge.Finding{}, judge.Pass // it is no canary of what the emitter signs
	}
	if !emitted || answer != plan.Refuses && answer != plan.Doubtful && !otherwise {
		return judge.Finding{}, judge.Pass
	}
	f := judge.Finding{
		Level: judge.Warning, Validator: v.Name, Consumer: v.Name, Credential: e.Fresh, CausedBy: string(keyring.Emit),
		FirstPhase: string(history.Verify), FirstMS: a.FirstRefused.Milliseconds(), LastMS: at.Milliseconds(), Count: a.Refused,
	}
	if answer == plan.Doubtful {
		f.Message = e.doubt(v, a)
		f.Fix = fmt.Sprintf("watch %s for longer before the accept, and ask each of its replicas by its own address", v.Name)
		return f, judge.Inconclusive
	}
	f.Message = fmt.Sprintf("%s refused the canary of %s at the end of the lead in %d of %d answers", v.Name, e.Fresh, a.Refused, a.Asked())
	f.Fix = fmt.Sprintf("find out when %s takes a new one, and emit after that (rollout.lead)", v.Name)
	if otherwise {
		f.Message, f.Count = fmt.Sprintf("%s answered %s to the canary of %s at the end of the lead, and took it later: nothing shows that it took it at the emit", v.Name, a.Last.Status, e.Fresh), a.Unanswered
		f.FirstMS = at.Milliseconds()
	}
	if a.Taken > 0 {
		f.Message += ": not all of its replicas had learned it"
		f.Fix = fmt.Sprintf("ask each replica of %s by its own address, and prove every one before emitting", v.Name)
	}
	if e.hurt("G1") {
		return f, judge.Pass // that is what the run is about
	}
	f.Message = "held by luck: " + f.Message + "; nobody was refused this time"
	return f, judge.Inconclusive
}

// answeredTheCanary reports whether a validator answered the canary neither by taking nor by refusing
// it, nor with 429, and took the credential later: a 404, say, for a key that it does not know yet.
func (e *judging) answeredTheCanary(v plan.Validator, a history.Answers) bool {
	status, err := strconv.Atoi(a.Last.Status)
	return err == nil && status >= http.StatusBadRequest && status < http.StatusInternalServerError && status != http.StatusTooManyRequests &&
		e.View.Said(v.Name, e.Fresh, history.NewAfter).Taken > 0
}

// onePerParty keeps the first error that names each party.
func onePerParty(findings []judge.Finding) []judge.Finding {
	named := map[string]bool{}
	for i, f := range findings {
		if f.Level != judge.Error {
			continue
		}
		if named[f.Consumer] {
			findings[i].Level = judge.Warning
		}
		named[f.Consumer] = true
	}
	return findings
}

// tried reports whether a run got far enough for a bound to count.
func (e *judging) tried(rule string) bool {
	emitted, was := e.Done(keyring.Emit, e.Fresh)
	switch rule {
	case "G1":
		return was
	case "G2":
		revoked, done := e.Done(keyring.Revoke, e.Old)
		return was && done && revoked >= emitted
	}
	_, done := e.Done(keyring.Revoke, e.Old)
	return done && e.Ended == history.EndedComplete
}

// hurt reports whether somebody felt the effect of a broken bound, or another rule found it: that is
// then the main finding, and the bound only adds what would have been enough.
func (e *judging) hurt(rule string) bool {
	refused := func(credential string, from history.Offset) bool {
		for _, key := range e.JudgedCells() {
			if key.Credential == credential && e.View.Sum(key, from, e.End+1).AuthFailures > 0 {
				return true
			}
		}
		return false
	}
	switch rule {
	case "G1":
		_, _, felt := availability(e) // a refusal in other words
		return refused(e.Fresh, e.Start) || slices.ContainsFunc(felt, func(f judge.Finding) bool { return f.Level == judge.Error && f.Credential == e.Fresh })
	case "G2":
		revoked, _ := e.Begun(keyring.Revoke, e.Old)
		used, _, _ := distribution(e)
		_, _, felt := availability(e)
		cut := slices.ContainsFunc(felt, func(f judge.Finding) bool { return f.Cause == judge.CauseCutOff })
		return used == judge.Fail || cut || refused(e.Old, revoked-evidence.BucketWidth)
	}
	kept, _, _ := revocation(e)
	return kept == judge.Fail
}

// tellBound is the finding of a broken bound where nobody was refused.
func (e *judging) tellBound(b plan.Bound) judge.Finding {
	f := judge.Finding{
		Level: judge.Warning, Validator: b.Validator, Consumer: b.Party, Credential: e.Fresh, CausedBy: string(keyring.Emit),
		FirstPhase: string(history.Verify), Count: 1, Message: "held by luck: " + b.Short() + "; nobody was refused this time",
	}
	at, _ := e.Done(keyring.Emit, e.Fresh)
	switch b.Rule {
	case "G2":
		f.Credential, f.CausedBy, f.FirstPhase = e.Old, string(keyring.Revoke), string(history.Overlap)
		at, _ = e.Begun(keyring.Revoke, e.Old)
	case "G3":
		f.Credential, f.CausedBy, f.FirstPhase = e.Old, string(keyring.Revoke), string(history.Watch)
		f.Message = b.Short()
		v, _ := e.Limits.Validator(b.Validator)
		if revoked, _ := e.Begun(keyring.Revoke, e.Old); e.OldProbes(v, revoked).Refused {
			f.Message = "held by luck: " + b.Short() + "; the old one was refused sooner this time"
		}
		at = e.End
	}
	f.FirstMS, f.LastMS = at.Milliseconds(), at.Milliseconds()
	f.Fix = fixBound(b)
	return f
}

// fixBound is the cure for a broken bound.
func fixBound(b plan.Bound) string {
	if b.Needed == runbook.Forever {
		return fmt.Sprintf("make %s fetch anew, or restart it, as a step of the rollout: no %s is long enough", b.Validator, b.Field)
	}
	if b.Chance {
		return fmt.Sprintf("%s: %s, and write on the page the longest pause that the settings of %s allow (its interval and all of its jitter): only those tell it", b.Field, b.Enough(), b.Party)
	}
	if b.Copies {
		return fmt.Sprintf("have the cache expire its copy sooner, or purge it with the accept and with the revoke; else %s: %s", b.Field, b.Enough())
	}
	if b.Maybe {
		return fmt.Sprintf("find out whether all of %s switches at once (each of its workers) and how long a delivery may wait; where one switches so late, %s: %s", b.Party, b.Field, b.Enough())
	}
	fix := b.Field + ": " + b.Enough()
	if len(b.Seen) > 0 {
		fix += fmt.Sprintf(", and write on the page what %s really does", b.Party)
	}
	switch {
	case b.Least:
		fix += fmt.Sprintf("; nobody saw how late %s would have been without the revoke: find that out first", b.Party)
	case b.Once:
		fix += fmt.Sprintf("; %s was seen so late once, and may be later the next time: find out how often each of its replicas reads what is published", b.Party)
	}
	switch {
	case b.Open && b.Rule == "G2": // the ended sessions would have lived on
		return fmt.Sprintf("have %s, or a pooler that connects for it, close connections when they are as old as the page says (format.longest_life; server_lifetime), in use or not: nothing shows that any %s is long enough", b.Party, b.Field)
	case b.Open:
		return fmt.Sprintf("%s: %s, and longer than %s keeps a set, which this run did not show: find that out and write it on the page; or have %s fetch anew, or restart it, as a step of the rollout", b.Field, b.Enough(), b.Party, b.Party)
	}
	return fix
}
