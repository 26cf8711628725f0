package cell

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// UnderAFault names the fault under which an otherwise unexplained refusal began: one at the validator,
// or a proven one at another of its parties. A proven fault that is itself the mechanism gives the
// explanation its cause and cure.
func (c *Cell) UnderAFault(told Explanation) Explanation {
	if r, ok := c.ReportOn(c.Validator.Name, c.First); ok {
		told.CausedBy = r.Kind
		return told.NamedAfter(r)
	}
	began := evidence.Nearly
	there := c.Near(c.First-began, c.First+began, c.Validator.From, c.Validator.Via, c.EmitterOf(c.Presenter), c.Presenter)
	if len(there) == 0 {
		return told
	}
	told.CausedBy = there[0].Kind
	if there[0].From == "" {
		told.Consumer = there[0].Target
	}
	return told.NamedAfter(there[0])
}

// mechanisms are the faults that are themselves the mechanism of a refusal, each with its cause and its
// cure, with a %s for the party that it was done to.
var mechanisms = map[string]struct {
	cause judge.Cause
	cure  string
}{
	"clock":           {judge.CauseClockSkew, "set the clock of %s by a time server and watch how far it is off; give validators a leeway (a tolerance) larger than that"},
	"missing-kid":     {judge.CauseMissingKid, "let %s write the kid of the key into every token; only a validator that tries every key can do without"},
	"old-kid":         {judge.CauseOldKid, "let %s write into every token the kid of the key that it signs that one with, a refreshed one too; a token whose header was copied names the old key"},
	"wrong-algorithm": {judge.CauseWrongAlgorithm, "let %s make the new key of the type that every validator takes, or have all of them take both before emitting"},
	"newline":         {judge.CauseBadSecret, "compare what %s has with what is published, by fingerprint, before emitting; write secrets without a newline (printf, not echo)"},
	"truncated":       {judge.CauseBadSecret, "compare what %s has with what is published, by fingerprint, before emitting; look for a field on the way that is too short"},
	"double-base64":   {judge.CauseBadSecret, "compare what %s has with what is published, by fingerprint, before emitting; encode once: the stringData of a Kubernetes Secret is plain text, its data is base64"},
	"quoting":         {judge.CauseBadSecret, "compare what %s has with what is published, by fingerprint, before emitting; have whatever reads the file take its quotes away, or write none"},
	"foreign-secret":  {judge.CauseOtherEnvironment, "give %s the secret of this environment, and compare it with what is published, by fingerprint, before emitting"},
}

// NamedAfter takes the cause from a fault that left evidence, where that is the mechanism; others (a
// pause, a partition) only tell since when.
func (x Explanation) NamedAfter(r judge.FaultReport) Explanation {
	if m, ok := mechanisms[r.Kind]; ok && r.Took {
		x.Cause, x.Fix = m.cause, fmt.Sprintf(m.cure, r.Target)
	}
	return x
}
