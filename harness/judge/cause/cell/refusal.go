package cell

import (
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
)

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
