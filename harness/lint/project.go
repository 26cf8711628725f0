package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// projectNotOnPage is looked for where a compose project is known.
var projectNotOnPage = Rule{"project-not-on-page", "whoever is set up with the secret's path or key set in the compose project is on the page", notOnPage.Why}

// ProjectService is a service of a compose project with all of its settings:
// environment, command, labels. They may hold secrets, and no finding quotes them.
type ProjectService struct {
	source.Position // of its name, where it is in a file
	Name            string
	Settings        []string
}

// Project holds the services of a compose project against the consumers of a
// page: those whose settings name the path of what is published, or that of the
// key set.
func Project(page runbook.Runbook, at source.Position, services []ProjectService) []Finding {
	var found []Finding
	for _, s := range services {
		what := uses(page, s.Settings)
		if what == "" || slices.ContainsFunc(page.Consumers, func(c runbook.Consumer) bool { return c.Name == s.Name }) {
			continue
		}
		f := Finding{
			Position: s.Position, RuleID: projectNotOnPage.ID, Level: Error, Path: "services." + s.Name, Consumer: s.Name,
			Message: fmt.Sprintf("%s is set up with %s in the compose project and is not on the page of %s", s.Name, what, page.Scope.Name),
			Fix:     "add it to the page's consumers, or take the secret from it",
		}
		if f.File == "" { // the project runs: there is no file of it
			f.Position, f.Path = at, "consumers"
		}
		found = append(found, f)
	}
	return found
}

// uses is what settings name of a page's secret; "" where they name nothing of it.
func uses(page runbook.Runbook, settings []string) string {
	type place struct{ text, what string }
	places := []place{{page.Storage.JWKS, "the key set " + page.Storage.JWKS}}
	if path := page.Storage.Publish.Path; path != "" {
		// A KV path is written with data/ for the API, and without for Vault's own tools.
		places = append(places, place{path, path}, place{strings.Replace(path, "/data/", "/", 1), path})
	}
	for _, p := range places {
		if p.text != "" && slices.ContainsFunc(settings, func(s string) bool { return strings.Contains(s, p.text) }) {
			return p.what
		}
	}
	return ""
}
