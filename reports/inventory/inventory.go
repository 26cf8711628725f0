// Package inventory lists the secrets of a folder of pages: whose they are, when
// each is due, and how its last rehearsal ended.
package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/reports"
)

// Page is a page that was found.
type Page struct {
	File string
	*runbook.Loaded
}

// Run is a saved rehearsal that was found.
type Run struct {
	Folder string
	*reports.Model
}

// Secret is one line of the inventory.
type Secret struct {
	Name    string `json:"name"`
	Family  string `json:"family"`
	Page    string `json:"page"` // its file
	Owner   string `json:"owner"`
	Cadence string `json:"cadence"` // as the page has it: 90d
	// NextReview is the page's own date, YYYY-MM-DD; NextRehearsal is one
	// cadence after the last. Empty: none is known.
	NextReview    string     `json:"next_review"`
	NextRehearsal string     `json:"next_rehearsal"`
	Last          *Rehearsal `json:"last_rehearsal"` // nil: never
	// Overdue says what is, in words; none where nothing is.
	Overdue []string `json:"overdue"`
}

// Rehearsal is one that was found among the saved runs.
type Rehearsal struct {
	At       time.Time `json:"at"`
	Scenario string    `json:"scenario"`
	Verdict  string    `json:"verdict"`
	Folder   string    `json:"folder"`
	// OldPage says that the page was another one then: it was changed since,
	// or the scenario overrode a part of it.
	OldPage bool `json:"old_page"`
}

// Of makes the inventory of some pages and of the runs that rehearsed them, as
// of a day, sorted by name.
func Of(pages []Page, runs []Run, now time.Time) []Secret {
	secrets := []Secret{}
	for _, p := range pages {
		s := Secret{
			Name: p.Scope.Name, Family: p.Scope.Family, Page: p.File,
			Owner: p.Schedule.Owner, NextReview: p.Schedule.NextReview, Overdue: []string{},
		}
		if p.Schedule.Cadence > 0 {
			s.Cadence = p.Schedule.Cadence.String()
		}
		s.Last = last(p, runs)
		s.due(p.Schedule.Cadence.Duration(), now)
		secrets = append(secrets, s)
	}
	slices.SortFunc(secrets, func(a, b Secret) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Page, b.Page)) })
	return secrets
}

// last is the newest run of the page as it is written; where there is none,
// the newest of its secret.
func last(p Page, runs []Run) *Rehearsal {
	var newest *Rehearsal
	for _, run := range runs {
		same := run.RunbookDigest == p.Digest
		if !same && run.Secret != p.Scope.Name {
			continue
		}
		if newest != nil && (newest.OldPage == !same && !run.StartedAt.After(newest.At) || !newest.OldPage && !same) {
			continue
		}
		newest = &Rehearsal{
			At: run.StartedAt.UTC(), Scenario: run.Scenario, Verdict: string(run.Verdict.Verdict), Folder: run.Folder, OldPage: !same,
		}
	}
	return newest
}

// due notes what is to be done when, and what is late. A day counts as over
// when it is over in UTC.
func (s *Secret) due(cadence time.Duration, now time.Time) {
	today := now.UTC().Format(time.DateOnly)
	if s.NextReview != "" && s.NextReview < today {
		s.Overdue = append(s.Overdue, "the review was due on "+s.NextReview)
	}
	if s.Last == nil || cadence <= 0 {
		return
	}
	s.NextRehearsal = s.Last.At.Add(cadence).Format(time.DateOnly)
	if s.NextRehearsal < today {
		s.Overdue = append(s.Overdue, fmt.Sprintf("last rehearsed %s ago, every %s is planned",
			runbook.Duration(now.Sub(s.Last.At).Truncate(24*time.Hour)), s.Cadence))
	}
}

// Overdue says whether anything of anything is.
func Overdue(secrets []Secret) bool {
	return slices.ContainsFunc(secrets, func(s Secret) bool { return len(s.Overdue) > 0 })
}
