package cell

import (
	"cmp"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Symptom is what a cell suffers from, which a detector is to explain.
type Symptom int

// The symptoms.
const (
	Refused    Symptom = iota // a presenter was refused by a validator with a credential
	Unanswered                // a client had no good answer from the service that it calls
	Absent                    // an emitter had no good answer from whom it presents its credential to
	Unrenewed                 // a client's tokens were not renewed by their emitter
	Kept                      // a validator took the revoked credential after its bound
	Untaken                   // a validator refused the new credential after the revoke
)

// Cell is what is to be explained: a presenter, a validator and a credential, and the stretch of time
// in which the cell suffered.
type Cell struct {
	*evidence.Evidence
	Symptom     Symptom
	Presenter   string // empty where the harness itself presented it
	Validator   plan.Validator
	Credential  string
	Sum         *history.Counts // of the cell over the whole run
	First, Last history.Offset  // the stretch: exact for refusals, to a bucket for missing answers
	// CausedBy is the step or fault that it began with.
	CausedBy string
	// Presented are the answers to the old credential after the revoke, of the symptom Kept.
	Presented evidence.Presented
	// Way says when the validator could learn, and did.
	evidence.Way
}

// Key is where the cell is counted.
func (c *Cell) Key() history.CellKey {
	return history.CellKey{Source: c.Limits.JudgedAt, Presenter: c.Presenter, Validator: c.Validator.Name, Credential: c.Credential}
}

// IsFresh reports whether the cell is of the new credential.
func (c *Cell) IsFresh() bool { return c.Credential == c.Fresh }

// LearnedBefore reports whether the validator had learned the new credential before the cell began to
// suffer.
func (c *Cell) LearnedBefore() bool {
	return c.EverLearned && (c.First >= c.LearnedAt+evidence.Nearly || c.Shown && c.First > c.LearnedAt)
}

// Late reports whether the validator refused the new credential before it had learned it.
func (c *Cell) Late() bool { return c.IsFresh() && !c.LearnedBefore() }

// UsedAfter reports whether the cell is of the old credential, refused since the revoke.
func (c *Cell) UsedAfter() bool { return !c.IsFresh() && !c.BeforeRevoke(c.Sum) }

// Explanation is why a cell suffered, and what would cure it.
type Explanation struct {
	Cause      judge.Cause
	Consumer   string // the party to look at, where it is not the validator
	CausedBy   string // where it is not the last step before the first failure
	Credential string // where it is not the cell's
	// Nobody says that no party can be named.
	Nobody   bool
	Why, Fix string
}

// Apply fills a finding from an explanation. Fields that the explanation leaves empty stay as they are.
func (x Explanation) Apply(f *judge.Finding) {
	f.Cause = cmp.Or(x.Cause, f.Cause)
	f.Consumer = cmp.Or(x.Consumer, f.Consumer)
	if x.Nobody {
		f.Consumer = ""
	}
	f.CausedBy = cmp.Or(x.CausedBy, f.CausedBy)
	f.Credential = cmp.Or(x.Credential, f.Credential)
	f.Fix = cmp.Or(x.Fix, f.Fix)
}

// Refusal is a refused cell, to be explained.
func Refusal(e *evidence.Evidence, key history.CellKey, sum *history.Counts) *Cell {
	validator, _ := e.Limits.Validator(key.Validator)
	if validator.Name == "" {
		validator.Name = key.Validator
	}
	return &Cell{
		Evidence: e, Symptom: Refused, Presenter: key.Presenter, Validator: validator, Credential: key.Credential,
		Sum: sum, First: sum.FirstFailure, Last: sum.LastFailure, CausedBy: BeganWith(e, key, sum.FirstFailure), Way: e.WayTo(validator),
	}
}

// BeganWith is the step that a refusal began with: the last one before it. A new credential, however
// late it is first seen, was put to the test by the emit and not by the revoke, unless the old one was
// presented beside it until then.
func BeganWith(e *evidence.Evidence, key history.CellKey, first history.Offset) string {
	step := e.LastStep(first)
	if key.Credential == e.Fresh && !e.Several(key.Presenter) && (step == string(keyring.Revoke) || step == string(keyring.Destroy)) {
		return string(keyring.Emit)
	}
	return step
}
