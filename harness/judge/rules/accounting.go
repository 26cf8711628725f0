package rules

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// accounting holds when the four counters agree: what was due was sent or recorded as held back, what
// was sent is in the history, and the validators served as many. Otherwise the measurement cannot be
// trusted, and nothing that rests on it can be told.
func accounting(e *judging) (judge.Outcome, string, []judge.Finding) {
	t := e.Totals
	switch {
	case e.Disorder != "":
		return judge.Inconclusive, "the history is out of order: " + e.Disorder, nil
	case e.lostShards() != "":
		return judge.Inconclusive, e.lostShards(), nil
	case !e.Has[history.KindTotals]:
		return judge.Inconclusive, "the run has no totals", nil
	case t.Sent == 0:
		return judge.Inconclusive, "nothing was sent", nil
	case t.Sent-t.Retried+t.NotSent+t.Behind != t.Scheduled:
		return judge.Inconclusive, fmt.Sprintf("%d were due, %d sent (with %d retries), %d held back and %d not begun in time", t.Scheduled, t.Sent, t.Retried, t.NotSent, t.Behind), nil
	case t.Recorded != t.Sent:
		return judge.Inconclusive, fmt.Sprintf("%d were sent and %d recorded", t.Sent, t.Recorded), nil
	case e.counted()+t.Probes != t.Recorded+t.Twice:
		return judge.Inconclusive, fmt.Sprintf("%d were recorded, and the history has %d and %d probes", t.Recorded+t.Twice, e.counted(), t.Probes), nil
	}
	if why := cmp.Or(e.miscounted(), e.clocksApart()); why != "" {
		return judge.Inconclusive, why, nil
	}
	switch {
	case !t.Complete:
		return judge.Pass, fmt.Sprintf("%d scheduled, sent and recorded; not every service counts what it served%s", t.Recorded, e.shared()), nil
	case t.Served > t.Sent || t.Served < t.Sent-t.Unanswered:
		return judge.Inconclusive, fmt.Sprintf("%d were sent, %d of them without an answer, and %d served", t.Sent, t.Unanswered, t.Served), nil
	}
	return judge.Pass, fmt.Sprintf("scheduled, sent, recorded and served agree: %d, %d, %d, %d%s%s", t.Scheduled, t.Sent, t.Recorded, t.Served, differences(t), e.shared()), nil
}

// miscounted says where the counter of an external validator disagrees with what was sent there, or
// could not be read.
func (e *judging) miscounted() string {
	for _, c := range e.Counters {
		sent, unanswered := e.sentTo(c.Service)
		switch {
		case c.Missing != "":
			return fmt.Sprintf("what %s served is not known: %s", c.Service, c.Missing)
		case c.Served < sent-unanswered:
			return fmt.Sprintf("%s was sent %d, %d of them without an answer, and counted only %d (%s): did it begin anew meanwhile?", c.Service, sent, unanswered, c.Served, c.From)
		case c.Served > sent && !c.AtLeast:
			return fmt.Sprintf("%s was sent %d and counted %d (%s): say at_least: true, or a label of the load, where others call it too", c.Service, sent, c.Served, c.From)
		}
	}
	return ""
}

// sentTo is how often the load and probes presented something to a validator, and how often its answer
// did not say whether it was served.
func (e *judging) sentTo(validator string) (sent, unanswered int64) {
	judgedAt := e.Limits.JudgedAt
	if _, checks := e.Limits.Validator(validator); !checks {
		judgedAt = history.FromLoad // clients call it, and it presents itself
	}
	for key, buckets := range e.View.Cells {
		if key.Source != judgedAt || key.Validator != validator {
			continue
		}
		for _, b := range buckets {
			sent += b.Attempts + b.Retries
			unanswered += b.Unavailable
		}
	}
	for _, event := range e.Events {
		if event.Kind != history.KindProbe || event.Service != validator || event.Probe.Outcome == history.HarnessError {
			continue
		}
		sent++
		if event.Probe.Outcome == history.Unavailable {
			unanswered++
		}
	}
	return sent, unanswered
}

// differences says what explains the differences between the counters.
func differences(t history.Totals) string {
	var said []string
	for _, d := range []struct {
		n    int64
		what string
	}{{t.NotSent, "held back"}, {t.Behind, "not begun in time"}, {t.Retried, "retries"}, {t.Sent - t.Served, "lost on the way"}, {t.Twice, "served whose answer was lost"}} {
		if d.n > 0 {
			said = append(said, fmt.Sprintf("%d %s", d.n, d.what))
		}
	}
	if len(said) == 0 {
		return ""
	}
	return " (" + strings.Join(said, ", ") + ")"
}

// counted is how many judged attempts the history itself has.
func (e *judging) counted() int64 {
	var n int64
	for key, buckets := range e.View.Cells {
		if key.Source != e.Limits.JudgedAt {
			continue
		}
		for _, b := range buckets {
			n += b.Attempts + b.Retries
		}
	}
	return n
}
