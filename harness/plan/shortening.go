package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// Shortening is by how much the bounds would ask for less if a figure were half as long.
type Shortening struct {
	Path string        // of page or scenario, as scenario.Loaded.Durations has it
	Now  time.Duration // page time
	Less time.Duration // of lead, window and watch together; page time
	Of   []string      // which of them: lead, window, watch
}

// Shortenings are the figures on which the length of a rotation hangs, the most first: that of a party
// that another one is as slow as is not among them. A plan that cannot be built has none.
func Shortenings(l *scenario.Loaded, o Options) []Shortening {
	needed := func(l *scenario.Loaded) (map[string]time.Duration, bool) {
		p, err := Build(l, o)
		if err != nil {
			return nil, false
		}
		most := map[string]time.Duration{}
		for _, b := range p.Limits.Bounds() {
			if b.Needed != runbook.Forever { // which no figure shortens
				most[b.Stretch()] = max(most[b.Stretch()], b.Needed)
			}
		}
		return most, true
	}
	now, ok := needed(l)
	if !ok {
		return nil
	}
	var all []Shortening
	for path, length := range l.Durations() {
		if length <= 0 || length == runbook.Forever || strings.HasPrefix(path, "load.") {
			continue
		}
		half, ok := needed(l.With(path, int64(length/2)))
		if !ok {
			continue
		}
		s := Shortening{Path: path, Now: length}
		for _, stretch := range slices.Sorted(maps.Keys(now)) {
			if less := now[stretch] - half[stretch]; less > 0 {
				s.Less, s.Of = s.Less+less, append(s.Of, stretch)
			}
		}
		if s.Less > 0 {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Shortening) int { return cmp.Or(cmp.Compare(b.Less, a.Less), cmp.Compare(a.Path, b.Path)) })
	return all
}
