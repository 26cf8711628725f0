package lint

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// variesBeyond is about what is drawn for rehearsals in virtual time.
var variesBeyond = Rule{"varies-beyond-page", "what varies stays inside what the page says",
	"the bounds follow from the page: a party that takes longer at times is refused, or refuses, at those times"}

// varyingBeyondThePage finds what a scenario draws that may be more than the page says.
func varyingBeyondThePage(s *subject) []Finding {
	var found []Finding
	pages := s.mostOnPage()
	for _, path := range slices.Sorted(maps.Keys(s.vary)) {
		most, says := pages[path]
		chance := s.vary[path].Beyond(most.length)
		if !says || chance < leastBeyond {
			continue
		}
		found = append(found, Finding{
			Position: s.serviceAt("vary"), Level: Warning, Path: "vary", Consumer: most.party, Planned: plan.Text(most.length),
			Message: fmt.Sprintf("%s is %s: in %.3g %% of rehearsals it is longer than the page says (%s: %s)",
				path, s.vary[path], 100*chance, most.field, plan.Text(most.length)),
			Fix: fmt.Sprintf("say on the page what is so (%s), from which the bounds follow, or draw no more than it says", most.field),
		})
	}
	return found
}

// leastBeyond is the chance below which nothing is said: a distribution with a long tail
// goes beyond anything at times.
const leastBeyond = 1e-6

// onPage is the most that a page says of a duration, of whom, and where.
type onPage struct {
	length time.Duration
	party  string
	field  string
}

// mostOnPage are the durations of a scenario of which its page has the most, by their paths.
func (s *subject) mostOnPage() map[string]onPage {
	pages := map[string]onPage{}
	for _, service := range s.services {
		at := "services." + service.Name
		pages[at+".delay"] = onPage{s.limits.Propagation, service.Name, "rollout.propagation"}
		pages[at+".rollout"] = onPage{max(0, s.limits.Propagation-service.Delay.Duration()), service.Name, "rollout.propagation, less the delay"}
		if c := service.Consumer; c != nil && c.Refresh > 0 {
			pages[at+".refresh"] = onPage{c.Refresh.Duration(), service.Name, "consumers." + service.Name + ".refresh"}
		}
		if _, emits := s.limits.Emitter(service.Name); emits {
			pages[at+".life"] = onPage{s.limits.LongestLife, service.Name, "format.longest_life"}
		}
		if v, checks := s.limits.Validator(service.Name); checks && v.Forgets != runbook.Forever {
			pages[at+".lag"] = onPage{v.Forgets + s.limits.Propagation, service.Name, "forgets_within of " + service.Name}
		}
	}
	for _, c := range s.limits.Clients {
		if !s.limits.Excepted(c.Name) {
			pages["load."+c.Name+".token.life"] = onPage{s.limits.LongestLife, c.Name, "format.longest_life"}
		}
	}
	return pages
}
