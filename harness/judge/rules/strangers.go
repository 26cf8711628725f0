package rules

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// strangers are refusals of tokens under names of none of the rotation's credentials, since it began,
// at validators that refused that client hardly anything before: whoever signed those tokens, auth
// failures were not flat.
func (e *judging) strangers() (findings []judge.Finding, refused, attempts int64) {
	for _, key := range e.View.Keys() {
		client, ok := e.Limits.Client(key.Presenter)
		if !ok || client.From == "" || !e.isStranger(key) {
			continue
		}
		base, since := e.Baseline(key.Presenter, key.Validator), e.View.Sum(key, e.Changed(), e.End+1)
		attempts += since.Attempts
		if since.AuthFailures == 0 || e.Beyond(&base) {
			continue
		}
		refused += since.AuthFailures
		f := e.tellStranger(key, client, &since)
		f.Level, f.BudgetSpent = judge.Error, e.budgetSpent(key.Presenter, key.Validator)
		if !e.Beyond(&since) {
			f.Level = judge.Warning
		}
		findings = append(findings, f)
	}
	return findings, refused, attempts
}

// isStranger reports whether a judged cell has a name of no credential that was made for the run or
// meanwhile.
func (e *judging) isStranger(key history.CellKey) bool {
	_, other := e.Others[key.Credential]
	return key.Source == e.Limits.JudgedAt && key.Credential != "" && key.Credential != history.UnknownIdentifier && key.Credential != e.Old && key.Credential != e.Fresh && !other
}

// tellStranger names who began to use such a name, where that was seen.
func (e *judging) tellStranger(key history.CellKey, client plan.Client, sum *history.Counts) judge.Finding {
	f := judge.Finding{
		Presenter: key.Presenter, Validator: key.Validator, Consumer: key.Validator, Credential: key.Credential, Cause: judge.CauseUnknown,
		CausedBy: e.LastStep(sum.FirstFailure), FirstPhase: e.PhaseAt(sum.FirstFailure),
		FirstMS: sum.FirstFailure.Milliseconds(), LastMS: sum.LastFailure.Milliseconds(), Count: sum.AuthFailures,
		Message: fmt.Sprintf("%s was refused %s by %s with %s, which is neither %s nor %s, and with nothing before anything was changed",
			key.Presenter, plan.Counted(sum.AuthFailures, "time"), key.Validator, key.Credential, e.Old, e.Fresh),
		Fix: fmt.Sprintf("look into the log of %s from %s on, and find out which key %s is", key.Validator, e.Moment(sum.FirstFailure), key.Credential),
	}
	if name, reused := e.reusedName(client.From); reused && name == key.Credential {
		f.Consumer, f.Cause = client.From, judge.CauseReusedKid
		f.Message += fmt.Sprintf(": %s gives each of its keys that name, so that %s takes one for the other", client.From, key.Validator)
		f.Fix = fixReusedName
		return f
	}
	switched, used := e.View.Switched[client.From][key.Credential]
	if !used || switched < e.Changed() {
		return f
	}
	f.Consumer, f.Cause, f.CausedBy = client.From, judge.CauseOtherRotation, cause.CausedByOther
	f.Message += fmt.Sprintf(": %s began to sign with it at %s, and %s had no lead to learn it", client.From, e.Moment(switched), key.Validator)
	f.Fix = fixOtherRotation(e.Limits.Family)
	return f
}

// fixReusedName is the cure where one name stands for several keys.
const fixReusedName = "give every key a name of its own: its thumbprint (RFC 7638) is one"

// reusedName is a name under which an emitter's key set had two keys, at once or one after the other.
func (e *judging) reusedName(emitter string) (name string, reused bool) {
	prints := map[string]string{}
	for _, event := range e.Events {
		if event.Kind != history.KindLooked || event.Service != emitter || event.Set == nil {
			continue
		}
		for _, key := range event.Set.Keys {
			if before, seen := prints[key.Kid]; key.Kid != "" && seen && before != key.Print {
				return key.Kid, true
			}
			prints[key.Kid] = key.Print
		}
	}
	return "", false
}

// ownNames says what cannot be told of an emitter on the page that names its keys differently; "" where
// there is none.
func (e *judging) ownNames() string {
	for _, m := range e.Limits.Emitters {
		if e.Limits.NamedOtherwise(e.View, m.Name, e.Old, e.Fresh) {
			return fmt.Sprintf("%s calls what it signs with %s, and was given %s and %s under other identifiers: nothing shows who uses and who takes which of the two; have it sign and publish under the identifiers that it is given",
				m.Name, e.View.Emitting[m.Name], e.Old, e.Fresh)
		}
	}
	return ""
}

// fixOtherRotation is the cure where another rotation came in between.
func fixOtherRotation(family string) string {
	return fmt.Sprintf("find out what rotated %s a second time, and let one rotation end before the next begins, at the earliest a lead after the next credential was published", family)
}
