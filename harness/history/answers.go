package history

// AnswersKey names a series of presentations by the harness itself.
type AnswersKey struct {
	Validator, Credential string
	Purpose               Purpose
}

// Answers are what a validator said to a series of presentations. A validator may
// be many replicas, of which each presentation meets one: what it takes or refuses
// is what all answers say, not the first.
type Answers struct {
	Taken, Refused, Unanswered int64
	// LastTaken is when the last answer came that took the credential, and LastAsked
	// when that had been asked for at the latest: it was taken then or later.
	LastTaken, LastAsked Offset
	// FirstRefused is the first refusal of all, and RefusedSince the first of those
	// InARow that came after the last acceptance.
	FirstRefused, RefusedSince Offset
	InARow                     int64
	// Again is how many refusals came before an acceptance that was asked for after
	// the first of them: by one that is not what had refused.
	Again int64
	// Last is the last answer of all, and Unshown why there was none to give, the
	// last time that the harness itself could not show the credential; UnshownSince is
	// the first time of those that no answer came after, 0: none is.
	Last         Probe
	Unshown      string
	UnshownSince Offset

	refused []Offset // those that may lie before an acceptance yet to come
}

// Asked is how many presentations got an answer that decides.
func (a *Answers) Asked() int64 { return a.Taken + a.Refused }

// Add takes one more answer into account.
func (a *Answers) Add(at Offset, p *Probe) {
	switch p.Outcome {
	case OK:
		asked := at - p.Latency
		for len(a.refused) > 0 && a.refused[0] <= asked {
			a.Again++
			a.refused = a.refused[1:]
		}
		a.Taken++
		a.LastTaken, a.LastAsked, a.InARow = at, max(a.LastAsked, asked), 0
	case AuthFailure:
		if a.Refused == 0 {
			a.FirstRefused = at
		}
		if a.InARow == 0 {
			a.RefusedSince = at
		}
		a.Refused++
		a.InARow++
		a.refused = append(a.refused, at)
	case Unavailable:
		a.Unanswered++
	case HarnessError:
		a.Unshown = p.Status
		if a.UnshownSince == 0 {
			a.UnshownSince = at
		}
		return
	}
	a.Last, a.UnshownSince = *p, 0
}

// Said are the answers of a series; the zero value where nothing was asked.
func (v *View) Said(validator, credential string, purpose Purpose) Answers {
	if a := v.Answers[AnswersKey{validator, credential, purpose}]; a != nil {
		return *a
	}
	return Answers{}
}

// Usual is how many attempts at a validator were refused before anything was
// changed, of how many: what it refuses then it refuses for something else.
func (v *View) Usual(judgedAt Source, validator string) (refused, of int64) {
	until, changed := v.PhaseStart[Accept]
	if !changed {
		until = v.Now + 1
	}
	for key := range v.Cells {
		if key.Source == judgedAt && key.Validator == validator {
			sum := v.Sum(key, v.PhaseStart[Baseline], until)
			refused, of = refused+sum.AuthFailures, of+sum.OK+sum.AuthFailures
		}
	}
	return refused, of
}
