package lint

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// The three bounds, and what makes every lead too short.
var (
	G1 = Rule{"G1", "the lead is at least what every validator needs to learn a new credential",
		"the new one is emitted before everybody takes it: refusals until the slowest cache has turned over"}
	G2 = Rule{"G2", "the window is at least the longest life of what was made with the old credential",
		"what was made with the old one is refused from the revoke until it expires"}
	G3 = Rule{"G3", "the watch is at least what every validator needs to forget a revoked credential",
		"nobody sees that a revoked credential still opens the door"}
	oneKey = Rule{"one-key-validator", "every validator holds two credentials at a time",
		"a validator with one slot refuses the old one or the new one, whatever the lead and the window"}
)

func leads(s *subject) []Finding   { return broken(s, "G1") }
func windows(s *subject) []Finding { return broken(s, "G2") }
func watches(s *subject) []Finding { return broken(s, "G3") }

// broken are the bounds of one rule that do not hold.
func broken(s *subject, rule string) []Finding {
	var found []Finding
	for _, b := range s.limits.Bounds() {
		// Who is not on the page is found by another rule; once it is, its bounds are looked at.
		if v, one := s.limits.Validator(b.Validator); b.Rule != rule || b.Held || one && !v.OnPage {
			continue
		}
		b = s.really(b)
		f := Finding{
			Level: Error, Path: b.Field, Consumer: b.Validator, Planned: plan.Text(b.Planned),
			Message: strings.TrimPrefix(b.String(), b.Rule+": "),
		}
		if b.Validator != "" {
			f.Message = strings.TrimPrefix(b.String(), b.Rule+" ")
		}
		if b.Needed == runbook.Forever {
			f.Fix = fmt.Sprintf("no %s is long enough: make %s fetch anew, or restart it, as a step of the rollout", b.Field, b.Validator)
		} else {
			f.Needed = plan.Text(b.Needed)
			f.Fix = fmt.Sprintf("%s: at least %s", b.Field, f.Needed)
		}
		found = append(found, f)
	}
	return found
}

// really is a bound that does not hold by the page with what the scenario's parties
// really do where that takes longer: what is advised must be enough for it.
func (s *subject) really(b plan.Bound) plan.Bound {
	for _, r := range s.limits.BoundsSeen(plan.Sight{View: history.NewView()}) {
		if r.Rule == b.Rule && r.Validator == b.Validator && !r.Held && r.Needed > b.Needed {
			b = r
		}
	}
	return b
}

func oneKeyValidators(s *subject) []Finding {
	var found []Finding
	for _, v := range s.limits.Validators {
		if v.GivenOne {
			path := "services." + v.Name
			found = append(found, Finding{
				Position: s.serviceAt(path), Level: Warning, Path: path, Consumer: v.Name, Planned: "1", Needed: "2",
				Message: fmt.Sprintf("%s is given one credential at a time, so it cannot take both in the overlap, unless it keeps the one before by itself", v.Name),
				Fix:     fmt.Sprintf("give %s {{ .secret.values }}, or {{ .secret.other.value }} beside {{ .secret.value }}, and let it try each", v.Name),
			})
		}
		if v.Keys == 1 {
			found = append(found, Finding{
				Level: Error, Path: consumerPath(s, v.Name), Consumer: v.Name,
				Message: fmt.Sprintf("%s holds one credential at a time, so it cannot take both in the overlap", v.Name),
				Fix:     fmt.Sprintf("let %s hold two, and choose by %s", v.Name, s.identifier()),
			})
		}
	}
	for _, service := range s.services {
		if path := "services." + service.Name + ".holds"; service.Holds == 1 {
			found = append(found, Finding{
				Position: s.serviceAt(path), Level: Error, Path: path, Consumer: service.Name, Planned: "1", Needed: "2",
				Message: fmt.Sprintf("%s has room for one credential, so it cannot take both in the overlap", service.Name),
				Fix:     fmt.Sprintf("let %s hold two, and try both", service.Name),
			})
		}
	}
	return found
}

// identifier is what tells the credentials of the page's family apart.
func (s *subject) identifier() string { return runbook.Traits[s.page.Scope.Family].Identifier }

// consumerPath is where the page has a consumer; the list of all for one that
// it does not have.
func consumerPath(s *subject, name string) string {
	for i, c := range s.page.Consumers {
		if c.Name == name {
			return fmt.Sprintf("consumers[%d]", i)
		}
	}
	return "consumers"
}
