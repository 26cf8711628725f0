package reports

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/reports/chart"
)

const (
	// wide and narrow are the widths of charts in CSS pixels: across the page, and two side by side.
	wide, narrow = 960, 460
	// maxLines is how many lines a panel shows.
	maxLines = 4
	// maxBars is how many clients and services are compared in one picture and get a chart of their
	// own; tables have them all.
	maxBars = 12
)

// comparison draws the contrasts side by side; nil where there is none.
func comparison(all []contrast) chart.Chart {
	if len(all) == 0 {
		return nil
	}
	c := &chart.Comparison{
		Title: "Auth failures and latency before and after", Width: wide,
		Before: "before", After: "after", Measures: []string{"Auth failures", "p99 latency"},
	}
	lost := slices.ContainsFunc(all, func(x contrast) bool { return x.Before.Unavailable+x.After.Unavailable > 0 })
	if lost {
		c.Measures = []string{"Auth failures", "Unavailable", "p99 latency"}
	}
	var before, after, attemptsBefore, attemptsAfter int64
	for i, x := range all {
		before, attemptsBefore = before+x.Before.AuthFailures, attemptsBefore+x.Before.Attempts
		after, attemptsAfter = after+x.After.AuthFailures, attemptsAfter+x.After.Attempts
		if i < maxBars {
			c.Rows = append(c.Rows, chart.Row{Name: x.Pair.String(), Before: x.Before.values(lost), After: x.After.values(lost)})
		}
	}
	c.Description = fmt.Sprintf("Before, %s of %s first attempts were auth failures; after, %s of %s.",
		Count(before), Count(attemptsBefore), Count(after), Count(attemptsAfter))
	if rest := len(all) - maxBars; rest > 0 {
		c.Description += fmt.Sprintf(" The %d worst are shown; %d more are in the table.", maxBars, rest)
	}
	return c
}

// values are the figures of one side, in the order of a comparison's measures.
func (s *contrastSide) values(lost bool) []chart.Value {
	values := []chart.Value{{Figure: s.failing(), Text: Share(s.AuthFailures, s.Attempts)}}
	if lost {
		values = append(values, chart.Value{Figure: ratio(s.Unavailable, s.Attempts), Text: Share(s.Unavailable, s.Attempts)})
	}
	return append(values, chart.Value{Figure: s.P99, Text: latency(s.P99)})
}

// wholeTitle is the title of the chart of everything judged.
const wholeTitle = "Auth failures and the share of each credential over time"

// named is a track with the name of its line.
type named struct {
	name   string
	points []Point
}

// overTime draws the failures of some tracks, and the share of each credential
// in one; nil where nothing is known over time.
func overTime(m *Model, title string, width int, failing []named, whole []Point) chart.Chart {
	if m.Timeline == nil || len(whole) == 0 {
		return nil
	}
	c := axis(m, width)
	c.Title, c.Description = title, described(m, whole)
	failures, most := chart.Panel{Name: "Auth failures of first attempts", Alarm: true}, 0.0
	draw := func(name string, points []Point, of func(Point) int64) {
		values := ratios(points, of)
		for _, v := range values {
			if v > most { // false for a gap
				most = v
			}
		}
		failures.Lines = append(failures.Lines, chart.Line{Name: name, Values: values})
	}
	for _, n := range failing {
		draw(n.name, n.points, func(p Point) int64 { return p.AuthFailures })
	}
	if len(failing) == 1 && failing[0].name != "" { // a legend would be longer
		failures.Name += ": " + failing[0].name
	}
	if slices.ContainsFunc(whole, func(p Point) bool { return p.Unavailable > 0 }) {
		if len(failing) == 1 {
			failures.Lines[0].Name = "auth failures"
		}
		failures.Name = strings.Replace(failures.Name, "Auth failures", "Failures", 1)
		draw("unavailable", whole, func(p Point) int64 { return p.Unavailable })
	}
	failures.Max = ceiling(most)
	for _, at := range []float64{0, failures.Max / 2, failures.Max} {
		failures.Ticks = append(failures.Ticks, chart.Tick{At: at, Label: fmt.Sprintf("%.3g %%", 100*at)})
	}
	shares := chart.Panel{
		Name: "Share of each credential", Max: 1,
		Ticks: []chart.Tick{{At: 0, Label: "0 %"}, {At: 0.5, Label: "50 %"}, {At: 1, Label: "100 %"}},
		Lines: shareLines(whole),
	}
	c.Panels = []chart.Panel{failures}
	switch names := credentialsIn(whole); {
	case len(names) == 1 && names[0] == "": // nothing names the credentials here
	case len(names) == 1:
		shares.Name += ": " + names[0]
		fallthrough
	default:
		c.Panels = append(c.Panels, shares)
	}
	c.Stretches = m.stretches(whole)
	if strip, ok := m.Timeline.Machine.strip(); ok && title == wholeTitle {
		c.Panels = append(c.Panels, strip)
	}
	return c
}

// axis is a timeline without figures: its axis, phases and faults.
func axis(m *Model, width int) *chart.Timeline {
	t := m.Timeline
	end := max(t.Start+t.Width*history.Offset(len(t.Whole.Points)), 1)
	if ended := m.ended(); ended > t.Start {
		end = ended // the last point may reach beyond the end
	}
	c := &chart.Timeline{
		Width: width, Start: seconds(t.Start), End: seconds(end), First: seconds(t.Start), Step: seconds(t.Width),
	}
	for _, p := range m.Phases {
		c.Phases = append(c.Phases, chart.Mark{At: seconds(history.Milliseconds(p.StartMS)), Name: string(p.Name)})
	}
	for _, f := range m.Faults {
		if f.InjectedMS < 0 {
			continue
		}
		b := chart.Band{From: seconds(history.Milliseconds(f.InjectedMS)), To: c.End, Name: join(" ", f.Kind, f.Target)}
		if f.UndoneMS > f.InjectedMS {
			b.To = seconds(history.Milliseconds(f.UndoneMS))
		}
		c.Bands = append(c.Bands, b)
	}
	for _, a := range m.Operator {
		at := seconds(history.Milliseconds(a.AtMS))
		c.Bands = append(c.Bands, chart.Band{From: at, To: at, Name: a.Did})
	}
	slices.SortStableFunc(c.Bands, func(a, b chart.Band) int { return cmp.Compare(a.From, b.From) })
	c.Ticks = ticks(m.clock(), t.Start, end, width/100)
	return c
}

func seconds(o history.Offset) float64 { return o.Duration().Seconds() }

// tickSteps are lengths of page time that read well on an axis.
var tickSteps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// ticks are marks of page time between two moments, at most as many as asked for.
func ticks(clock Clock, start, end history.Offset, most int) []chart.Tick {
	from, to := clock.page(start), clock.page(end)
	step := max((to-from)/time.Duration(most), 1)
	for _, s := range tickSteps {
		if (to-from)/s < time.Duration(most) {
			step = s
			break
		}
	}
	var all []chart.Tick
	for at := (from + step - 1) / step * step; at <= to && len(all) < most; at += step {
		all = append(all, chart.Tick{At: seconds(clock.wall(at)), Label: plan.Text(at)})
	}
	return all
}

// ceiling is a round share at or above a value, for the end of an axis.
func ceiling(v float64) float64 {
	for _, round := range []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5} {
		if v <= round {
			return round
		}
	}
	return 1
}

// ratios are shares of attempts; NaN where nothing was attempted.
func ratios(points []Point, of func(Point) int64) []float64 {
	values := make([]float64, len(points))
	for i, p := range points {
		values[i] = math.NaN()
		if p.Attempts > 0 {
			values[i] = ratio(of(p), p.Attempts)
		}
	}
	return values
}

// shareLines are the shares of the maxLines most used credentials, by name.
func shareLines(points []Point) []chart.Line {
	names := credentialsIn(points)
	names = names[:min(len(names), maxLines)]
	slices.Sort(names)
	lines := make([]chart.Line, 0, len(names))
	for _, name := range names {
		l := chart.Line{Name: cmp.Or(name, "none that is known"), Values: make([]float64, len(points))}
		for i, p := range points {
			l.Values[i] = math.NaN()
			if p.Attempts > 0 {
				l.Values[i] = float64(p.Credentials[name]) / float64(p.Attempts)
			}
		}
		lines = append(lines, l)
	}
	return lines
}

// credentialsIn are the names of the credentials of some points, the most used
// first.
func credentialsIn(points []Point) []string {
	attempts := map[string]int64{}
	for _, p := range points {
		for name, n := range p.Credentials {
			attempts[name] += n
		}
	}
	return slices.SortedFunc(maps.Keys(attempts), func(a, b string) int {
		return cmp.Or(cmp.Compare(attempts[b], attempts[a]), cmp.Compare(a, b))
	})
}

// worst are the judged tracks with failures: the worst ones by themselves, the rest in one; where none
// has any, the whole.
func worst(m *Model, all []contrast) []named {
	var lines []named
	var rest []Point
	others := 0
	for _, c := range all {
		if c.track == nil || c.Pair.source != m.Limits.JudgedAt && m.Limits.JudgedAt != "" || c.Before.AuthFailures+c.After.AuthFailures == 0 {
			continue
		}
		if len(lines) < maxLines {
			lines = append(lines, named{c.Pair.String(), c.track.Points})
			continue
		}
		others++
		if rest == nil {
			rest = make([]Point, len(c.track.Points))
		}
		for i, p := range c.track.Points {
			rest[i].Attempts += p.Attempts
			rest[i].AuthFailures += p.AuthFailures
		}
	}
	if others > 0 {
		lines = append(lines, named{fmt.Sprintf("%d others", others), rest})
	}
	if len(lines) == 0 {
		lines = []named{{"all", m.Timeline.Whole.Points}}
	}
	return lines
}

// described describes a track in a sentence.
func described(m *Model, track []Point) string {
	var most float64
	var at history.Offset
	var failures, attempts, lost int64
	for i, p := range track {
		lost += p.Unavailable
		failures += p.AuthFailures
		attempts += p.Attempts
		if p.Attempts > 0 && float64(p.AuthFailures)/float64(p.Attempts) > most {
			most = float64(p.AuthFailures) / float64(p.Attempts)
			at = m.Timeline.Start + m.Timeline.Width*history.Offset(i)
		}
	}
	text := fmt.Sprintf("No auth failures among %s first attempts.", Count(attempts))
	if failures > 0 {
		text = fmt.Sprintf("%s auth failures among %s first attempts; the worst stretch began at %s, with %.3g %%.",
			Count(failures), Count(attempts), m.clock().Moment(at), 100*most)
	}
	if lost > 0 {
		text += fmt.Sprintf(" %s got no answer.", Count(lost))
	}
	return text
}

// figures are the points of a chart as a table. Stretches in which nothing was
// attempted are left out.
func figures(m *Model, title string, track []Point) table {
	names := credentialsIn(track)
	names = names[:min(len(names), maxLines)]
	slices.Sort(names)
	t := table{
		Title: title, Note: fmt.Sprintf("Stretches of %s; times are page time.", PageAndWall(m.Speed, m.Timeline.Width.Duration())),
		Head: []column{words("From"), figure("Attempts"), figure("Auth failures"), figure("of attempts"), figure("Unavailable")},
	}
	for _, name := range names {
		t.Head = append(t.Head, figure(cmp.Or(name, "none that is known")))
	}
	clock := m.clock()
	for i, p := range track {
		if p.Attempts == 0 {
			continue
		}
		at := m.Timeline.Start + m.Timeline.Width*history.Offset(i)
		row := []string{clock.Page(at), Count(p.Attempts), Count(p.AuthFailures), Share(p.AuthFailures, p.Attempts), Count(p.Unavailable)}
		for _, name := range names {
			row = append(row, Share(p.Credentials[name], p.Attempts))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
