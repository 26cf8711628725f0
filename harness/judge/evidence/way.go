package evidence

import (
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Way is the way of the new credential to one validator, from its accept on.
type Way struct {
	Accepted, Emitted history.Offset
	LearnedAt         history.Offset
	EverLearned       bool
	// BySight says that only its answers show it: it refused the credential until then, and takes it
	// since.
	BySight bool
	// Shown says that the canary that it took shows it.
	Shown       bool
	Published   history.Offset
	IsPublished bool // whether its emitter says when it published it
}

// WayTo is the way of the new credential to a validator.
func (e *Evidence) WayTo(v plan.Validator) Way {
	var w Way
	w.Accepted, _ = e.Done(keyring.Accept, e.Fresh)
	since := w.Accepted
	if v.Authority { // it has the new one before the step that gave it is done
		since, _ = e.Begun(keyring.Accept, e.Fresh)
	}
	if w.LearnedAt, w.EverLearned = e.Learned(v.Name, e.Fresh, since); !w.EverLearned {
		if w.LearnedAt, w.Shown = e.tookTheCanary(v.Name); w.Shown {
			w.EverLearned = true
		} else {
			w.LearnedAt, w.EverLearned = e.tookAfterAll(v.Name)
		}
		w.BySight = w.EverLearned
	}
	w.Emitted, _ = e.Done(keyring.Emit, e.Fresh)
	w.Published, w.IsPublished = e.View.PublishedAt[v.From][e.Fresh]
	return w
}

// Lead is how long the new credential was accepted before it was emitted.
func (w Way) Lead() history.Offset { return w.Emitted - w.Accepted }

// HasFetches reports whether fetches of a validator are seen.
func (e *Evidence) HasFetches(validator string) bool { return e.View.Fetches[validator] > 0 }

// Learned is when a validator first took a credential after a moment.
func (e *Evidence) Learned(validator, credential string, after history.Offset) (history.Offset, bool) {
	for _, event := range e.About(validator) {
		if event.Kind == history.KindLearned && event.Credential == credential && event.At >= after {
			return event.At, true
		}
	}
	return 0, false
}

// tookTheCanary is when a validator of which only answers are seen took the canary, having refused the
// credential to nobody until then.
func (e *Evidence) tookTheCanary(validator string) (at history.Offset, did bool) {
	if answer, _ := e.Limits.Answered(e.View, validator, e.Fresh, history.Canary); answer != plan.Takes || e.HasFetches(validator) || len(e.View.Learned[validator]) > 0 {
		return 0, false
	}
	for _, event := range e.About(validator) {
		if event.Kind == history.KindProbe && event.Credential == e.Fresh && event.Probe.Purpose == history.Canary && event.Probe.Outcome == history.OK {
			at, did = event.At, true
			break
		}
	}
	for _, key := range e.JudgedCells() {
		if key.Validator == validator && key.Credential == e.Fresh && e.View.Sum(key, e.Start, at).AuthFailures > 0 {
			return 0, false
		}
	}
	return at, did
}

// tookAfterAll is when a validator of which only answers are seen last refused the new credential: it
// refused all presentations until then, and none of enough since.
func (e *Evidence) tookAfterAll(validator string) (at history.Offset, did bool) {
	if e.HasFetches(validator) || len(e.View.Learned[validator]) > 0 {
		return 0, false
	}
	var cells []history.CellKey
	var first history.Offset
	for _, key := range e.JudgedCells() {
		if key.Validator != validator || key.Credential != e.Fresh {
			continue
		}
		cells = append(cells, key)
		if sum := e.View.Sum(key, e.Start, e.End+1); sum.AuthFailures > 0 {
			at = max(at, sum.LastFailure)
			if first == 0 || sum.FirstFailure < first {
				first = sum.FirstFailure
			}
		}
	}
	var before, since history.Counts
	for _, key := range cells {
		refused, taken := e.View.Sum(key, first, at), e.View.Sum(key, at+BucketWidth, e.End+1)
		before.Add(&refused)
		since.Add(&taken)
	}
	return at, at > 0 && at+Nearly < e.End && before.OK <= before.AuthFailures/LeastAttempts && since.OK >= LeastAttempts
}

// LastTook is when a validator took the new credential last, from anybody; false: from nobody.
func (e *Evidence) LastTook(validator string) (at history.Offset, took bool) {
	for _, event := range e.About(validator) {
		if p := event.Probe; p != nil && event.Credential == e.Fresh && p.Outcome == history.OK && (p.Purpose == history.Canary || p.Purpose == history.NewAfter) {
			at, took = max(at, event.At), true
		}
	}
	for _, key := range e.JudgedCells() {
		if key.Validator != validator || key.Credential != e.Fresh {
			continue
		}
		for _, b := range e.View.Buckets(key, e.Start, e.End+1) {
			if b.OK > 0 {
				at, took = max(at, b.At+b.Width), true
			}
		}
	}
	return at, took
}
