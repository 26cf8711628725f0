package reports

import (
	"cmp"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// revocation shows, validator by validator, that the old credential is refused and the new one taken.
func revocation(m *Model) table {
	t := table{Title: "Proof of revocation"}
	proofs := proofsOf(m, history.OldAfter, history.NewAfter)
	if len(proofs) == 0 {
		t.Note = "The old credential was not revoked in this run, so nothing was shown to anybody after it."
		return t
	}
	t.Note = "After the revoke the old credential was shown to every validator until the end of the watch, and the new one then. " + timesNote(m)
	t.Head = []column{words("Validator"), words("Shown"), words("As"), figure("Times shown"), figure("Times taken"), words("Last answer"),
		figure("Refused after"), figure("Bound"), state("As it should be")}
	for _, p := range proofs {
		refused, bound, good := "–", "–", taken(p)
		if p.Purpose == history.OldAfter {
			refused, bound, good = m.forgot(p)
		}
		t.Rows = append(t.Rows, []string{p.Validator, p.Credential, dash(p.Presentation), Count(p.Shown), Count(p.Taken), answer(p.Status),
			refused, bound, good})
	}
	return t
}

// forgot is how long a validator took to refuse the old credential, and
// whether that was within its bound.
func (m *Model) forgot(p Proof) (after, bound, inTime string) {
	i := slices.IndexFunc(m.Validators, func(v judge.ValidatorReport) bool { return v.Name == p.Validator })
	if i < 0 {
		return "–", "–", yesNo(p.Refused > 0)
	}
	v := m.Validators[i]
	bound = m.bound(v.ForgetBoundMS)
	switch {
	case v.ForgotAfterMS >= 0:
		// A validator asked late may have refused it before: its last acceptance counts.
		last := v.ForgotAfterMS - (p.Refused - p.LastTaken).Milliseconds()
		return m.time(v.ForgotAfterMS), bound, yesNo(v.ForgetBoundMS < 0 || p.Taken == 0 || last <= v.ForgetBoundMS)
	case p.Outcome == history.OK:
		return "never", bound, "no"
	}
	return "–", bound, "cannot tell"
}

// taken says whether a credential that should be taken was; no answer is neither.
func taken(p Proof) string {
	switch {
	case p.Denied > 0:
		return "no"
	case p.Taken > 0:
		return "yes"
	}
	return "cannot tell"
}

// wayBack shows the presentations that prove a rollback.
func wayBack(m *Model) table {
	t := table{
		Title: "Proof of the rollback",
		Head: []column{words("Validator"), words("Shown"), words("What for"), figure("Times shown"), figure("Times taken"), words("Last answer"),
			state("As it should be")},
	}
	for _, p := range proofsOf(m, history.Restored, history.Withdrawn) {
		what, good := "the old one is taken again", taken(p)
		if p.Purpose == history.Withdrawn {
			what, good = "the new one is refused", "yes"
			if p.Outcome != history.AuthFailure {
				good = "not yet" // a cache keeps it until it expires
			}
		}
		t.Rows = append(t.Rows, []string{p.Validator, p.Credential, what, Count(p.Shown), Count(p.Taken), answer(p.Status), good})
	}
	if len(t.Rows) == 0 {
		t.Note = "Nothing was shown to the validators after the rollback."
	}
	return t
}

// proofsOf are the proofs of some purposes, by validator.
func proofsOf(m *Model, purposes ...history.Purpose) []Proof {
	if m.Timeline == nil {
		return nil
	}
	var found []Proof
	for _, p := range m.Timeline.Proofs {
		if slices.Contains(purposes, p.Purpose) {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b Proof) int {
		return cmp.Or(cmp.Compare(a.Validator, b.Validator), slices.Index(purposes, a.Purpose)-slices.Index(purposes, b.Purpose))
	})
	return found
}
