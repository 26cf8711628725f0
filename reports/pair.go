package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// pair is a client and a service as one source saw them.
type pair struct {
	source               history.Source
	presenter, validator string
}

func pairOf(c judge.Cell) pair { return pair{c.Source, c.Presenter, c.Validator} }

// String names the source only where it is not the usual one.
func (p pair) String() string {
	s := p.presenter + " → " + p.validator
	if p.source != history.FromLoad && p.source != "" {
		s += fmt.Sprintf(" (seen by the %s)", p.source)
	}
	return s
}

// judged reports whether a cell's source is the one that decides flatness.
func (m *Model) judged(c judge.Cell) bool {
	if m.Limits.JudgedAt == "" {
		return c.Source != history.FromProbe
	}
	return c.Source == m.Limits.JudgedAt
}

// compare orders pairs by name.
func (p pair) compare(o pair) int {
	return cmp.Or(cmp.Compare(p.presenter, o.presenter), cmp.Compare(p.validator, o.validator), cmp.Compare(p.source, o.source))
}

// pairs lists what cells there are, the judged ones first.
func pairs(m *Model) []pair {
	seen := map[pair]bool{}
	for _, c := range m.Cells {
		if c.Source != history.FromProbe {
			seen[pairOf(c)] = m.judged(c)
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b pair) int {
		if seen[a] != seen[b] {
			return ordered(seen[a])
		}
		return a.compare(b)
	})
}
