package unanswered

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// How load counts an attempt without an answer (load.status).
const (
	StatusTimeout = "timeout"
	statusReset   = "reset"
	statusExpired = "expired"
)

// missing counts, by status, the answers that were not good: errors (5xx) and missing answers or, where
// those do not add up, other bad statuses too (403 of a service that refuses otherwise). nil where
// neither adds up, as where a service refuses with a status of its own.
func missing(c *cell.Cell) map[string]int64 {
	for _, least := range []int{http.StatusInternalServerError, http.StatusBadRequest} {
		bad, n := map[string]int64{}, int64(0)
		for status, m := range c.Sum.Statuses {
			code, err := strconv.Atoi(status)
			if status == statusExpired {
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

// Mostly is the most frequent kind among those, an error or the reason why there was no answer, with
// its statuses and count.
func Mostly(c *cell.Cell) (kind string, statuses string, n int64) {
	kinds := map[string]int64{}
	told := map[string][]string{}
	for _, status := range slices.Sorted(maps.Keys(missing(c))) {
		of := status
		if code, err := strconv.Atoi(status); err == nil {
			of = classes[code/100]
		}
		kinds[of] += missing(c)[status]
		told[of] = append(told[of], status)
	}
	for _, of := range slices.Sorted(maps.Keys(kinds)) {
		if kinds[of] > n {
			kind, n = of, kinds[of]
			statuses = plan.List(told[of])
		}
	}
	return kind, statuses, n
}

// classes are the kinds of bad HTTP answers.
var classes = map[int]string{4: "4xx", 5: "5xx"}

// Frozen matches where a fault stopped a service when its callers began to get no answer: what it
// answers later is not the cause.
func Frozen(c *cell.Cell) (cell.Explanation, bool) {
	r, ok := c.ReportOn(c.Validator.Name, c.First)
	kind, _, _ := Mostly(c)
	if !ok || !slices.Contains(evidence.Stopping, r.Kind) || kind == "5xx" {
		return cell.Explanation{}, false
	}
	return cell.Explanation{Cause: judge.CauseServiceDown, CausedBy: r.Kind, Why: "it was under the fault " + r.Kind + c.Cite([]judge.FaultReport{r})}, true
}

// OnlyFresh is the cell of the new credential, with its errors (5xx, and 4xx that are no refusals here)
// counted as refusals, where no other credential of the presenter got them: another was presented
// beside it, or they began with its first use.
func OnlyFresh(c *cell.Cell) (key history.CellKey, sum history.Counts, ok bool) {
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
	kind, statuses, n := Mostly(c)
	answered := kind == "5xx" || kind == "4xx" && statuses != history.StatusTooMany // 429 is about how much is asked, not with what
	if !answered || n != c.Sum.Unavailable || sum.Unavailable == 0 || others.Bad > 0 || others.Of == 0 || !beside && !atOnce {
		return key, sum, false
	}
	sum.AuthFailures, sum.FirstFailure, sum.LastFailure = sum.Unavailable, c.First, c.Last
	return key, sum, true
}

// AnsweredOtherwise says where a refusal may have been answered as something else: an error that only
// the new credential got. "" where there is none.
func AnsweredOtherwise(e *evidence.Evidence) string {
	for _, client := range e.Limits.Clients {
		sum, first, last := e.Lost(client.Name, client.To, e.Start, e.End+1)
		c := &cell.Cell{Evidence: e, Symptom: cell.Unanswered, Presenter: client.Name, Sum: &sum, First: first, Last: last}
		c.Validator.Name = client.To
		if _, fresh, ok := OnlyFresh(c); ok {
			_, statuses, _ := Mostly(c)
			return fmt.Sprintf("%s answered %s to %d attempts of %s with %s and to none with another credential: refusals in other words%s", client.To, statuses, fresh.Unavailable, client.Name, e.Fresh, SayRefusal(e, client.To, statuses))
		}
		key, at, ok := freshOtherwise(c)
		if _, statuses, _ := Mostly((&cell.Cell{Evidence: e, Sum: &at})); ok && statuses != history.StatusTooMany {
			return mayRefuseSo(e, key, at, statuses)
		}
	}
	// Nobody need feel it where the emitter delivers later what it is told.
	for _, key := range e.JudgedCells() {
		if _, emits := e.Limits.Emitter(key.Presenter); !emits || key.Source == history.FromLoad || key.Credential != e.Fresh {
			continue
		}
		c := &cell.Cell{Evidence: e, Symptom: cell.Absent, Presenter: key.Presenter, Sum: &history.Counts{}}
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
		key, at, ok := freshOtherwise(c)
		if _, statuses, _ := Mostly((&cell.Cell{Evidence: e, Sum: &at})); ok && statuses != history.StatusTooMany {
			return mayRefuseSo(e, key, at, statuses)
		}
	}
	return ""
}

// mayRefuseSo says that the errors which the new credential alone got may be refusals.
func mayRefuseSo(e *evidence.Evidence, key history.CellKey, at history.Counts, statuses string) string {
	return fmt.Sprintf("%s answered %s to %d requests of %s with %s, and to none with %s: this may be how it refuses%s", key.Validator, statuses, at.Unavailable, key.Presenter, e.Fresh, e.Old, SayRefusal(e, key.Validator, statuses))
}

// patience is the longest that a client waits by default.
const patience = 5 * evidence.Nearly

// FaultOnTheWay matches where a fault that left evidence was in effect when callers began to get no
// answer, on the way to the service or on its way to its keys. An attempt counts when it is given up,
// and began earlier.
func FaultOnTheWay(c *cell.Cell) (cell.Explanation, bool) {
	about := evidence.Nearly
	for _, r := range c.Near(c.First-patience-about, c.First+about, loadName, c.Presenter, c.Validator.Name, c.Validator.From, c.Validator.Via) {
		if r.From == "" || r.To == history.Store {
			continue
		}
		told := cell.Explanation{CausedBy: r.Kind, Consumer: r.Target, Why: "the way " + r.Target + " was disturbed" + c.Cite([]judge.FaultReport{r})}
		told.Cause = ByStatus(c).Cause
		told.Fix = mendTheWay(r, c.Validator.Name)
		return told, true
	}
	return cell.Explanation{}, false
}

// loadName is the load, as an edge names it.
const loadName = "load"

// ByStatus words missing answers by what came instead, where nothing else explains them: an error is
// not silence, and silence is no refused connection.
func ByStatus(c *cell.Cell) cell.Explanation {
	name := c.Validator.Name
	switch kind, statuses, n := Mostly(c); kind {
	case "5xx":
		return cell.Explanation{Cause: judge.CauseFailing, Why: fmt.Sprintf("it answered %s %d times, and nothing in the history says why", statuses, n),
			Fix: fmt.Sprintf("look into the log of %s from %s on: it says there why it fails", name, c.Moment(c.First))}
	case "4xx":
		return cell.Explanation{Cause: judge.CauseFailing, Why: fmt.Sprintf("it answered %s %d times, which is no refusal of the credential here, and nothing in the history says why", statuses, n),
			Fix: fmt.Sprintf("look into the log of %s from %s on", name, c.Moment(c.First))}
	case StatusTimeout:
		return cell.Explanation{Cause: judge.CauseTimedOut, Why: fmt.Sprintf("%d answers did not come in time, and nothing in the history says why", n),
			Fix: fmt.Sprintf("look into the log of %s from %s on, and at what it waits for", name, c.Moment(c.First))}
	case statusReset:
		return cell.Explanation{Cause: judge.CauseReset, Why: fmt.Sprintf("%d connections ended before the answer did, and nothing in the history says why", n),
			Fix: fmt.Sprintf("look into the log of %s, and at the way to it, from %s on", name, c.Moment(c.First))}
	}
	return cell.Explanation{Cause: judge.CauseServiceDown, Why: "nothing in the history says why"}
}

// SayRefusal is the half sentence about how a scenario declares a status to be a refusal.
func SayRefusal(e *evidence.Evidence, service, status string) string {
	if _, err := strconv.Atoi(status); err != nil || status == history.StatusTooMany {
		return ""
	}
	if e.SaysHow(service) {
		return fmt.Sprintf("; if %s refuses like that too, add %s to the statuses of services.%s.refusal, and rehearse again", service, status, service)
	}
	return fmt.Sprintf("; if that is how %s refuses, say it in the scenario (services.%s.refusal: {statuses: [%s]}), and rehearse again", service, service, status)
}

// declareRefusal is SayRefusal where it is known that the service refuses so.
func declareRefusal(e *evidence.Evidence, service, status string) string {
	if e.SaysHow(service) {
		return fmt.Sprintf("; add %s to the statuses of services.%s.refusal, and rehearse again", status, service)
	}
	return fmt.Sprintf("; declare that status in the scenario (services.%s.refusal: {statuses: [%s]}), and rehearse again", service, status)
}
