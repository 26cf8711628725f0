package rules

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/keyring"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// leastStretch is the least wall time in which a client would be missed: a pacer catches up after
// shorter pauses.
const leastStretch = 5 * time.Second

// thin says where there is too little to judge: a history that did not run its course, a client with
// hardly an answer, a credential that nobody used.
func (e *judging) thin() string {
	switch {
	case e.Disorder != "":
		return "the history is out of order: " + e.Disorder
	case e.Ended == "":
		return "the rotation has no end in the history"
	case len(e.JudgedCells()) == 0 && e.unread("") != "": // a gate may have stopped the rotation for it
		return e.unread("")
	case e.Ended == history.EndedInterrupted || e.Ended == history.EndedStopped:
		return "the rotation was " + e.Ended
	case len(e.Phases) == 0:
		return "no phase began"
	case e.namesNone():
		return fmt.Sprintf("%d attempts presented something that names no credential of this run, as a token without a kid: nothing shows which was taken and which refused", e.presentedOthers())
	case len(e.JudgedCells()) == 0:
		return "nobody presented a credential"
	}
	for _, c := range e.Limits.Clients {
		if why := e.quiet(c); why != "" {
			return why
		}
	}
	if e.Ended != history.EndedComplete {
		return ""
	}
	for _, s := range []keyring.Intent{{Step: keyring.Accept, Credential: e.Fresh}, {Step: keyring.Emit, Credential: e.Fresh}, {Step: keyring.Revoke, Credential: e.Old}} {
		if _, done := e.Done(s.Step, s.Credential); !done {
			return fmt.Sprintf("the rotation ended complete, and nothing shows the %s of %s", s.Step, s.Credential)
		}
	}
	for _, m := range e.Limits.Emitters {
		if why := e.unused(m); why != "" {
			return why
		}
	}
	for _, v := range e.Limits.Validators {
		if why := e.unasked(v); why != "" {
			return why
		}
	}
	return ""
}

// namesNone reports whether clients were answered although nothing they presented names a credential of
// this run: tokens without a kid, or opaque ones.
func (e *judging) namesNone() bool { return len(e.JudgedCells()) == 0 && e.presentedOthers() > 0 }

// presentedOthers is how many attempts of clients that have tokens were answered, whatever
// those name.
func (e *judging) presentedOthers() (n int64) {
	for _, key := range e.View.Keys() {
		if client, ok := e.Limits.Client(key.Presenter); key.Source == e.Limits.JudgedAt && ok && client.From != "" {
			sum := e.View.Sum(key, e.Start, e.End+1)
			n += sum.Answered()
		}
	}
	return n
}

// unasked says that a validator on the page was hardly shown the old credential or the new one: little
// then shows what its callers would have felt. Pool connections from before the rotation go on serving;
// the logins that made them count. A validator behind a pooler is shown nothing directly.
func (e *judging) unasked(v plan.Validator) string {
	if !v.OnPage || v.Behind != "" {
		return ""
	}
	from := e.Start
	if e.pooled(v) {
		from = 0
	}
	for _, credential := range []string{e.Old, e.Fresh} {
		var n int64
		for _, key := range e.JudgedCells() {
			if (key.Validator == v.Name || slices.Contains(v.Fronts, key.Validator)) && key.Credential == credential {
				n += e.View.Sum(key, from, e.End+1).Attempts
			}
		}
		switch least := e.least(v); {
		case n >= least:
		case n == 0 && e.unread(v.Name) != "":
			return e.unread(v.Name)
		case n == 0:
			return fmt.Sprintf("%s was presented to %s 0 times%s", credential, v.Name, sayUncounted(v))
		default:
			return fmt.Sprintf("%s was presented to %s %s, and fewer than %d tell nothing", credential, v.Name, plan.Counted(n, "time"), least)
		}
	}
	return ""
}

// unread says of which log nothing was understood: that of a service, or of any where that is "".
func (e *judging) unread(service string) string {
	for _, name := range slices.Sorted(maps.Keys(e.View.Unread)) {
		if service == "" || service == name {
			return fmt.Sprintf("what %s decides is not known: %s", name, e.View.Unread[name])
		}
	}
	return ""
}

// sayUncounted is the half sentence about a validator whose decisions nobody tells.
func sayUncounted(v plan.Validator) string {
	if !v.Uncounted {
		return ""
	}
	return fmt.Sprintf(", as far as is told: nothing tells what it decides; name its log and how that says so (attach.decisions.%s: {file, accepted, refused}), or, if it only hands on logins, show the credential where it is checked and have that tell (attach.present and attach.decisions of the server behind %s, in place of it)", v.Name, v.Name)
}

// unused says that an emitter on the page was never seen with the new credential: nothing shows then
// that it is taken.
func (e *judging) unused(m plan.Emitter) string {
	if !m.OnPage {
		return ""
	}
	seen := false
	for _, key := range e.JudgedCells() {
		if e.EmitterOf(key.Presenter) != m.Name {
			continue
		}
		fresh := key
		fresh.Credential = e.Fresh
		if seen = true; e.View.Sum(fresh, e.Start, e.End+1).Attempts == 0 && e.sentAfter(key.Presenter) {
			return fmt.Sprintf("%s never presented %s to %s", key.Presenter, e.Fresh, key.Validator)
		}
	}
	switch why := e.unread(""); {
	case !seen && why != "":
		return why
	case !seen:
		return "nothing that " + m.Name + " made was presented"
	}
	return ""
}

// sentAfter reports whether a presenter was to send anything after the emit.
func (e *judging) sentAfter(presenter string) bool {
	emitted, _ := e.Done(keyring.Emit, e.Fresh)
	c, ok := e.Limits.Client(presenter)
	return !ok || len(e.View.Rates[presenter]) == 0 || c.Due(e.View, emitted, e.End) >= 1
}

// quiet says when a client had far fewer answers than were due: in a stretch in which it would be
// missed, or in a phase as long as that.
func (e *judging) quiet(c plan.Client) string {
	keys := e.answering(c)
	few := func(from, until history.Offset, where string) string {
		due, got := c.Due(e.View, from, until), float64(e.answers(keys, from, until))
		if due > evidence.LeastAttempts-0.5 && got < due/2 { // a stretch is long enough for that many to be due
			return fmt.Sprintf("%s had %.0f answers from %s %s, and %.0f were due", c.Name, got, c.To, where, due)
		}
		return ""
	}
	stretch := history.Offset(leastStretch)
	if rate := c.LeastRate(e.View); rate > 0 {
		due := evidence.LeastAttempts / rate * float64(time.Second)
		stretch = max(stretch, history.Offset(min(due, float64(e.End-e.Start)+1)))
	}
	begin := e.Start + e.usualLatency(c)
	for _, p := range e.Phases {
		from, until := p.Span()
		from = max(from, begin)
		if until-from < stretch {
			continue
		}
		if why := few(from, until, "in "+string(p.Name)); why != "" {
			return why
		}
	}
	for at := begin; at < e.End && c.Rate > 0; at += stretch { // ends at the first stretch without an answer
		from := max(begin, min(at, e.End-stretch)) // the last one ends with the run
		until := min(from+stretch, e.End)
		if why := few(from, until, fmt.Sprintf("from %s to %s", e.Moment(from), e.Moment(until))); why != "" {
			return why
		}
	}
	if e.answers(keys, e.Start, e.End+1) == 0 && c.Due(e.View, e.Start, e.End) > 0 {
		return fmt.Sprintf("%s had no answer from %s in the whole run", c.Name, c.To)
	}
	return ""
}

// usualLatency is the median time of a client's answers, where that is long: for so long after its
// first request it cannot have had one.
func (e *judging) usualLatency(c plan.Client) history.Offset {
	counts := map[int64]int64{}
	var all, below int64
	for _, key := range e.View.Keys() {
		if key.Source == history.FromLoad && key.Presenter == c.Name && key.Validator == c.To {
			for _, b := range e.View.Buckets(key, e.Start, e.End) {
				for _, pair := range b.Latency {
					counts[pair[0]] += pair[1]
					all += pair[1]
				}
			}
		}
	}
	for _, micros := range slices.Sorted(maps.Keys(counts)) {
		if below += 2 * counts[micros]; below < all {
			continue
		}
		if usual := history.Offset(micros) * history.Offset(time.Microsecond); usual >= evidence.Nearly {
			return usual
		}
		break
	}
	return 0
}

// answering are the cells with the answers that a client had, and those in which a service's own
// credential was refused behind it.
func (e *judging) answering(c plan.Client) (keys []history.CellKey) {
	for _, key := range e.View.Keys() {
		called := key.Source == history.FromLoad && key.Presenter == c.Name && key.Validator == c.To
		if called || e.Limits.JudgedAt != history.FromLoad && key.Source == e.Limits.JudgedAt && key.Presenter == c.To {
			keys = append(keys, key)
		}
	}
	return keys
}

// answers is how many answers a client had in [from, until). A refusal is one; so is a bad answer of a
// service whose own credential was refused.
func (e *judging) answers(keys []history.CellKey, from, until history.Offset) (n int64) {
	for _, key := range keys {
		ok, refused := e.View.AnswersIn(key, from, until)
		if n += refused; key.Source == history.FromLoad {
			n += ok
		}
	}
	return n
}
