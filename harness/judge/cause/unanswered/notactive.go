package unanswered

import (
	"fmt"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// NotActiveYet matches where a service failed its callers from its switch until the new credential was
// first taken, and nothing it presented reached the party that checks. Something before the authority
// did not know the credential yet.
func NotActiveYet(c *cell.Cell) (cell.Explanation, bool) {
	service, about := c.Validator.Name, evidence.Nearly
	emitted, was := c.Begun(keyring.Emit, c.Fresh)
	if kind, _, _ := Mostly(c); !was || kind == "" || c.First < emitted || c.Limits.JudgedAt != history.FromAuthority {
		return cell.Explanation{}, false
	}
	for _, key := range c.JudgedCells() {
		if key.Presenter != service || key.Validator == service || key.Credential != c.Fresh {
			continue
		}
		taken, ever := firstOK(c.Evidence, key)
		old := key
		old.Credential = c.Old
		meanwhile := c.View.Sum(key, emitted, taken-evidence.BucketWidth).Attempts + c.View.Sum(old, c.First+about, taken-evidence.BucketWidth).Attempts
		if !ever || meanwhile > 0 || taken-c.First < 2*about || taken < c.Last-2*about || taken > c.Last+2*about || c.View.Sum(old, c.Start, c.First).OK == 0 {
			continue
		}
		return cell.Explanation{
			Cause: judge.CauseNotActive, Consumer: key.Validator, Credential: c.Fresh,
			Why: fmt.Sprintf("no request of %s reached %s from its switch until %s was first taken there, %s after it was emitted: %s was not active yet where it is presented",
				service, key.Validator, c.Fresh, c.Page(taken-emitted), c.Fresh),
			Fix: fmt.Sprintf("show %s to %s as its consumers do, and emit only when it is taken: at least %s after accepting", c.Fresh, key.Validator, c.AtLeast(taken-c.Accepted)),
		}, true
	}
	return cell.Explanation{}, false
}

// StoppedOnTheWay matches where a service failed its callers while nothing that it presents reached the
// authority: the service does not get as far, or the authority or something between them does not
// answer. Where that lasts from the switch to the end and the authority takes the new credential from
// the harness, something between them turned it away.
func StoppedOnTheWay(c *cell.Cell) (cell.Explanation, bool) {
	service, about := c.Validator.Name, evidence.Nearly
	if kind, _, _ := Mostly(c); kind != classes[5] || c.Limits.JudgedAt != history.FromAuthority || c.Last-c.First < 2*about {
		return cell.Explanation{}, false
	}
	front := history.CellKey{Source: history.FromLoad, Presenter: c.Presenter, Validator: service}
	emitted, was := c.Begun(keyring.Emit, c.Fresh)
	toTheEnd := was && c.First >= emitted-about && c.View.Sum(front, c.Last, c.End+1).OK == 0
	for _, key := range c.JudgedCells() {
		if key.Presenter != service || key.Validator == service || key.Credential != c.Old || c.View.Sum(key, 0, c.First).OK == 0 ||
			c.Presentations(service, key.Validator, c.Old, c.First+about, c.Last-about).Attempts+c.Presentations(service, key.Validator, c.Fresh, c.First+about, c.Last-about).Attempts > 0 {
			continue
		}
		canary, after := c.View.Said(key.Validator, c.Fresh, history.Canary), c.View.Said(key.Validator, c.Fresh, history.NewAfter)
		switch {
		case toTheEnd && c.Presentations(service, key.Validator, c.Fresh, c.Start, c.End+1).Attempts == 0 && canary.Taken+after.Taken > 0 && canary.Refused+after.Refused == 0:
			return cell.Explanation{
				Cause: judge.CauseFailing, Credential: c.Fresh,
				Why: fmt.Sprintf("since its switch no login of %s has reached %s, and %s takes %s from rehearse itself: either %s does not get as far, or something between them, such as a pooler, turns %s away",
					service, key.Validator, key.Validator, c.Fresh, service, c.Fresh),
				Fix: fmt.Sprintf("look into the log of %s from %s on for who refused it; where a pooler or a proxy stands between, give that what it needs to take %s (its file of users, a reload) before emitting, and name it in the scenario, so that it is asked for a canary", service, c.Moment(c.First), c.Fresh),
			}, true
		case !runbook.Traits[c.Limits.Family].Pools: // a pool need not log in for each request
			return cell.Explanation{
				Cause: judge.CauseFailing,
				Why: fmt.Sprintf("no request of %s reached %s in that time: %s or the way there did not answer, or %s did not get as far; no credential was refused",
					service, key.Validator, key.Validator, service),
				Fix: fmt.Sprintf("look into the log of %s from %s on for what it did not reach, and at %s then", service, c.Moment(c.First), key.Validator),
			}, true
		}
	}
	return cell.Explanation{}, false
}

// NotTakenOnTheWay matches where a service failed its callers from its switch on, and an intermediate
// party, such as a pooler before a database, did not take the new credential from the harness, while
// the authority did.
func NotTakenOnTheWay(c *cell.Cell) (cell.Explanation, bool) {
	service := c.Validator.Name
	emitted, was := c.Begun(keyring.Emit, c.Fresh)
	if kind, _, _ := Mostly(c); !was || kind == "" || c.First < emitted-evidence.Nearly || c.Limits.JudgedAt != history.FromAuthority {
		return cell.Explanation{}, false
	}
	for _, key := range c.JudgedCells() {
		if key.Validator == service || key.Credential != c.Old {
			continue
		}
		if said := c.View.Said(key.Validator, c.Fresh, history.Canary); said.Taken == 0 || said.Refused+said.Unanswered > 0 {
			continue
		}
		for _, v := range c.Limits.Validators {
			said := c.View.Said(v.Name, c.Fresh, history.Canary)
			// By way of a pooler it may be that one's logins that are seen.
			if key.Presenter != service && key.Presenter != v.Name || v.Name == key.Validator || v.Name == service || said.Refused+said.Unanswered < evidence.LeastBeside || said.Taken > 0 {
				continue
			}
			return cell.Explanation{
				Cause: judge.CauseNotAccepted, Consumer: v.Name, Credential: c.Fresh,
				Why: fmt.Sprintf("%s did not take %s from rehearse itself at the end of the lead (%s), and %s did", v.Name, c.Fresh, said.Last.Status, key.Validator),
				Fix: fmt.Sprintf("give %s what it needs to take %s (its file of users, a reload) before emitting, and let the gate of verify wait for it", v.Name, c.Fresh),
			}, true
		}
	}
	return cell.Explanation{}, false
}

// firstOK is when a cell first succeeded.
func firstOK(e *evidence.Evidence, key history.CellKey) (history.Offset, bool) {
	for _, b := range e.View.Buckets(key, e.Start, e.End+1) {
		if b.OK > 0 {
			return b.At, true
		}
	}
	return 0, false
}
