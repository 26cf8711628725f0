package cell

import (
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

// LeastMixed is how many refusals must lie beside acceptances in the same second to tell of replicas.
const LeastMixed = 3

// Alternated is how many of the harness's own presentations of the new credential were refused although
// asked for after an acceptance, of how many; stuck says that it happened after the revoke too. A
// validator that has learned goes on taking it: only another replica refuses. 0 where the validator
// refuses as much of what the rotation does not concern.
func (c *Cell) Alternated() (refused, of int64, stuck bool) {
	first := history.Offset(-1)
	for _, event := range c.Events {
		if !c.showsFresh(&event) {
			continue
		}
		switch event.Probe.Outcome {
		case history.OK:
			of++
			if first < 0 {
				first = event.At
			}
		case history.AuthFailure:
			of++
			if first >= 0 && event.At-event.Probe.Latency > first {
				refused, stuck = refused+1, stuck || event.Probe.Purpose == history.NewAfter
			}
		}
	}
	usual, attempts := c.View.Usual(c.Limits.JudgedAt, c.Validator.Name)
	if float64(refused) <= 2*(evidence.Tally{Bad: usual, Of: attempts}).Share()*float64(of) {
		return 0, of, false
	}
	return refused, of, stuck
}

// showsFresh reports whether the harness itself presented the new credential to the validator, beside what clients do.
func (c *Cell) showsFresh(event *history.Event) bool {
	return event.Kind == history.KindProbe && event.Service == c.Validator.Name && event.Credential == c.Fresh &&
		(event.Probe.Purpose == history.Canary || event.Probe.Purpose == history.NewAfter)
}

// Flipped is how many of the harness's own presentations of the new credential were refused after it had been
// taken, with no fetch in between: one cache answers alike from one fetch to the next, however late the other
// workers of a validator were started.
func (c *Cell) Flipped() (n int) {
	taken := history.Offset(-1) // since the last fetch
	for _, event := range c.Events {
		switch {
		case event.Kind == history.KindFetched && event.Service == c.Validator.Name:
			taken = -1
		case !c.showsFresh(&event):
		case event.Probe.Outcome == history.OK:
			taken = event.At
		case event.Probe.Outcome == history.AuthFailure && taken >= 0 && event.At-event.Probe.Latency > taken:
			n++
		}
	}
	return n
}

// Caches is how many caches of its own a validator has, by its fetches before anything was presented to
// it, and when that many had the new credential.
func (c *Cell) Caches() (n int, learned []history.Offset) {
	name := c.Validator.Name
	fetches := c.Fetches(name, 0, c.End)
	for _, fetch := range fetches {
		if len(fetches) > 0 && fetch.At-fetches[0].At < evidence.Nearly/2 && fetch.At <= c.Start {
			n++
		}
	}
	for _, fetch := range fetches {
		for _, credential := range fetch.Credentials {
			if credential == c.Fresh && len(learned) < n {
				learned = append(learned, fetch.At)
			}
		}
	}
	return n, learned
}

// Tally is how many presentations of a credential to the cell's validator, the harness's among them, were
// refused in a stretch. It leaves out a bucket at either end, in which a fetch takes effect.
func (c *Cell) Tally(credential string, from, to history.Offset) (t evidence.Tally) {
	for _, key := range c.JudgedCells() {
		if key.Validator != c.Validator.Name || key.Credential != credential {
			continue
		}
		sum := c.View.Sum(key, from+evidence.BucketWidth, to-evidence.BucketWidth)
		t.Bad, t.Of = t.Bad+sum.AuthFailures, t.Of+sum.Attempts
	}
	for _, event := range c.About(c.Validator.Name) {
		if event.Kind != history.KindProbe || event.Credential != credential || event.At-event.Probe.Latency < from+evidence.BucketWidth || event.At >= to-evidence.BucketWidth {
			continue
		}
		switch event.Probe.Outcome {
		case history.AuthFailure:
			t.Bad, t.Of = t.Bad+1, t.Of+1
		case history.OK:
			t.Of++
		}
	}
	return t
}
