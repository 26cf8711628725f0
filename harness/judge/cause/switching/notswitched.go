package switching

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// NotSwitched matches where an emitter went on with the old credential after it
// was revoked.
func NotSwitched(c *cell.Cell) (cell.Explanation, bool) {
	// From the begin of the revoke: an emitter that switches because the authority refuses did not
	// switch in time.
	revoked, _ := c.Begun(keyring.Revoke, c.Old)
	emitter := c.EmitterOf(c.Presenter)
	switched, ever := c.View.Switched[emitter][c.Fresh]
	if !c.UsedAfter() || ever && (switched <= revoked || c.FlagDay()) {
		return cell.Explanation{}, false
	}
	return TellNotSwitched(c.Evidence, emitter, switched, ever), true
}

// InPart matches where an emitter presents both credentials side by side after the revoke: a part of it
// has switched.
func InPart(c *cell.Cell) (cell.Explanation, bool) {
	m, _ := c.Limits.Emitter(c.Presenter)
	if !c.UsedAfter() || !c.Validator.Authority && !presentsByItself(c) || m.Several || c.Sum.AuthFailures < evidence.LeastBeside || c.FlagDay() {
		return cell.Explanation{}, false
	}
	return TellInPart(c.Evidence, c.Presenter, c.Validator.Name, c.First, c.Last)
}

// TellInPart tells of an emitter that used the old credential from first to last and presented the new
// one beside it to a validator. One that left the old credential by itself must have used the new one
// well before first; otherwise it was late as a whole.
func TellInPart(e *evidence.Evidence, emitter, validator string, first, last history.Offset) (cell.Explanation, bool) {
	emitted, _ := e.Done(keyring.Emit, e.Fresh)
	revoked, _ := e.Begun(keyring.Revoke, e.Old)
	// One that goes on to the end would have shown again within three of its pauses.
	times := max(1, e.Presentations(emitter, validator, e.Old, first, last+1).Answered()-1)
	pause := max(evidence.Nearly, 3*(last-first)/history.Offset(times))
	toTheEnd, until := last >= e.End-pause, last-evidence.BucketWidth
	if !toTheEnd {
		until = first - evidence.Nearly
	}
	fresh := e.Presentations(emitter, validator, e.Fresh, emitted, until).OK
	if _, emits := e.Limits.Emitter(emitter); !emits || fresh < evidence.LeastBeside {
		return cell.Explanation{}, false
	}
	told := TellNotSwitched(e, emitter, 0, false)
	told.Cause = judge.CauseNotSwitched
	told.Why = fmt.Sprintf("part of %s%s went on with %s after it was revoked, and has presented %s as well (%d times)", emitter, e.OffPage(emitter), e.Old, e.Fresh, fresh)
	part := "a replica, a second pool, a queue of what was made before, a fallback to the old one"
	enough := fmt.Sprintf(", or, if it is a queue, revoke more than %s after the emit (overlap.window)", e.AtLeast(last-emitted))
	if !toTheEnd {
		told.Why = fmt.Sprintf("part of %s%s went on with %s until %s after it was revoked, and presented %s beside it before (%d times)", emitter, e.OffPage(emitter), e.Old, e.Page(last-revoked), e.Fresh, fresh)
		part = "a replica that switched late, a queue of what was made before, a choice among all accepted ones"
		enough = fmt.Sprintf(", or, if it leaves %s by itself, revoke at least %s after the emit (overlap.window)", e.Old, e.AtLeast(last-emitted))
	}
	told.Fix = fmt.Sprintf("find the part of %s that still has %s (%s), and have it take what is published like the others%s; revoke only when the use of %s is zero", emitter, e.Old, part, enough, e.Old)
	return told, true
}

// presentsByItself reports whether a cell's presenter is an emitter that does not say when it switches:
// only what it presents tells what it uses.
func presentsByItself(c *cell.Cell) bool {
	_, said := c.View.Switched[c.Presenter][c.Fresh]
	return c.EmitterOf(c.Presenter) == c.Presenter && !said
}

// TellNotSwitched tells of an emitter that went on with the old credential after its revoke: one that
// never switched, or switched late.
func TellNotSwitched(e *evidence.Evidence, emitter string, switched history.Offset, ever bool) cell.Explanation {
	told := tellNotSwitched(e, emitter, switched, ever)
	nameless := false
	for _, event := range e.Events {
		if event.Kind == history.KindEmitting && event.Service == emitter && event.Credential == e.Old {
			nameless = event.What == history.ByNoName
		}
	}
	if nameless && len(runbook.Traits[e.Limits.Family].Poolers) > 0 {
		told.Why += fmt.Sprintf(" (or a pooler that connects for %s did: the login has no application name)", emitter)
		told.Fix = fmt.Sprintf("find out whether %s itself logs in or a pooler does: if a pooler, rotate its login too (its file of users, its settings, a reload) and name it in the scenario; if %s, %s", emitter, emitter, told.Fix)
	}
	return told
}

// tellNotSwitched is the same where the presenter is known.
func tellNotSwitched(e *evidence.Evidence, emitter string, switched history.Offset, ever bool) cell.Explanation {
	told := cell.Explanation{
		Cause: judge.CauseNotSwitched, Consumer: emitter,
		Why: fmt.Sprintf("%s%s went on with %s after it was revoked", emitter, e.OffPage(emitter), e.Old),
		Fix: fmt.Sprintf("put %s on the page and make it read the new credential; revoke only when the use of %s is zero", emitter, e.Old),
	}
	if emitter == history.Somebody {
		told.Fix = fmt.Sprintf("find the caller that presents %s without a name (its address is in the log of the validator), have it send one (application_name, User-Agent), put it on the page, and revoke only when the use of %s is zero", e.Old, e.Old)
	}
	m, _ := e.Limits.Emitter(emitter)
	if idle := idleInTheWindow(e, emitter); idle && servedOnConnections(e, emitter) {
		told.Why += fmt.Sprintf("; between the emit and the revoke it served its callers on connections that it had made with %s, and opened no new ones", e.Old)
		told.Fix = fmt.Sprintf("have %s read the new credential, and close connections that are as old as the page says (a maximum lifetime): until it reconnects, nothing shows whether it has %s; revoke only when it was seen with that", emitter, e.Fresh)
		return told
	} else if idle {
		told.Why += "; it was not seen to present anything between the emit and the revoke, when that would have shown"
		if runbook.Traits[e.Limits.Family].Pools {
			told.Why += ": it did not run, or kept a connection that it had made before"
		}
		told.Fix = fmt.Sprintf("put %s on the page and make it read the new credential; have it run once in the window, before the revoke: a use of zero of %s says nothing about a job that does not run", emitter, e.Old)
		if m.OnPage {
			told.Fix = fmt.Sprintf("make %s read the new credential before it runs, and have it run once in the window, before the revoke: a use of zero of %s says nothing about a job that does not run", emitter, e.Old)
		}
		return told
	}
	if !m.OnPage {
		return told
	}
	emitted, was := e.Done(keyring.Emit, e.Fresh)
	if was && ever {
		told.Why += fmt.Sprintf("; it switched %s after the emit", e.Page(switched-emitted))
	}
	mend, kept := e.MendWhatKept(emitter, "the new credential", emitted)
	read, last := readSince(e, emitter, emitted), LastUse(e, emitter)
	longAfter := read > 0 && last > read+history.Offset(e.Limits.Wall(m.Refresh+e.Limits.Propagation))+evidence.Nearly
	switch {
	case kept:
		told.Fix = mend
	case longAfter && (ever || e.Presentations(emitter, "", e.Fresh, emitted, e.End+1).OK >= evidence.LeastBeside):
		told.Cause = judge.CauseOutlived
		told.Why += fmt.Sprintf("; it read what is published %s after the emit, and presented %s until %s after it: it still sends what it made before, as from a queue, or it uses late what it reads",
			e.Page(read-emitted), e.Old, e.Page(last-emitted))
		told.Fix = fmt.Sprintf("revoke at least %s after the emit (overlap.window), write on the page how long what %s makes is in use (format.longest_life), or have it choose the credential when it sends", e.AtLeast(last-emitted), emitter)
		if !ever {
			told.Fix += tellsQueue(e, emitter, "uses late what it reads", read, last)
		}
	case longAfter:
		told.Why += fmt.Sprintf("; it read what is published %s after the emit, and presented %s %s after it and never %s: it does not use what it reads, or it still sends what it made before, as from a queue",
			e.Page(read-emitted), e.Old, e.Page(last-emitted), e.Fresh)
		told.Fix = fmt.Sprintf("have %s use what it reads; or, if it queues what it makes, write on the page for how long (format.longest_life) and revoke more than %s after the emit (overlap.window)", emitter, e.AtLeast(last-emitted))
		told.Fix += tellsQueue(e, emitter, "does not use what it reads", read, last)
	case last == 0 && read > 0 && m.Refresh > 0 && (!ever || switched > read+history.Offset(e.Limits.Wall(m.Refresh))+2*evidence.Nearly):
		told.Why += fmt.Sprintf("; it read what is published %s after the emit, and still signed with %s", e.Page(read-emitted), e.Old)
		told.Fix = fmt.Sprintf("find out why %s still signs with %s although it has read that it is to sign with %s (a key cached for a time of its own, a worker that does not reload)", emitter, e.Old, e.Fresh)
	case m.Refresh == 0:
		told.Fix = fmt.Sprintf("restart %s as a step of the rollout: it reads the credential only at its start", emitter)
	default:
		told.Fix = fmt.Sprintf("make %s take what is published every %s as the page says", emitter, plan.Text(m.Refresh))
	}
	if e.Limits.Attached() && !ever && !kept {
		told.Fix += fmt.Sprintf(", and see that the step emit gives it %s (the step reported success)", e.Fresh)
	}
	for _, b := range e.BoundsSeen() {
		if b.Rule == "G2" && b.Party == emitter && !b.Held && !b.Maybe && !b.Open && b.Needed != runbook.Forever {
			told.Fix += fmt.Sprintf(", or %s: %s (%s)", b.Field, b.Enough(), strings.Join(b.Seen, ", "))
		}
	}
	told.Fix += fmt.Sprintf("; revoke only when the use of %s is zero", e.Old)
	return told
}

// tellsQueue is what would tell an emitter that sends late what it made before from one at fault, where
// nobody sees when it makes what it sends.
func tellsQueue(e *evidence.Evidence, emitter, fault string, read, last history.Offset) string {
	return fmt.Sprintf("; nothing says when %s made what it sends: to tell which of the two it is, look up when what it sent with %s at %s was made, before it read what is published at %s (it queues) or after (it %s), "+
		"or have what it sends carry that time under its signature, and rehearse again", emitter, e.Old, e.Moment(last), e.Moment(read), fault)
}

// idleInTheWindow reports whether an emitter that does not say when it switches presented nothing
// between the emit and the revoke, as a nightly job.
func idleInTheWindow(e *evidence.Evidence, emitter string) bool {
	emitted, emits := e.Done(keyring.Emit, e.Fresh)
	revoked, revokes := e.Begun(keyring.Revoke, e.Old)
	if _, said := e.View.Switched[emitter][e.Fresh]; said || !emits || !revokes || emitter == history.Somebody {
		return false
	}
	attempts, presents := int64(0), false
	for _, key := range e.JudgedCells() {
		if key.Presenter == emitter {
			attempts, presents = attempts+e.View.Sum(key, emitted, revoked).Attempts, true
		}
	}
	return presents && attempts == 0
}

// servedOnConnections reports whether an emitter with a pool gave good answers between the emit and the
// revoke.
func servedOnConnections(e *evidence.Evidence, emitter string) bool {
	emitted, _ := e.Done(keyring.Emit, e.Fresh)
	revoked, _ := e.Begun(keyring.Revoke, e.Old)
	return runbook.Traits[e.Limits.Family].Pools && slices.ContainsFunc(e.View.Keys(), func(key history.CellKey) bool {
		return key.Source == history.FromLoad && key.Validator == emitter && e.View.Sum(key, emitted, revoked).OK >= evidence.LeastAttempts
	})
}

// readSince is when an emitter first read what is published after a moment; 0 where it did not, or
// nobody saw it.
func readSince(e *evidence.Evidence, emitter string, since history.Offset) history.Offset {
	for _, event := range e.Events {
		if event.Kind != history.KindRead || event.Reader != emitter || event.What == evidence.KeySet || event.At <= since {
			continue
		}
		for at := range event.Times() {
			if at > since {
				return at
			}
		}
	}
	return 0
}

// LastUse is when an emitter presented the old credential for the last time.
func LastUse(e *evidence.Evidence, emitter string) (last history.Offset) {
	for _, key := range e.JudgedCells() {
		if key.Presenter == emitter && key.Credential == e.Old {
			for _, b := range e.View.Buckets(key, e.Start, e.End+1) {
				last = max(last, b.At+b.Width)
			}
		}
	}
	return last
}
