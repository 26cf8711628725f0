package judge

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// What an attempt without an answer is counted as (load.status).
const (
	statusRefused = "refused"
	statusTimeout = "timeout"
	statusReset   = "reset"
	statusExpired = "expired"
)

// missing is how often the cell had no good answer, by what it had instead:
// errors (5xx) and no answer at all or, where those are not all, also what else was
// answered that is not good (403 of a service that refuses otherwise). Nothing where
// that does not add up, as where a service refuses with a status of its own.
func (c *cell) missing() map[string]int64 {
	for _, least := range []int{http.StatusInternalServerError, http.StatusBadRequest} {
		bad, n := map[string]int64{}, int64(0)
		for status, m := range c.sum.Statuses {
			code, err := strconv.Atoi(status)
			if status == statusExpired {
				continue // not judged: its token had run out
			}
			if err != nil || code >= least && code != http.StatusUnauthorized {
				bad[status], n = m, n+m
			}
		}
		if n == c.sum.Unavailable {
			return bad
		}
	}
	return nil
}

// mostly is the kind of what the cell had in place of a good answer, and how
// much of it: an error (5xx), or why there was none.
func (c *cell) mostly() (kind string, statuses string, n int64) {
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

// classes are the kinds of HTTP answers that are not good.
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

// frozen matches where a service was stopped by a fault when its callers began to
// get no answer: what came back from behind it later is not why.
func frozen(c *cell) (explanation, bool) {
	r, there := c.reportOn(c.validator.Name, c.first)
	kind, _, _ := c.mostly()
	if !there || !slices.Contains(stopping, r.Kind) || kind == "5xx" {
		return explanation{}, false
	}
	return explanation{cause: CauseServiceDown, causedBy: r.Kind, why: "it was under the fault " + r.Kind + c.cite([]FaultReport{r})}, true
}

// answeredAsFailing matches where a service answers an error to whoever presents
// the new credential, and to nobody else: a refusal in other words, for a reason
// that refusals have.
func answeredAsFailing(c *cell) (explanation, bool) {
	key, sum, there := c.onlyFresh()
	if !there {
		return explanation{}, false
	}
	_, statuses, _ := c.mostly()
	what := fmt.Sprintf("it answered %s to what presented %s, and to nothing else: ", statuses, c.fresh)
	told, found := c.refusal(key, &sum).detect()
	if !found || told.cause == CauseUnknown {
		return explanation{
			cause: CauseFailing, credential: c.fresh, why: what + "it fails at a credential that it does not take, for a reason of its own",
			fix: c.lookIntoTheLog(),
		}, true
	}
	told.why, told.credential, told.causedBy = what+told.why, c.fresh, c.beganWith(key, c.first)
	return told, true
}

// onlyFresh is the cell of the new credential, with its errors (5xx, and 4xx that are
// no refusals here) counted as refusals, where those were answered to no other credential of the presenter:
// another was presented beside it, or they began as soon as it was.
func (c *cell) onlyFresh() (key history.CellKey, sum history.Counts, there bool) {
	if c.limits.Hop != history.FromLoad {
		return key, sum, false
	}
	key = history.CellKey{Source: history.FromLoad, Presenter: c.presenter, Validator: c.validator.Name, Credential: c.fresh}
	var others tally
	beside := false // another was presented meanwhile
	for _, other := range c.misses(c.presenter, c.validator.Name).keys {
		of := c.view.Sum(other, c.start, c.end+1)
		if other != key {
			others.bad, others.of = others.bad+of.Unavailable, others.of+of.Attempts
			beside = beside || c.view.Sum(other, c.first, c.last).OK > 0
		}
	}
	sum = c.view.Sum(key, c.start, c.end+1)
	atOnce := c.view.Sum(key, c.start, c.first-history.Offset(nearly)).Attempts == 0
	kind, statuses, n := c.mostly()
	answered := kind == "5xx" || kind == "4xx" && statuses != "429" // that is of how much is asked, and not with what
	if !answered || n != c.sum.Unavailable || sum.Unavailable == 0 || others.bad > 0 || others.of == 0 || !beside && !atOnce {
		return key, sum, false
	}
	sum.AuthFailures, sum.FirstFailure, sum.LastFailure = sum.Unavailable, c.first, c.last
	return key, sum, true
}

// answeredOtherwise says where a refusal may have been answered as something
// else: an error that only the new credential had. "" where it was not.
func (e *evidence) answeredOtherwise() string {
	for _, client := range e.limits.Clients {
		sum, first, last := e.lost(client.Name, client.To, e.start, e.end+1)
		c := &cell{evidence: e, presenter: client.Name, sum: &sum, first: first, last: last}
		c.validator.Name = client.To
		if _, fresh, there := c.onlyFresh(); there {
			_, statuses, _ := c.mostly()
			return fmt.Sprintf("%s answered %s to %d attempts of %s with %s and to none with another credential: refusals in other words", client.To, statuses, fresh.Unavailable, client.Name, e.fresh)
		}
	}
	return ""
}

// faultOnTheWay matches where a fault that left evidence was in effect on the way
// to the service, or on its way to where its keys come from, when its callers
// began to get no answer. An attempt that was given up is counted then, and began before.
func faultOnTheWay(c *cell) (explanation, bool) {
	const patience = 5 * history.Offset(nearly) // the longest that a client waits, where nothing else is said
	about := history.Offset(nearly)
	for _, r := range c.near(c.first-patience-about, c.first+about, loadName, c.presenter, c.validator.Name, c.validator.From, c.validator.Via) {
		if r.From == "" || r.To == storeName {
			continue
		}
		told := explanation{causedBy: r.Kind, consumer: r.Target, why: "the way " + r.Target + " was disturbed" + c.cite([]FaultReport{r})}
		told.cause = c.byStatus().cause
		told.fix = fmt.Sprintf("mend the way %s, or rehearse what is to happen when it is disturbed: neither %s nor what is presented is at fault", r.Target, c.validator.Name)
		return told, true
	}
	return explanation{}, false
}

// loadName is the load, as an edge names it.
const loadName = "load"

// byStatus tells of missing answers by what came instead, where nothing else
// explains them: an error is not silence, and silence is not a closed door.
func (c *cell) byStatus() explanation {
	name := c.validator.Name
	switch kind, statuses, n := c.mostly(); kind {
	case "5xx":
		return explanation{cause: CauseFailing, why: fmt.Sprintf("it answered %s %d times, and nothing in the history says why", statuses, n),
			fix: fmt.Sprintf("look into the log of %s from %s on: it answers, and says there why it fails", name, c.first)}
	case "4xx":
		return explanation{cause: CauseFailing, why: fmt.Sprintf("it answered %s %d times, which is no refusal of the credential here, and nothing in the history says why", statuses, n),
			fix: fmt.Sprintf("look into the log of %s from %s on", name, c.first)}
	case statusTimeout:
		return explanation{cause: CauseTimedOut, why: fmt.Sprintf("%d answers did not come in time, and nothing in the history says why", n),
			fix: fmt.Sprintf("look into the log of %s from %s on, and at what it waits for", name, c.first)}
	case statusReset:
		return explanation{cause: CauseReset, why: fmt.Sprintf("%d connections ended before the answer did, and nothing in the history says why", n),
			fix: fmt.Sprintf("look into the log of %s, and at the way to it, from %s on", name, c.first)}
	}
	return explanation{cause: CauseServiceDown, why: "nothing in the history says why"}
}
