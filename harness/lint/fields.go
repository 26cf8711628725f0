package lint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// What a page leaves out, or has let grow old.
var (
	owner = Rule{"missing-owner", "the page has an owner",
		"nobody is asked when the rotation is due, and nobody is called when it fails"}
	review = Rule{"review-overdue", "the next review lies ahead",
		"the page describes services as they were, and those added since are missing"}
	signal = Rule{"no-rollback-signal", "the page says when to go back",
		"at 2 a.m. somebody has to decide what is bad enough, instead of reading it"}
	decision = Rule{"nobody-decides", "the page says who decides to go back",
		"at 2 a.m. whoever is awake looks for somebody who may say so, while users are refused"}
	wayBack = Rule{"unknown-rollback-step", "the way back is made of steps that there are",
		"whoever goes back by the page looks for a step that does not exist"}
	identifier = Rule{"missing-identifier", "the credentials can be told apart on the wire",
		"nobody can see in a log which of the two was refused, and the share of each cannot be counted"}
	exceptionReason = Rule{"exception-without-reason", "every exception says why",
		"an exception that nobody can explain is never taken back"}
	exceptionOutlives = Rule{"exception-outlives-window", "the window is at least as long as every exception",
		"the client that the exception is for is refused from the revoke on"}
)

func missingOwner(s *subject) []Finding {
	if s.page.Schedule.Owner != "" {
		return nil
	}
	return []Finding{{Level: Warning, Path: "schedule.owner", Message: "the page has no owner",
		Fix: "name a team that is on call: schedule.owner: identity-team"}}
}

func overdueReview(s *subject) []Finding {
	f := Finding{Level: Warning, Path: "schedule.next_review"}
	next, err := time.Parse(time.DateOnly, s.page.Schedule.NextReview)
	switch today := s.now.Truncate(24 * time.Hour); {
	case err != nil: // it is missing: a page with a malformed one cannot be loaded
		f.Message, f.Fix = "the page has no date of its next review", "as schedule.next_review: "+s.suggestedReview()
	case next.Before(today):
		f.Message = fmt.Sprintf("the review was due on %s", s.page.Schedule.NextReview)
		f.Fix = "review the page, then move the date to " + s.suggestedReview()
	default:
		return nil
	}
	return []Finding{f}
}

// suggestedReview is one cadence from now; three months where there is none.
func (s *subject) suggestedReview() string {
	cadence := s.page.Schedule.Cadence.Duration()
	if cadence <= 0 {
		cadence = 90 * 24 * time.Hour
	}
	return s.now.Add(cadence).Format(time.DateOnly)
}

func missingSignal(s *subject) []Finding {
	if s.page.Rollback.When.AuthFailuresOver > 0 {
		return nil
	}
	return []Finding{{Level: Warning, Path: "rollback.when", Message: "nothing on the page calls for a rollback",
		Fix: "as rollback.when: {auth_failures_over: 1%, for: 10s}"}}
}

func missingDecision(s *subject) []Finding {
	if back := s.page.Rollback; back.Decides != "" || back.When.AuthFailuresOver == 0 { // without a signal there is nothing to decide
		return nil
	}
	return []Finding{{Level: Warning, Path: "rollback.decides", Message: "the page does not say who decides to go back",
		Fix: "name who is on call and may say so: rollback.decides: identity on-call"}}
}

// backSteps are the names of the steps of a way back; what is written in several
// words is a note of the page's own.
var backSteps = []string{"restore-accept", "restore-emit", "withdraw-new"}

func unknownBackSteps(s *subject) []Finding {
	var found []Finding
	for i, step := range s.page.Rollback.Steps {
		if slices.Contains(backSteps, step) || strings.Contains(strings.TrimSpace(step), " ") {
			continue
		}
		fix := "one of " + strings.Join(backSteps, ", ") + ", or what is done in several words"
		if near := source.DidYouMean(step, backSteps); near != "" {
			fix = near
		}
		found = append(found, Finding{Level: Warning, Path: fmt.Sprintf("rollback.steps[%d]", i), Message: fmt.Sprintf("a way back has no step %q", step), Fix: fix})
	}
	return found
}

func missingIdentifier(s *subject) []Finding {
	if s.page.Format.Identifier != "" {
		return nil
	}
	return []Finding{{Level: Warning, Path: "format.identifier", Message: "nothing on the page tells the credentials apart",
		Fix: fmt.Sprintf("format.identifier: %s, and let every consumer log it", s.identifier())}}
}

func unreasonedExceptions(s *subject) []Finding {
	var found []Finding
	for i, e := range s.page.Overlap.Exceptions {
		if e.Because == "" {
			found = append(found, Finding{Level: Warning, Path: fmt.Sprintf("overlap.exceptions[%d]", i), Consumer: e.Client,
				Message: fmt.Sprintf("the exception for %s has no reason", e.Client), Fix: "say because: why it keeps the old credential, and what ends that"})
		}
	}
	return found
}

func outlivingExceptions(s *subject) []Finding {
	var found []Finding
	for i, e := range s.page.Overlap.Exceptions {
		if e.Until.Duration() <= s.page.Overlap.Window.Duration() {
			continue
		}
		needed := plan.Text(e.Until.Duration())
		found = append(found, Finding{
			Level: Error, Path: fmt.Sprintf("overlap.exceptions[%d].until", i), Consumer: e.Client,
			Planned: plan.Text(s.page.Overlap.Window.Duration()), Needed: needed,
			Message: fmt.Sprintf("%s may keep the old credential for %s, and the window is %s", e.Client, needed, plan.Text(s.page.Overlap.Window.Duration())),
			Fix:     "overlap.window: at least " + needed + ", or move the client before the revoke and drop the exception",
		})
	}
	return found
}
