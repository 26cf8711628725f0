package rotation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// enough is how many first attempts a cell must have for its baseline to say anything; a client too
// slow for that in the planned time needs half of what it sends.
const enough = 20

// baseline holds when every client was seen and failures are within the page's objective: nothing can
// be judged over a failing baseline.
func (l Look) baseline() (string, []refusal) {
	var refusals []refusal
	var attempts int64
	for _, c := range l.clientSums(0) {
		attempts += c.sum.Attempts
		due := c.rate * l.Baseline.Seconds() / 2
		if need := min(enough, int64(due)); c.sum.Attempts < need {
			refusals = append(refusals, refusal{consumer: c.to, why: fmt.Sprintf("%s made %d attempts at %s in the baseline, want at least %d",
				c.name, c.sum.Attempts, c.to, need)})
		}
		bad := c.sum.AuthFailures + c.sum.Unavailable
		if !plan.Within(l.Limits.Objective, bad, c.sum.Attempts) && l.takesPart(c.name, c.to) {
			refusals = append(refusals, refusal{consumer: c.to, why: fmt.Sprintf("%d of %d attempts of %s at %s failed before anything was changed",
				bad, c.sum.Attempts, c.name, c.to)})
		}
	}
	refusals = append(refusals, l.unread()...)
	holds := fmt.Sprintf("%d attempts, every client seen, failures inside the objective", attempts)
	if l.moment.Known {
		holds += "; the accept falls where the slowest validator learns as late as it can"
	}
	if len(l.moment.Missed) > 0 {
		holds += ", not so for " + strings.Join(l.moment.Missed, ", ")
	}
	if len(l.moment.Unseen) > 0 {
		holds += "; the worst moment was not seen for " + strings.Join(l.moment.Unseen, ", ")
	}
	if blind := l.Limits.Untimed(); len(blind) > 0 {
		holds += "; no log tells the worst moment for " + strings.Join(blind, ", ")
	}
	return holds, refusals
}

// unread adds a refusal where nobody was seen to present anything, and a log that would tell of it is not understood: what
// it does not tell holds no gate.
func (l Look) unread() []refusal {
	for _, key := range l.View.Keys() {
		if key.Source == l.Limits.JudgedAt {
			return nil
		}
	}
	var refusals []refusal
	for _, service := range slices.Sorted(maps.Keys(l.View.Unread)) {
		refusals = append(refusals, refusal{untold: true, why: fmt.Sprintf("what %s decides is not known: %s", service, l.View.Unread[service])})
	}
	return refusals
}

// takesPart reports whether a presenter at a validator has to do with the rotation: the plan knows it,
// or it presented the credential in use. Other calls to that validator may be refused.
func (l Look) takesPart(presenter, validator string) bool {
	_, client := l.Limits.Client(presenter)
	_, emitter := l.Limits.Emitter(presenter)
	return client || emitter || l.View.Sum(history.CellKey{Source: l.Limits.JudgedAt, Presenter: presenter, Validator: validator, Credential: Old}, 0, l.View.Now+1).Attempts > 0
}

// began is the rate at which a client begins.
func began(c plan.Client) float64 {
	if c.Later {
		return 0
	}
	return c.Rate
}

// clientSum is what one presenter did in the judged cells since some offset.
type clientSum struct {
	name, to string
	rate     float64
	sum      history.Counts
}

// clientSums adds up what each presenter did in the judged cells since an offset. Where the load itself
// is judged, clients that were not seen are listed with zero attempts.
func (l Look) clientSums(from history.Offset) []clientSum {
	var sums []clientSum
	index := map[[2]string]int{}
	if l.Limits.JudgedAt == history.FromLoad {
		for _, c := range l.Limits.Clients {
			index[[2]string{c.Name, c.To}] = len(sums)
			sums = append(sums, clientSum{name: c.Name, to: c.To, rate: began(c)})
		}
	}
	for _, key := range l.View.Keys() {
		if key.Source != l.Limits.JudgedAt {
			continue
		}
		pair := [2]string{key.Presenter, key.Validator}
		i, ok := index[pair]
		if !ok {
			i = len(sums)
			index[pair] = i
			sums = append(sums, clientSum{name: key.Presenter, to: key.Validator})
		}
		c := l.View.Sum(key, from, max(l.View.Now, l.Now)+1) // a long stretch is recorded under its beginning
		sums[i].sum.Add(&c)
	}
	return sums
}
