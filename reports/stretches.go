package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/reports/chart"
)

// mostStretches bounds the stretches of time that a chart marks: enough to point at one, and few enough
// that a report of many charts stays small.
const mostStretches = 60

// stretches describes a track by stretches of time, which are the same in every chart of the report.
func (m *Model) stretches(points []Point) []chart.Stretch {
	t := m.Timeline
	each := (len(t.Whole.Points) + mostStretches - 1) / mostStretches
	if each == 0 {
		return nil
	}
	clock := m.clock()
	var all []chart.Stretch
	for i := 0; i < len(points); i += each {
		part := points[i:min(i+each, len(points))]
		sum := Point{Credentials: map[string]int64{}}
		for _, p := range part {
			sum.Attempts += p.Attempts
			sum.AuthFailures += p.AuthFailures
			sum.Unavailable += p.Unavailable
			for name, n := range p.Credentials {
				sum.Credentials[name] += n
			}
		}
		if sum.Attempts == 0 {
			continue
		}
		from := t.Start + t.Width*history.Offset(i)
		to := from + t.Width*history.Offset(len(part))
		all = append(all, chart.Stretch{
			From: seconds(from), To: seconds(to), Index: i / each,
			Text: fmt.Sprintf("%s to %s: %s", clock.Page(from), clock.Page(to), sum.words()),
		})
	}
	return all
}

// words are the figures of a point.
func (p Point) words() string {
	parts := []string{fmt.Sprintf("%s of %s attempts refused", Count(p.AuthFailures), Count(p.Attempts))}
	if p.Unavailable > 0 {
		parts = append(parts, Count(p.Unavailable)+" without an answer")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Credentials)) {
		if name != "" {
			parts = append(parts, fmt.Sprintf("%s %s", name, Share(p.Credentials[name], p.Attempts)))
		}
	}
	return strings.Join(parts, ", ")
}

// pointing is the style sheet that marks a stretch of time in every chart when the reader points at it
// in one: a page has no script.
func pointing() string {
	var b strings.Builder
	for i := range mostStretches {
		fmt.Fprintf(&b, "main:has(.t%d:hover) .t%d{fill:var(--point)}\n", i, i)
	}
	return b.String()
}
