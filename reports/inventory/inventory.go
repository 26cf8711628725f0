// Package inventory lists the secrets of a folder of pages: whose they are, when
// each is due, and how its last rehearsal ended.
package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
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
	// Standing is what to make of it.
	Standing Standing `json:"standing"`
}

// Standing is how a secret stands.
type Standing string

// The standings, the worst first.
const (
	Late    Standing = "overdue" // a review or a rehearsal is
	Failed  Standing = "failed"  // the last rehearsal did
	Unknown Standing = "unknown" // never rehearsed, or not as the page is now, or it could not tell
	Ready   Standing = "ready"   // the last rehearsal passed, and nothing is overdue
)

// sign is a standing in one character.
func (s Standing) sign() string {
	switch s {
	case Late, Failed:
		return "✗"
	case Ready:
		return "✓"
	}
	return "?"
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
		s.Standing = s.stands()
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
		if run.Runtime == scenario.Simulated {
			continue // nothing was rotated
		}
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

// stands is what to make of a secret by what is known of it.
func (s *Secret) stands() Standing {
	switch {
	case len(s.Overdue) > 0:
		return Late
	case s.Last == nil || s.Last.OldPage:
		return Unknown
	case s.Last.Verdict == string(judge.Fail):
		return Failed
	case s.Last.Verdict == string(judge.Pass):
		return Ready
	}
	return Unknown
}

// Filter are the secrets that are asked for; what is empty asks for any.
type Filter struct {
	Owner, Family string
	// Overdue leaves out those of which nothing is.
	Overdue bool
}

// Of are the secrets that pass.
func (f Filter) Of(secrets []Secret) []Secret {
	return slices.DeleteFunc(slices.Clone(secrets), func(s Secret) bool {
		return f.Owner != "" && s.Owner != f.Owner || f.Family != "" && s.Family != f.Family || f.Overdue && len(s.Overdue) == 0
	})
}

// Overdue says whether anything of anything is.
func Overdue(secrets []Secret) bool {
	return slices.ContainsFunc(secrets, func(s Secret) bool { return len(s.Overdue) > 0 })
}
