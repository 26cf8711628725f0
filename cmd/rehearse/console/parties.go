package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
	"github.com/rehearse-dev/rehearse/reports"
)

// tellSpread prints how a credential spreads: published, emitted, learned,
// forgotten.
func (c *Console) tellSpread(e history.Event) {
	s := &c.story
	switch e.Kind {
	case history.KindPublished:
		for _, name := range e.Credentials {
			if _, ok := s.published[name]; !ok {
				s.published[name] = e.At
			}
		}
		c.detail(e.At, "%s publishes %s", e.Service, list(e.Credentials))
	case history.KindEmitting:
		again := s.emitting[e.Service] == e.Credential
		s.emitting[e.Service] = e.Credential
		if !s.changing() || again { // one that is started anew says it again
			c.detail(e.At, "%s emits %s", e.Service, e.Credential)
			return
		}
		c.say(e.At, good, "%s emits %s%s", e.Service, e.Credential, c.after(e.At, "emit", e.Credential, "it was told to"))
	case history.KindLearned:
		if !s.changing() {
			c.detail(e.At, "%s %s %s", e.Service, learned(e), e.Credential)
			return
		}
		c.say(e.At, good, "%s %s %s%s", e.Service, learned(e), e.Credential, c.learnedAfter(e))
	case history.KindForgot:
		since := c.after(e.At, "revoke", e.Credential, "the revoke")
		if since == "" {
			since = c.after(e.At, "withdraw", e.Credential, "it was withdrawn")
		}
		if since == "" {
			// An authority says so before the step that made it is recorded.
			if c.story.phase != history.Revoke && c.story.phase != history.Rollback {
				c.say(e.At, warn, "%s no longer takes %s, which nobody revoked", e.Service, e.Credential)
				return
			}
		}
		if e.What == history.OfFetch {
			c.say(e.At, good, "%s has a set without %s%s", e.Service, e.Credential, since)
			return
		}
		c.say(e.At, good, "%s no longer takes %s%s", e.Service, e.Credential, since)
	}
}

// learned is what is known of one that has learned a credential.
func learned(e history.Event) string {
	if e.What == history.OfFetch {
		return "has fetched"
	}
	return "takes"
}

// learnedAfter tells how long a validator took to learn the new credential, or
// one that was restored. What else it takes now it knew before, and lost.
func (c *Console) learnedAfter(e history.Event) string {
	if since := c.after(e.At, "restore", e.Credential, "it was restored"); since != "" {
		return since
	}
	if e.Credential != c.story.newName() {
		return ""
	}
	since := c.after(e.At, "accept", e.Credential, "it was accepted")
	if at, ok := c.story.published[e.Credential]; ok {
		since = fmt.Sprintf(", %s after it was published", c.both(e.At-at))
	}
	if v, ok := c.limits.Validator(e.Service); ok && v.OnMiss && since != "" {
		since += ", on first use"
	}
	return since
}

// after tells how long ago a step was done; nothing where it was not.
func (c *Console) after(at history.Offset, step, credential, words string) string {
	done, ok := c.story.steps[step+" "+credential]
	if !ok {
		return ""
	}
	if at <= done { // logs have moments of their own
		return ", at once"
	}
	return fmt.Sprintf(", %s after %s", c.both(at-done), words)
}

// mostTurns is how often is told that a validator answers otherwise than before.
const mostTurns = 4

// tellProbe prints what a validator said to the harness, where it is the first
// answer or another than before.
func (c *Console) tellProbe(e history.Event) {
	p := e.Probe
	// What a fault shows is told with it, and what an acceptance means with the verdict.
	if p == nil || p.Purpose == history.Garbage || p.Purpose == history.MadeUp || p.Purpose == history.Anew || p.Purpose == history.Control {
		return
	}
	key := strings.Join([]string{e.Service, e.Credential, string(p.Purpose)}, "\x00")
	before, asked := c.story.probed[key]
	if before == p.Outcome || c.story.turns[key] > mostTurns {
		return
	}
	if c.story.probed[key] = p.Outcome; asked {
		c.story.turns[key]++
	}
	if c.story.turns[key] > mostTurns {
		c.say(e.At, warn, "%s takes %s in some answers and refuses it in others: it may be several replicas", e.Service, e.Credential)
		return
	}
	why := map[history.Purpose]string{
		history.Canary: "canary", history.Still: "before the revoke", history.OldAfter: "proof of the revoke", history.NewAfter: "proof of the new one",
		history.Back: "taken back", history.Withdrawn: "proof of the rollback", history.Restored: "proof of the rollback",
	}[p.Purpose]
	toRefuse := p.Purpose == history.OldAfter || p.Purpose == history.Withdrawn
	fetched := ""
	if p.CausedFetch {
		fetched = "; that made it fetch"
	}
	switch {
	case p.Outcome == history.OK && toRefuse:
		c.say(e.At, neutral, "%s: %s still takes %s (%s), %s%s", why, e.Service, e.Credential, p.Status, c.refusesWithin(e.Service), fetched)
	case p.Outcome == history.OK:
		c.say(e.At, good, "%s: %s takes %s%s", why, e.Service, e.Credential, fetched)
	case p.Outcome == history.AuthFailure && toRefuse:
		c.say(e.At, good, "%s: %s refuses %s (%s)", why, e.Service, e.Credential, p.Status)
	case p.Outcome == history.AuthFailure:
		c.say(e.At, bad, "%s: %s refuses %s (%s)%s", why, e.Service, e.Credential, p.Status, fetched)
	default:
		c.say(e.At, warn, "%s: %s gave no answer about %s (%s, %s)", why, e.Service, e.Credential, p.Outcome, p.Status)
	}
}

// refusesWithin says by when a validator must refuse a credential that is gone.
func (c *Console) refusesWithin(validator string) string {
	v, ok := c.limits.Validator(validator)
	if !ok {
		return "which must end"
	}
	if bound := c.limits.G3(v); bound != runbook.Forever {
		return "and must refuse it within " + c.planned(bound)
	}
	return "and nothing is known to make it refuse it"
}

// tellOther prints what parties and the harness itself report besides.
func (c *Console) tellOther(e history.Event) {
	s := &c.story
	switch e.Kind {
	case history.KindService:
		c.detail(e.At, "%s started%s", e.Service, colon(e.Detail))
	case history.KindExit:
		if s.ended {
			c.detail(e.At, "%s ended%s", e.Service, colon(e.Detail))
			return
		}
		c.say(e.At, bad, "%s ended%s", e.Service, colon(e.Detail))
	case history.KindFetchFailed:
		if s.first("fetch", e.Service) {
			c.say(e.At, warn, "%s could not fetch%s", e.Service, colon(e.Detail))
			return
		}
		c.detail(e.At, "%s could not fetch%s", e.Service, colon(e.Detail))
	case history.KindRenewed:
		if e.Detail != "" {
			c.say(e.At, warn, "%s could not be made to reconnect%s", e.Service, colon(e.Detail))
			return
		}
		c.say(e.At, neutral, "%s is made to reconnect", e.Service)
	case history.KindEnded:
		if !s.ended && s.first("ended", e.Service, e.Reader, e.Credential) { // else with the services
			c.say(e.At, warn, "%s ends sessions of %s that were made with %s", e.Service, e.Reader, e.Credential)
		}
	case history.KindLocked:
		c.say(e.At, bad, "%s locks the account, and refuses everybody: %s", e.Service, e.Detail)
	case history.KindUnlocked:
		c.say(e.At, neutral, "%s opens the account again", e.Service)
	case history.KindSession:
		if s.first("session", e.Service) {
			c.say(e.At, bad, "%s could not renew a token%s", e.Service, colon(e.Detail))
			return
		}
		c.detail(e.At, "%s could not renew %s tokens%s", e.Service, reports.Count(max(e.Count, 1)), colon(e.Detail))
	case history.KindFetched:
		c.detail(e.At, "%s fetched %s and holds %s", e.Service, list(e.Credentials), list(e.Holds))
	case history.KindLoaded:
		c.detail(e.At, "%s read the secret: emit %s", e.Service, e.Credential)
	case history.KindRead:
		if s.first("read", e.Reader, e.What, e.Service) {
			c.detail(e.At, "%s reads %s at %s", e.Reader, e.What, e.Service)
		}
	case history.KindPod:
		switch e.What {
		case history.PodWritten:
			c.say(e.At, neutral, "the API server has %s as %s of %s wrote it", e.Service, e.Step, e.Credential)
		case history.PodSaw:
			c.say(e.At, neutral, "%s: the kubelet has brought to %s what %s of %s wrote", e.Service, e.Replica, e.Step, e.Credential)
		case history.PodUnseen:
			c.say(e.At, warn, "%s: when the kubelet brings to %s what %s of %s wrote is not seen: %s", e.Service, e.Replica, e.Step, e.Credential, e.Detail)
		case history.PodCame:
			c.detail(e.At, "%s: %s runs %s", e.Service, e.Replica, e.Detail)
		case history.PodWent:
			c.detail(e.At, "%s: %s is gone", e.Service, e.Replica)
		}
	case history.KindOperator:
		if e.Began > 0 && s.phase != "" {
			s.clock.Held = append(s.clock.Held, history.Gap{From: e.Began, To: e.At})
		}
		c.say(e.At, neutral, "operator: %s", e.Detail)
	case history.KindRate:
		if *e.Rate == 0 {
			c.say(e.At, neutral, "%s has sent its last request", e.Service)
			return
		}
		c.say(e.At, neutral, "%s sends %s from here on", e.Service, scenario.Rate(*e.Rate))
	case history.KindRotator:
		c.say(e.At, neutral, "the rotator %s", map[string]string{"started": "was started", "stopped": "was stopped", "ended": "ended with success"}[e.What])
	case history.KindLeft:
		c.say(e.At, bad, "still to be taken back by hand: %s %s: %s", e.Step, e.Credential, e.Detail)
	case history.KindUnseen:
		if e.Detail == "" {
			c.say(e.At, neutral, "%s can be looked at again", e.Service)
			return
		}
		c.say(e.At, warn, "%s cannot be looked at: %s", e.Service, e.Detail)
	case history.KindUnread:
		switch {
		case e.Detail == "":
			c.say(e.At, neutral, "the log of %s tells of credentials now", e.Service)
		case !s.ended && s.first("unread", e.Service):
			c.say(e.At, warn, "what %s decides is not known: %s", e.Service, e.Detail)
		}
	case history.KindTrouble:
		c.say(e.At, warn, "trouble of rehearse itself: %s", e.Detail)
	case history.KindClockSet:
		c.say(e.At, warn, "%s: what depends on the time cannot be told from here on", e.Detail)
	case history.KindMachine:
		c.tellMachine(e)
	case history.KindShard:
		c.tellShard(e)
	case history.KindLeaks:
		c.tellLeaks(e)
	case history.KindTotals:
		if n := e.Totals; n != nil {
			c.detail(e.At, "scheduled %s · sent %s · recorded %s · served %s", reports.Count(n.Scheduled), reports.Count(n.Sent),
				reports.Count(n.Recorded), reports.Count(n.Served))
		}
	case history.KindEnd:
		s.ended = true
		c.say(e.At, neutral, "rotation ended: %s", e.Detail)
	}
}

func (c *Console) tellLeaks(e history.Event) {
	switch l := e.Leaks; {
	case l == nil:
	case l.Hits > 0:
		c.say(e.At, bad, "secret values found %s times in outputs: %s", reports.Count(l.Hits), list(l.Where))
	default:
		c.detail(e.At, "no secret value in %s bytes of output", reports.Count(l.Searched))
	}
}

func colon(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + detail
}

// list is names in one line.
func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(slices.Sorted(slices.Values(names)), ", ")
}
