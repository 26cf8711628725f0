package console

import (
	"cmp"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/reports"
)

const (
	// calm is wall time of attempts without a failure after which a cell has recovered.
	calm = time.Second
	// maxEpisodes is how often one cell is told to fail; maxCells how many cells
	// are told of at all. The report has the rest.
	maxEpisodes = 3
	maxCells    = 20
)

// failing follows the cells that fail.
type failing struct {
	cells map[history.CellKey]*episode
	mute  bool // it was said that no more cells are told of
}

func newFailing() failing { return failing{cells: map[history.CellKey]*episode{}} }

// episode is a stretch of time in which attempts of one cell fail.
type episode struct {
	open        bool
	told        int
	auth, other int64 // failures since it opened
	first, last history.Offset
}

// count takes counts into account and says where failures begin and end.
func (c *Console) count(at history.Offset, n *history.Counts) {
	if n.Source == history.FromProbe {
		return
	}
	if c.limits.JudgedAt == "" || n.Source == c.limits.JudgedAt {
		c.progress.add(at, n, c.story.newName())
	}
	key := history.CellKey{Source: n.Source, Presenter: n.Presenter, Validator: n.Validator, Credential: n.Credential}
	e := c.failing.cells[key]
	failed := n.AuthFailures + n.Unavailable
	switch {
	case failed > 0:
		if e == nil {
			if len(c.failing.cells) >= maxCells {
				c.muteCells(at)
				return
			}
			e = &episode{}
			c.failing.cells[key] = e
		}
		if !e.open {
			*e = episode{open: true, told: e.told + 1, first: firstFailure(at, n)}
			if e.told <= maxEpisodes {
				c.tellFailure(e, key, n)
			}
		}
		e.auth += n.AuthFailures
		e.other += n.Unavailable
		e.last = max(at, n.LastFailure)
	case e != nil && e.open && n.Attempts > 0 && at-e.last >= history.Offset(calm):
		e.open = false
		if e.told <= maxEpisodes {
			c.say(at, good, "%s is served again, after %s in %s", cellName(key), failures(e), c.both(e.last-e.first))
		}
	}
}

func (c *Console) muteCells(at history.Offset) {
	if !c.failing.mute {
		c.failing.mute = true
		c.say(at, bad, "more than %d combinations of presenter, validator and credential fail; the others are in the report", maxCells)
	}
}

// tellFailure says who is refused or gets no service, in which phase and how.
func (c *Console) tellFailure(e *episode, key history.CellKey, n *history.Counts) {
	what, status := "attempt without service", reports.Refusals(n.Statuses)
	if n.AuthFailures > 0 {
		what = "auth failure"
		if len(n.Examples) > 0 {
			status = n.Examples[0].Status
		}
	}
	order := "first"
	if e.told > 1 {
		order = "another"
	}
	in := cmp.Or(string(c.story.phase), "the start")
	c.say(e.first, bad, "%s: %s %s in %s (%s)", cellName(key), order, what, in, status)
}

// failures tells an episode's failures by their kind.
func failures(e *episode) string {
	switch {
	case e.other == 0:
		return reports.Count(e.auth) + " auth failures"
	case e.auth == 0:
		return reports.Count(e.other) + " attempts without service"
	}
	return reports.Count(e.auth) + " auth failures and " + reports.Count(e.other) + " attempts without service"
}

func firstFailure(at history.Offset, n *history.Counts) history.Offset {
	if n.FirstFailure > 0 {
		return n.FirstFailure
	}
	return at
}

func cellName(k history.CellKey) string {
	s := k.Presenter + " → " + k.Validator
	if k.Credential != "" {
		s += " with " + k.Credential
	}
	return s
}
