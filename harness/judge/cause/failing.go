package cause

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// How load counts an attempt without an answer (load.status).
const (
	StatusRefused = "refused"
	StatusTimeout = "timeout"
	StatusReset   = "reset"
	StatusExpired = "expired"
)

// missing counts, by status, the answers that were not good: errors (5xx) and missing answers or, where
// those do not add up, other bad statuses too (403 of a service that refuses otherwise). nil where
// neither adds up, as where a service refuses with a status of its own.
func (c *Cell) missing() map[string]int64 {
	for _, least := range []int{http.StatusInternalServerError, http.StatusBadRequest} {
		bad, n := map[string]int64{}, int64(0)
		for status, m := range c.Sum.Statuses {
			code, err := strconv.Atoi(status)
			if status == StatusExpired {
				continue // not judged: the token had expired
			}
			if err != nil || code >= least && code != http.StatusUnauthorized {
				bad[status], n = m, n+m
			}
		}
		if n == c.Sum.Unavailable {
			return bad
		}
	}
	return nil
}

// mostly is the most frequent kind among those, an error or the reason why there was no answer, with
// its statuses and count.
func (c *Cell) mostly() (kind string, statuses string, n int64) {
	kinds := map[string]int64{}
	told := map[string][]string{}
	for _, status := range slices.Sorted(maps.Keys(c.missing())) {
		of := status
		if code, err := strconv.Atoi(status); err == nil {
			of = classes[code/100]
		}
		kinds[of] += c.missing()[status]
		told[of] = append(told[of], status)
	}
	for _, of := range slices.Sorted(maps.Keys(kinds)) {
		if kinds[of] > n {
			kind, n = of, kinds[of]
			statuses = joined(told[of])
		}
	}
	return kind, statuses, n
}

// classes are the kinds of bad HTTP answers.
var classes = map[int]string{4: "4xx", 5: "5xx"}

// joined is "500", "500 and 503", "500, 502 and 503".
func joined(words []string) string {
	if len(words) == 0 {
		return ""
	}
	text := words[0]
	for i, word := range words[1:] {
		if i == len(words)-2 {
			text += " and " + word
		} else {
			text += ", " + word
		}
	}
	return text
}

// frozen matches where a fault stopped a service when its callers began to get no answer: what it
// answers later is not the cause.
func frozen(c *Cell) (Explanation, bool) {
	r, ok := c.ReportOn(c.Validator.Name, c.First)
	kind, _, _ := c.mostly()
	if !ok || !slices.Contains(stopping, r.Kind) || kind == "5xx" {
		return Explanation{}, false
	}
	return Explanation{Cause: judge.CauseServiceDown, CausedBy: r.Kind, Why: "it was under the fault " + r.Kind + c.Cite([]judge.FaultReport{r})}, true
}

// answeredAsFailing matches where a service answers an error to whoever presents the new credential and
// to nobody else: a refusal in other words, explained as a refusal.
func answeredAsFailing(c *Cell) (Explanation, bool) {
	key, sum, ok := c.onlyFresh()
	if !ok {
		return Explanation{}, false
	}
	_, statuses, _ := c.mostly()
	what := fmt.Sprintf("it answered %s to requests with %s, and to no others: ", statuses, c.Fresh)
	refusal := c.Refusal(key, &sum)
	if after := c.View.Sum(key, c.Last+evidence.BucketWidth, c.End+1); !refusal.EverLearned && !c.HasFetches(key.Validator) && after.Unavailable == 0 && after.OK >= evidence.LeastAttempts {
		refusal.LearnedAt, refusal.EverLearned, refusal.BySight = c.Last, true, true // only its answers show this
	}
	told, found := refusal.Detect()
	if !found || told.Cause == judge.CauseUnknown {
		return Explanation{
			Cause: judge.CauseFailing, Credential: c.Fresh, Why: what + "it fails at a credential that it does not take, for a reason of its own",
			Fix: c.lookIntoTheLog(),
		}, true
	}
	told.Why, told.Credential, told.CausedBy = what+told.Why, c.Fresh, c.beganWith(key, c.First)
	return told, true
}

// onlyFresh is the cell of the new credential, with its errors (5xx, and 4xx that are no refusals here)
// counted as refusals, where no other credential of the presenter got them: another was presented
// beside it, or they began with its first use.
func (c *Cell) onlyFresh() (key history.CellKey, sum history.Counts, ok bool) {
	if c.Limits.JudgedAt != history.FromLoad {
		return key, sum, false
	}
	key = history.CellKey{Source: history.FromLoad, Presenter: c.Presenter, Validator: c.Validator.Name, Credential: c.Fresh}
	var others evidence.Tally
	beside := false // another was presented meanwhile
	for _, other := range c.Misses(c.Presenter, c.Validator.Name).Keys {
		of := c.View.Sum(other, c.Start, c.End+1)
		if other != key {
			others.Bad, others.Of = others.Bad+of.Unavailable, others.Of+of.Attempts
			beside = beside || c.View.Sum(other, c.First, c.Last).OK > 0
		}
	}
	sum = c.View.Sum(key, c.Start, c.End+1)
	atOnce := c.View.Sum(key, c.Start, c.First-evidence.Nearly).Attempts == 0
	kind, statuses, n := c.mostly()
	answered := kind == "5xx" || kind == "4xx" && statuses != tooMany // 429 is about how much is asked, not with what
	if !answered || n != c.Sum.Unavailable || sum.Unavailable == 0 || others.Bad > 0 || others.Of == 0 || !beside && !atOnce {
		return key, sum, false
	}
	sum.AuthFailures, sum.FirstFailure, sum.LastFailure = sum.Unavailable, c.First, c.Last
	return key, sum, true
}

// AnsweredOtherwise says where a refusal may have been answered as something else: an error that only
// the new credential got. "" where there is none.
func (e *Case) AnsweredOtherwise() string {
	for _, client := range e.Limits.Clients {
		sum, first, last := e.Lost(client.Name, client.To, e.Start, e.End+1)
		c := &Cell{Case: e, Symptom: Unanswered, Presenter: client.Name, Sum: &sum, First: first, Last: last}
		c.Validator.Name = client.To
		if _, fresh, ok := c.onlyFresh(); ok {
			_, statuses, _ := c.mostly()
			return fmt.Sprintf("%s answered %s to %d attempts of %s with %s and to none with another credential: refusals in other words%s", client.To, statuses, fresh.Unavailable, client.Name, e.Fresh, e.SayRefusal(client.To, statuses))
		}
		key, at, ok := c.freshOtherwise()
		if _, statuses, _ := (&Cell{Case: e, Sum: &at}).mostly(); ok && statuses != tooMany {
			return e.mayRefuseSo(key, at, statuses)
		}
	}
	// Nobody need feel it where the emitter delivers later what it is told.
	for _, key := range e.JudgedCells() {
		if _, emits := e.Limits.Emitter(key.Presenter); !emits || key.Source == history.FromLoad || key.Credential != e.Fresh {
			continue
		}
		c := &Cell{Case: e, Symptom: Absent, Presenter: key.Presenter, Sum: &history.Counts{}}
		c.Validator.Name = key.Validator
		for _, b := range e.View.Buckets(key, e.Start, e.End+1) {
			if b.Unavailable > 0 {
				c.Sum.Add(b.Counts)
				c.First, c.Last = cmp.Or(c.First, b.At), b.At+b.Width
			}
		}
		if c.Last == 0 {
			continue
		}
		key, at, ok := c.freshOtherwise()
		if _, statuses, _ := (&Cell{Case: e, Sum: &at}).mostly(); ok && statuses != tooMany {
			return e.mayRefuseSo(key, at, statuses)
		}
	}
	return ""
}

// mayRefuseSo says that the errors which the new credential alone got may be refusals.
func (e *Case) mayRefuseSo(key history.CellKey, at history.Counts, statuses string) string {
	return fmt.Sprintf("%s answered %s to %d requests of %s with %s, and to none with %s: this may be how it refuses%s", key.Validator, statuses, at.Unavailable, key.Presenter, e.Fresh, e.Old, e.SayRefusal(key.Validator, statuses))
}

// patience is the longest that a client waits by default.
const patience = 5 * evidence.Nearly

// faultOnTheWay matches where a fault that left evidence was in effect when callers began to get no
// answer, on the way to the service or on its way to its keys. An attempt counts when it is given up,
// and began earlier.
func faultOnTheWay(c *Cell) (Explanation, bool) {
	about := evidence.Nearly
	for _, r := range c.Near(c.First-patience-about, c.First+about, loadName, c.Presenter, c.Validator.Name, c.Validator.From, c.Validator.Via) {
		if r.From == "" || r.To == history.Store {
			continue
		}
		told := Explanation{CausedBy: r.Kind, Consumer: r.Target, Why: "the way " + r.Target + " was disturbed" + c.Cite([]judge.FaultReport{r})}
		told.Cause = c.ByStatus().Cause
		told.Fix = mendTheWay(r, c.Validator.Name)
		return told, true
	}
	return Explanation{}, false
}

// loadName is the load, as an edge names it.
const loadName = "load"

// ByStatus words missing answers by what came instead, where nothing else explains them: an error is
// not silence, and silence is no refused connection.
func (c *Cell) ByStatus() Explanation {
	name := c.Validator.Name
	switch kind, statuses, n := c.mostly(); kind {
	case "5xx":
		return Explanation{Cause: judge.CauseFailing, Why: fmt.Sprintf("it answered %s %d times, and nothing in the history says why", statuses, n),
			Fix: fmt.Sprintf("look into the log of %s from %s on: it says there why it fails", name, c.Moment(c.First))}
	case "4xx":
		return Explanation{Cause: judge.CauseFailing, Why: fmt.Sprintf("it answered %s %d times, which is no refusal of the credential here, and nothing in the history says why", statuses, n),
			Fix: fmt.Sprintf("look into the log of %s from %s on", name, c.Moment(c.First))}
	case StatusTimeout:
		return Explanation{Cause: judge.CauseTimedOut, Why: fmt.Sprintf("%d answers did not come in time, and nothing in the history says why", n),
			Fix: fmt.Sprintf("look into the log of %s from %s on, and at what it waits for", name, c.Moment(c.First))}
	case StatusReset:
		return Explanation{Cause: judge.CauseReset, Why: fmt.Sprintf("%d connections ended before the answer did, and nothing in the history says why", n),
			Fix: fmt.Sprintf("look into the log of %s, and at the way to it, from %s on", name, c.Moment(c.First))}
	}
	return Explanation{Cause: judge.CauseServiceDown, Why: "nothing in the history says why"}
}
