package attached

import (
	"bytes"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/family"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// probeName is how the harness's own presentations begin.
const probeName = family.ProbeAgent

// known is the service behind a name in a log: the service of that name or user agent or, without a
// name, the only presenter on the page.
func (s *System) known(name string) string {
	if name == "" {
		return s.only(func(c runbook.Consumer) bool { return c.Has(runbook.Emits) })
	}
	for _, service := range s.plan.Services {
		if name == service.Name || strings.HasPrefix(name, service.Name+"/") || service.Agent != "" && strings.HasPrefix(name, service.Agent) {
			return service.Name
		}
	}
	return name
}

// only is the only consumer on the page for which is holds; Somebody where there are more.
func (s *System) only(is func(runbook.Consumer) bool) string {
	var found []string
	for _, c := range s.plan.Runbook.Consumers {
		if is(c) {
			found = append(found, c.Name)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return history.Somebody
}

// validatorOf is who made a decision in the log of a service: the party that the line names, the
// service itself where it checks, or the one that it presents to.
func (s *System) validatorOf(service, named string) string {
	if named != "" {
		return s.known(named)
	}
	if _, checks := s.attach.Present[service]; checks {
		return service
	}
	if len(s.attach.Present) == 1 {
		for name := range s.attach.Present {
			return name
		}
	}
	return s.only(func(c runbook.Consumer) bool { return c.Has(runbook.Validates) })
}

// presenterOf is who presented, by the log of a service: the party that the line names, or the service
// itself where it presents.
func (s *System) presenterOf(service, named string) string {
	if _, checks := s.attach.Present[service]; !checks {
		return service
	}
	return named
}

// acceptedAs is the credential with which a role was let in: of those that share the role, the one
// whose password it has now.
func (s *System) acceptedAs(validator, role string) string {
	identifier, newest := "", ""
	s.eachOf(validator, role, func(name, known string) {
		if newest == "" || s.inPlace(validator) && s.isAccepted(name) {
			identifier, newest = known, name
		}
	})
	return identifier
}

// refusedAs is the credential with which a role was refused: of two that share a role, the one whose
// password it does not have.
func (s *System) refusedAs(validator, role string) string {
	var all []string
	valid := s.acceptedAs(validator, role)
	s.eachOf(validator, role, func(_, known string) { all = append(all, known) })
	for _, identifier := range all {
		if len(all) == 1 || identifier != valid {
			return identifier
		}
	}
	return ""
}

// eachOf calls f for the credentials that log in under a role, in the order in
// which they were made.
func (s *System) eachOf(validator, role string, f func(name, identifier string)) {
	s.mu.Lock()
	names := append([]string(nil), s.made...)
	s.mu.Unlock()
	for _, name := range names {
		if s.role(validator, name) == role {
			f(name, s.Identifier(name))
		}
	}
}

// roles are those under which the credentials of the rotation log in at a validator.
func (s *System) roles(validator string) (roles []string) {
	s.mu.Lock()
	names := append([]string(nil), s.made...)
	s.mu.Unlock()
	for _, name := range names {
		if role := s.role(validator, name); !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

// inPlace reports whether a validator has room for one credential at a time.
func (s *System) inPlace(validator string) bool {
	v, _ := s.plan.Limits.Validator(validator)
	return v.Keys == 1
}

// isAccepted reports whether a credential is the last that replaced the other.
func (s *System) isAccepted(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastAccepted == name
}

// gave reports whether an identifier belongs to a credential of this rotation.
func (s *System) gave(identifier string) bool {
	return s.madeOne(func(made string) bool { return made == identifier })
}

// names reports whether a line of a log has the identifier of a credential of this rotation in it.
func (s *System) names(line []byte) bool {
	return s.madeOne(func(made string) bool { return made != "" && bytes.Contains(line, []byte(made)) })
}

// madeOne reports whether is holds for the identifier of a credential of this rotation.
func (s *System) madeOne(is func(identifier string) bool) bool {
	s.mu.Lock()
	names := slices.Clone(s.made)
	s.mu.Unlock()
	return slices.ContainsFunc(names, func(name string) bool { return is(s.Identifier(name)) })
}

// isService reports whether somebody is a service of the scenario.
func (s *System) isService(name string) bool {
	return slices.ContainsFunc(s.plan.Services, func(service plan.Service) bool { return service.Name == name })
}
