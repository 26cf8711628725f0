package rules

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge/cause/unanswered"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/watch"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// cure is what to change where a gate did not hold: the figure that is needed, as lint says it, or what
// the party has to do that the gate names.
func (e *judging) cure(g history.Gate, at history.Offset) string {
	var cures []string
	if e.isOffPage(g.Consumer) {
		cure := fmt.Sprintf("put %s on the page, with how it comes by %s", g.Consumer, e.Fresh)
		if signer := e.soleSigner(); signer != "" && slices.ContainsFunc(e.Limits.Clients, func(c plan.Client) bool { return c.From == g.Consumer }) {
			cure += fmt.Sprintf("; if it hands on what %s signs, say so: services: {%s: {of: %s}}", signer, g.Consumer, signer)
		}
		cures = append(cures, cure)
	}
	for _, b := range plan.Worst(e.brokenAt(g)) {
		cures = append(cures, fixBound(b))
	}
	if len(cures) == 0 {
		cures = append(cures, e.cureParty(g, at))
	}
	return strings.Join(cures, "; ")
}

// soleSigner is the one emitter on the page; "" where there are none, or several.
func (e *judging) soleSigner() string {
	if all := e.Limits.Emitters; len(all) == 1 && all[0].OnPage {
		return all[0].Name
	}
	return ""
}

// brokenAt are the broken bounds that a gate speaks of, for the party that it names.
func (e *judging) brokenAt(g history.Gate) []plan.Bound {
	rules := map[history.Phase][]string{history.Verify: {"G1"}, history.Overlap: {"G2", "G3"}, history.Watch: {"G3"}}[g.Phase]
	_, _, told := flat(e)
	return slices.DeleteFunc(e.BoundsSeen(), func(b plan.Bound) bool {
		named := g.Consumer == b.Party || g.Consumer == b.Validator || b.Party == "" && e.usesOld(g)
		return b.Held || b.Maybe && !b.Chance || isOneSlot(b, told) || !slices.Contains(rules, b.Rule) || !named
	})
}

// usesOld reports whether a gate names a party for using the old credential: a window that is too short
// for nobody in particular is then too short for that party.
func (e *judging) usesOld(g history.Gate) bool {
	return g.Phase == history.Overlap && (g.Consumer == "" || slices.ContainsFunc(e.JudgedCells(), func(key history.CellKey) bool {
		return key.Credential == e.Old && (key.Presenter == g.Consumer || key.Validator == g.Consumer)
	}))
}

// isOffPage reports whether a party has the secret and is not on the page.
func (e *judging) isOffPage(name string) bool {
	m, emits := e.Limits.Emitter(name)
	v, checks := e.Limits.Validator(name)
	_, calls := e.Limits.Client(name)
	switch {
	case name == "" || calls:
		return false
	case emits || checks:
		return !m.OnPage && !v.OnPage && !v.Authority
	}
	return !slices.ContainsFunc(e.Limits.Caches, func(c plan.Cache) bool { return c.Name == name }) &&
		!slices.ContainsFunc(e.Limits.Gateways, func(w plan.Gateway) bool { return w.Name == name })
}

// silent reports whether a validator left the last presentation after the revoke unanswered.
func (e *judging) silent(v plan.Validator) bool {
	probe, _, asked := e.lastProbe(v.Name, history.OldAfter)
	return asked && probe.Outcome == history.Unavailable
}

// inOtherWords is the status with which a validator that is there answered to the old credential
// last, where that may be a refusal in its own words; "" where it is none.
func (e *judging) inOtherWords(v plan.Validator) string {
	probe, _, _ := e.lastProbe(v.Name, history.OldAfter)
	status, err := strconv.Atoi(probe.Status)
	if err != nil || status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
		return ""
	}
	return probe.Status
}

// fixUnread is what to do about a log of which nothing was understood.
const fixUnread = "have attach.decisions name the log that has the logins, in its own format or with accepted and refused that match its lines, and the server write them (as log_connections of PostgreSQL, server_audit_events=CONNECT of MariaDB); then rehearse again"

// cureParty is what the party that a gate names has to do, where no figure of the page is wrong, as
// things were when the gate was asked.
func (e *judging) cureParty(g history.Gate, at history.Offset) string {
	name := g.Consumer
	_, emits := e.Limits.Emitter(name)
	v, _ := e.Limits.Validator(name)
	switch {
	case g.Untold && name == "" && len(e.JudgedCells()) == 0 && e.unread("") != "":
		return fixUnread
	case g.Phase == history.Baseline:
		return "mend what fails already, or send more, then rehearse again"
	case g.Untold && name != "":
		return fmt.Sprintf("have %s sign with the key that it is given, or rehearse it where it runs (attach): there the tokens that are shown are its own", name)
	case g.Untold:
		return "have clients present tokens that name their key (kid), and whoever checks them do so by it: the tokens that are taken now name none, so the canary is unlike them"
	case name == "":
		return "look into what the gate says"
	case (g.Phase == history.Watch || g.Phase == history.Verify) && watch.Unreadable(e.Evidence, name) != "":
		say := "say"
		if e.SaysHow(name) {
			say = "correct"
		}
		return fmt.Sprintf("%s how %s refuses (services.%s.refusal), or have it refuse a credential that nobody issued: it took one", say, name, name)
	case g.Phase == history.Verify && watch.TakesSpoilt(e.Evidence, name) != "":
		return watch.CloseFirst(name)
	case (g.Phase == history.Verify || g.Phase == history.Emit) && len(e.Near(at, at, name)) > 0:
		r := e.Near(at, at, name)[0]
		return fmt.Sprintf("mend %s (here the fault %s), and go on only when %s has %s", r.Target, r.Kind, name, e.Fresh)
	case g.Phase == history.Verify && emits && e.Limits.NamedOtherwise(e.View, name, e.Old, e.Fresh):
		return fmt.Sprintf("have %s sign and publish under the identifiers that it is given", name)
	case g.Phase == history.Verify && emits:
		return fmt.Sprintf("make %s have %s in its key set as soon as it is accepted", name, e.Fresh)
	case g.Phase == history.Verify:
		return fmt.Sprintf("find out why %s does not take %s, and emit it only when it does", name, e.Fresh)
	case g.Phase == history.Emit:
		return fmt.Sprintf("make %s use %s within %s of the emit: reload or restart it then", name, e.Fresh, plan.Text(e.Limits.Switching()))
	case g.Phase == history.Overlap && v.Authority && e.View.Said(name, e.Old, history.Still).Refused > 0:
		return fmt.Sprintf("find out at %s who or what ends %s before the step revoke does (a cron, an expiry, another rotation), and have it end after the overlap", name, e.Old)
	case g.Phase == history.Watch && emits && e.Limits.Expires > 0:
		emitted, _ := e.Done(keyring.Emit, e.Fresh)
		return fmt.Sprintf("%s stays in the key set of %s for more than %s after the emit: write how long (attach.steps.revoke.expires), or have it taken out sooner",
			e.Old, name, e.Page(at-emitted))
	case g.Phase == history.Watch && emits:
		return fmt.Sprintf("make %s stop publishing %s when it is revoked", name, e.Old)
	case g.Phase == history.Watch && v.Authority && e.loginLeft(name) != "":
		return e.Limits.EndTheLogin(string(keyring.Revoke), e.Old, e.loginLeft(name))
	case g.Phase == history.Watch && v.Authority && e.unansweredLast(name) != "":
		return fmt.Sprintf("find out why %s answered %s to rehearse itself, which is neither taken nor refused (a quota, a limit, a server with no room), and ask again", name, e.unansweredLast(name))
	case g.Phase == history.Watch && v.Authority:
		return fmt.Sprintf("make %s refuse %s and take %s after the revoke: find out who else changes what it takes, or for how long it takes what is revoked", name, e.Old, e.Fresh)
	case g.Phase == history.Watch && e.silent(v) && e.inOtherWords(v) != "":
		return fmt.Sprintf("find out what %s means by %s, which is read as neither taken nor refused%s", name, e.inOtherWords(v), unanswered.SayRefusal(e.Evidence, name, e.inOtherWords(v)))
	case g.Phase == history.Watch && e.silent(v):
		return fmt.Sprintf("bring %s back, and look at whether it refuses %s and takes %s then: it gave no answer at the end", name, e.Old, e.Fresh)
	case g.Phase == history.Watch:
		return fmt.Sprintf("make %s refuse %s and take %s after the revoke: restart it then, or give what it keeps an expiry", name, e.Old, e.Fresh)
	}
	for _, key := range e.JudgedCells() {
		if key.Presenter == name && key.Credential == e.Fresh && e.View.Sum(key, 0, e.End+1).OK == 0 {
			return fmt.Sprintf("compare what %s has as %s with what %s has, by fingerprint, and give it the right one: revoke %s only when %s takes it", name, e.Fresh, key.Validator, e.Old, key.Validator)
		}
	}
	cure := fmt.Sprintf("give %s %s, and revoke %s only when it no longer uses that", name, e.Fresh, e.Old)
	if runbook.Traits[e.Limits.Family].Pools {
		cure += fmt.Sprintf("; a pool logs in with %s only when it connects anew, so have it close connections when they are as old as the page says (format.longest_life)", e.Fresh)
	}
	return cure
}

// loginLeft is the status of a validator's last answer to the old credential where that was one of a login that lost only
// a right, or the room for connections; else "".
func (e *judging) loginLeft(validator string) string {
	probe, _, asked := e.lastProbe(validator, history.OldAfter)
	if asked && e.Limits.LeavesTheLogin(probe.Status) {
		return probe.Status
	}
	return ""
}

// unansweredLast is the status of a validator's last answer to the harness after the revoke, where that
// was neither a refusal nor a good answer; else "".
func (e *judging) unansweredLast(validator string) (status string) {
	for _, event := range e.Events {
		if p := event.Probe; p != nil && event.Service == validator && (p.Purpose == history.OldAfter || p.Purpose == history.NewAfter) {
			if status = ""; p.Outcome == history.Unavailable && p.Status != "" && p.Status[0] >= '0' && p.Status[0] <= '9' {
				status = p.Status
			}
		}
	}
	return status
}
