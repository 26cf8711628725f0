package lint

import (
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// Who uses the secret, and what the page says of them.
var (
	notOnPage = Rule{"not-on-page", "every service that emits or validates the credential is on the page",
		"nobody tells a consumer that is not on the page, and it fails at the emit or at the revoke"}
	slower = Rule{"slower-than-page", "a service is set as the page says",
		"the bounds are computed from the page, and the service does not keep to it"}
	notSeen = Rule{"not-seen", "what every party decides and presents can be seen",
		"what cannot be seen is not flat: the rehearsal is inconclusive, whatever the rotation does"}
	readerNotOnPage = Rule{"reader-not-on-page", "whoever reads the secret at the store is on the page", notOnPage.Why}
)

func servicesNotOnPage(s *subject) []Finding {
	roles := map[string]string{}
	for _, e := range s.limits.Emitters {
		roles[e.Name] = "emits"
	}
	authorities := map[string]bool{}
	for _, v := range s.limits.Validators {
		roles[v.Name] = "validates"
		authorities[v.Name] = v.Authority
	}
	var found []Finding
	for _, service := range s.services {
		role, uses := roles[service.Name]
		if service.OnPage || !uses || authorities[service.Name] {
			continue
		}
		path := "services." + service.Name
		found = append(found, Finding{
			Position: s.serviceAt(path), Level: Error, Path: path, Consumer: service.Name,
			Message: fmt.Sprintf("%s %s with %s and is not on its page", service.Name, role, s.page.Scope.Name),
			Fix:     "add it to the page's consumers, or take the secret from it",
		})
	}
	return found
}

// unseenParties finds who cannot be seen, or not be told apart.
func unseenParties(s *subject) []Finding {
	var found []Finding
	for _, u := range s.unseen {
		path := "services." + u.Party
		found = append(found, Finding{
			Position: s.serviceAt(path), Level: Warning, Path: path, Consumer: u.Party, Message: u.Why, Fix: u.Cure,
		})
	}
	return found
}

// slowerThanPage finds services that read less often than the page has them.
func slowerThanPage(s *subject) []Finding {
	var found []Finding
	for _, service := range s.services {
		found = append(found, neverAnew(s, service)...)
		found = append(found, slowerLibrary(s, service)...)
		if service.Consumer == nil || service.Consumer.Refresh <= 0 || service.Refresh <= service.Consumer.Refresh {
			continue
		}
		path := "services." + service.Name + ".refresh"
		found = append(found, Finding{
			Position: s.serviceAt(path), Level: Error, Path: path, Consumer: service.Name,
			Planned: plan.Text(service.Refresh.Duration()), Needed: plan.Text(service.Consumer.Refresh.Duration()),
			Message: fmt.Sprintf("%s reads every %s, and the page says every %s", service.Name,
				plan.Text(service.Refresh.Duration()), plan.Text(service.Consumer.Refresh.Duration())),
			Fix: "set the service as the page says, or say on the page what is so: the bounds follow from it",
		})
	}
	return found
}

// slowerLibrary finds a verifier whose library learns or forgets later than the
// page says of it.
func slowerLibrary(s *subject, service plan.Service) []Finding {
	library, known := runbook.Libraries[service.Service.Library]
	if !known || service.Consumer == nil || service.Consumer.Library != "" {
		return nil // a page that names the library knows it
	}
	var found []Finding
	for _, f := range []struct {
		does  string
		page  *runbook.Duration
		takes time.Duration
	}{{"learns", service.Consumer.LearnsWithin, library.Learns}, {"forgets", service.Consumer.ForgetsWithin, library.Forgets}} {
		if f.page == nil || f.takes <= f.page.Duration() {
			continue
		}
		path := "services." + service.Name + ".library"
		takes := "within " + plan.Text(f.takes)
		if f.takes == runbook.Forever {
			takes = "in no bounded time"
		}
		found = append(found, Finding{
			Position: s.serviceAt(path), Level: Error, Path: path, Consumer: service.Name, Planned: plan.Text(f.page.Duration()),
			Message: fmt.Sprintf("%s runs %s, which %s %s, and the page says %s_within: %s", service.Name, service.Service.Library, f.does, takes, f.does, plan.Text(f.page.Duration())),
			Fix:     fmt.Sprintf("say on the page what is so (library: %s, or %s_within as it is set), or set the library as the page says", service.Service.Library, f.does),
		})
	}
	return found
}

// neverAnew finds a service of the page that keeps what it found at its start,
// and one to which what is published comes later than the page gives a publication.
func neverAnew(s *subject, service plan.Service) []Finding {
	allowed := s.limits.Propagation
	arrives := service.Delay.Duration() + service.Rollout.Duration()
	switch path := "services." + service.Name; {
	case !service.OnPage:
		return nil
	case service.Consumer.SubPath: // which the page says itself
		return nil
	case service.Pinned:
		return []Finding{{
			Position: s.serviceAt(path + ".pinned"), Level: Error, Path: path + ".pinned", Consumer: service.Name,
			Message: fmt.Sprintf("%s keeps for good what it found at its start, and the page has it take the new credential", service.Name),
			Fix:     "make it read again, or start it anew as a step of the rollout",
		}}
	case service.Delay.Duration() > allowed:
		return []Finding{{
			Position: s.serviceAt(path + ".delay"), Level: Error, Path: path + ".delay", Consumer: service.Name,
			Planned: plan.Text(service.Delay.Duration()), Needed: plan.Text(allowed),
			Message: fmt.Sprintf("the file of %s follows the store %s later, and the page allows %s for a publication", service.Name,
				plan.Text(service.Delay.Duration()), plan.Text(allowed)),
			Fix: fmt.Sprintf("rollout.propagation: at least %s, or bring the file sooner", plan.Text(service.Delay.Duration())),
		}}
	case service.Rollout > 0 && arrives > allowed:
		return []Finding{{
			Position: s.serviceAt(path + ".rollout"), Level: Error, Path: path + ".rollout", Consumer: service.Name,
			Planned: plan.Text(allowed), Needed: plan.Text(arrives),
			Message: fmt.Sprintf("the last of %s is rolled out %s after the store has something new, and the page allows %s for a publication", service.Name,
				plan.Text(arrives), plan.Text(allowed)),
			Fix: fmt.Sprintf("rollout.propagation: at least %s, or roll it out sooner", plan.Text(arrives)),
		}}
	}
	return nil
}

// Readers holds those who read the secret at the store, by an audit log,
// against the consumers of a page, which are at a position.
func Readers(page runbook.Runbook, at source.Position, readers []string) []Finding {
	var found []Finding
	for _, reader := range slices.Compact(slices.Sorted(slices.Values(readers))) {
		if slices.ContainsFunc(page.Consumers, func(c runbook.Consumer) bool { return c.Name == reader }) {
			continue
		}
		found = append(found, Finding{
			Position: at, RuleID: readerNotOnPage.ID, Level: Error, Path: "consumers", Consumer: reader,
			Message: fmt.Sprintf("%s reads %s at the store and is not on the page", reader, page.Storage.Publish.Path),
			Fix:     "add it to the page's consumers, or take the right to read from it",
		})
	}
	return found
}
