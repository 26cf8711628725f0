// Package lint holds pages and scenarios against the bounds and the rules of a
// rotation, without running anything: what a reviewer would say of the page
// before anybody rehearses it.
//
//	page ──────────────► bounds G1–G3, what the page leaves out
//	scenario (its page) ► the same with its caches and refreshes, who is not on the page
//	audit log ──────────► who reads the secret and is not on the page
//	compose project ────► who is set up with it and is not on the page
package lint

import (
	"cmp"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// Rule is one thing that is looked at.
type Rule struct {
	ID    string // "G1", "missing-owner"
	Short string // what holds, in a sentence
	Why   string // what breaks where it does not
}

// Level says how bad a finding is.
type Level string

// The levels, as SARIF 2.1.0 (3.27.10) has them.
const (
	Error   Level = "error"   // a rotation by this page fails somebody
	Warning Level = "warning" // it leaves out what is needed when something goes wrong
)

// Finding is a rule that does not hold, and where.
type Finding struct {
	source.Position
	RuleID   string `json:"ruleId"`
	Level    Level  `json:"level"`
	Path     string `json:"path"` // in the document: rollout.lead, consumers[1]
	Message  string `json:"message"`
	Fix      string `json:"fix"`
	Consumer string `json:"consumer,omitempty"` // the party to look at
	// Planned and Needed are the figures of a bound, in page time, as a page
	// writes them: 5m, 16m15s. No value of Field is enough where Needed is empty.
	Planned string `json:"planned,omitempty"`
	Needed  string `json:"needed,omitempty"`
}

// subject is what is held against the rules.
type subject struct {
	page   runbook.Runbook
	limits plan.Limits
	at     func(path string) source.Position // in the page
	now    time.Time

	// Of a scenario only.
	services  []plan.Service
	unseen    []plan.Unseen
	serviceAt func(path string) source.Position
	vary      map[string]scenario.Distribution
}

// check is a rule with what looks for it.
type check struct {
	Rule
	find func(*subject) []Finding
}

// checks are the rules, in the order in which they are told: a new one is a
// function and its line here.
func checks() []check {
	return []check{
		{G1, leads}, {G2, windows}, {G3, watches},
		{oneKey, oneKeyValidators}, {notOnPage, servicesNotOnPage}, {slower, slowerThanPage}, {notSeen, unseenParties}, {subPath, mountedBySubPath}, {readable, secretsInConfigMaps}, {kubelet, soonerThanKubelets}, {rollout, untimedRollouts}, {outlivesPage, outlivingThePage}, {variesBeyond, varyingBeyondThePage}, {noRoom, databasesWithoutRoom},
		{exceptionOutlives, outlivingExceptions}, {exceptionReason, unreasonedExceptions},
		{backToBack, rotatingTooOften},
		{owner, missingOwner}, {review, overdueReview}, {signal, missingSignal}, {decision, missingDecision}, {wayBack, unknownBackSteps}, {identifier, missingIdentifier},
	}
}

// Rules are all that there are, in the order in which they are told.
func Rules() []Rule {
	var rules []Rule
	for _, c := range checks() {
		rules = append(rules, c.Rule)
	}
	return append(rules, readerNotOnPage, projectNotOnPage, clusterNotOnPage, clusterKeeps, invalidFile)
}

// Runbook holds a page against the rules, as of a day.
func Runbook(page *runbook.Loaded, now time.Time) []Finding {
	return all(&subject{page: page.Runbook, limits: plan.RunbookLimits(page.Runbook), at: page.Position, now: now})
}

// Scenario holds the page of a scenario against the rules, with the
// scenario's override, caches and services, as of a day. The error is that of
// a scenario that cannot be planned: source.Problems.
func Scenario(loaded *scenario.Loaded, now time.Time) ([]Finding, error) {
	p, err := plan.Build(loaded, plan.Options{})
	if err != nil {
		return nil, err
	}
	return all(&subject{
		page: p.Runbook, limits: p.Limits, at: loaded.PagePosition, now: now,
		services: p.Services, unseen: p.Unseen, serviceAt: loaded.Position, vary: loaded.Scenario.Vary,
	}), nil
}

func all(s *subject) []Finding {
	var found []Finding
	for _, c := range checks() {
		for _, f := range c.find(s) {
			f.RuleID = c.ID
			if f.Line == 0 {
				f.Position = s.at(f.Path)
			}
			found = append(found, f)
		}
	}
	return found
}

// Sort orders findings by place, and drops those that several scenarios tell
// of the same place in the same words.
func Sort(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.RuleID, b.RuleID), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(findings, func(a, b Finding) bool {
		return a.Position == b.Position && a.RuleID == b.RuleID && a.Message == b.Message
	})
}
