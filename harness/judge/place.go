package judge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// faultOn is the kind of the fault that reportOn finds.
func (e *evidence) faultOn(service string, began history.Offset) (string, bool) {
	r, there := e.reportOn(service, began)
	return r.Kind, there
}

// reportOn is a fault that was in effect on a service when something began
// there, as far as the moments of counts and logs can tell. A fault that ended
// its service has nothing to undo and stays in effect.
func (e *evidence) reportOn(service string, began history.Offset) (FaultReport, bool) {
	soon := history.Offset(nearly).Milliseconds()
	exited, ended := e.view.Exited[service]
	for _, r := range e.faultReports() {
		if r.Target != service || r.InjectedMS < 0 || r.InjectedMS > began.Milliseconds()+soon {
			continue
		}
		stays := ended && max(r.InjectedMS-exited.Milliseconds(), exited.Milliseconds()-r.InjectedMS) <= soon
		if stays || r.UndoneMS < 0 || r.UndoneMS >= began.Milliseconds() {
			return r, true
		}
	}
	return FaultReport{}, false
}

// faultBetween is the kind of a fault that left evidence and was in effect on the
// way from one party to another when something began there.
func (e *evidence) faultBetween(from, to string, began history.Offset) (string, bool) {
	for _, r := range e.faultReports() {
		if r.Took && r.From == from && r.To == to && r.inEffect(began, began+history.Offset(nearly)) {
			return r.Kind, true
		}
	}
	return "", false
}

// inEffect reports whether it was, for some time between two moments.
func (r FaultReport) inEffect(from, to history.Offset) bool {
	begun := r.InjectedMS >= 0 && r.InjectedMS <= to.Milliseconds()
	return begun && (r.UndoneMS < 0 || r.UndoneMS >= from.Milliseconds())
}

// disturbing are the faults that a refusal may have to do with: those at the
// validator, at where its keys come from, and on the way, from the accept of
// what was refused until it was.
func (e *evidence) disturbing(key history.CellKey, v plan.Validator, sum *history.Counts) []FaultReport {
	accepted, _ := e.done(string(keyring.Accept), key.Credential)
	return e.near(accepted, sum.LastFailure, v.Name, v.From, v.Via, e.emitterOf(key.Presenter))
}

// underAFault names the fault that a refusal began under, where nothing else
// explains it: one at the validator, or one that was proven to be in effect at
// another of its parties. A proven one that is itself the mechanism gives the
// explanation its cause and its cure.
func (c *cell) underAFault(told explanation) explanation {
	if r, there := c.reportOn(c.validator.Name, c.first); there {
		told.causedBy = r.Kind
		return told.namedAfter(r)
	}
	began := history.Offset(nearly)
	there := c.near(c.first-began, c.first+began, c.validator.From, c.validator.Via, c.emitterOf(c.presenter), c.presenter)
	if len(there) == 0 {
		return told
	}
	told.causedBy = there[0].Kind
	if there[0].From == "" {
		told.consumer = there[0].Target
	}
	return told.namedAfter(there[0])
}

// mechanisms are the faults that are the mechanism themselves by which a
// credential is refused, each with its cause and its cure, which has a %s for
// whom it was done to.
var mechanisms = map[string]struct {
	cause Cause
	cure  string
}{
	"clock":           {CauseClockSkew, "set the clock of %s by a time server and watch how far it is off; give validators a leeway (a tolerance) that is more than that"},
	"missing-kid":     {CauseMissingKid, "let %s write the kid of the key into every token; only a validator that tries every key can do without"},
	"old-kid":         {CauseOldKid, "let %s write into every token the kid of the key that it signs that one with, a refreshed one too; a token whose header was copied names the key before"},
	"wrong-algorithm": {CauseWrongAlgorithm, "let %s make the new key of the type that every validator takes, or have all of them take both before emitting"},
	"newline":         {CauseBadSecret, "hold what %s has against what is published, by fingerprint, before emitting; write secrets without a newline (printf, not echo)"},
	"truncated":       {CauseBadSecret, "hold what %s has against what is published, by fingerprint, before emitting; look for a field on the way that is too short"},
	"double-base64":   {CauseBadSecret, "hold what %s has against what is published, by fingerprint, before emitting; encode once: the stringData of a Kubernetes Secret is plain text, its data is base64"},
	"quoting":         {CauseBadSecret, "hold what %s has against what is published, by fingerprint, before emitting; have whatever reads the file take its quotes away, or write none"},
	"foreign-secret":  {CauseOtherEnvironment, "give %s the secret of this environment, and hold it against what is published, by fingerprint, before emitting"},
}

// namedAfter names the cause after a fault that left evidence, where that is the
// mechanism; others (a pause, a partition) only tell since when.
func (x explanation) namedAfter(r FaultReport) explanation {
	if m, there := mechanisms[r.Kind]; there && r.Took {
		x.cause, x.fix = m.cause, fmt.Sprintf(m.cure, r.Target)
	}
	return x
}

// near are the faults that left evidence and were in effect for some time
// between two moments, at one of the parties or on its way to another of them, or
// to the store, where all of them read.
func (e *evidence) near(from, to history.Offset, parties ...string) []FaultReport {
	party := func(name string) bool { return name != "" && slices.Contains(parties, name) }
	return slices.DeleteFunc(e.faultReports(), func(r FaultReport) bool {
		place := party(r.Target) || party(r.From) && (party(r.To) || r.To == storeName)
		return !r.Took || !place || !r.inEffect(from, to)
	})
}

// mendWhatKept is the cure where a fault kept a party from something at any time
// after a moment.
func (e *evidence) mendWhatKept(party, what string, since history.Offset) (mend string, kept bool) {
	faults := e.near(since, e.end, party)
	if len(faults) == 0 {
		return "", false
	}
	return fmt.Sprintf("mend what kept %s from %s (here the fault %s on %s)", party, what, faults[0].Kind, faults[0].Target), true
}

// cite tells of faults, each with its place and its time.
func (e *evidence) cite(faults []FaultReport) string {
	var told strings.Builder
	for _, r := range faults {
		fmt.Fprintf(&told, "; the fault %s on %s was in effect from %s", r.Kind, r.Target, e.moment(r.InjectedMS))
		if r.UndoneMS >= 0 {
			fmt.Fprintf(&told, " until %s", e.moment(r.UndoneMS))
		}
	}
	return told.String()
}

// moment is an offset in milliseconds as a page tells it: since the baseline began.
func (e *evidence) moment(ms int64) string {
	return e.page(max(history.Offset(time.Duration(ms)*time.Millisecond)-e.start, 0))
}
