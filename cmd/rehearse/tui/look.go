package tui

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/reports"
)

// look is all about one party: what it is, which credentials it has, how it
// fares, and the end of its log.
func (m *model) look(s *board.State, height int) []string {
	name := m.looked
	lines := []string{rule(safe(name)+m.position(s), m.width)}
	for _, text := range append(m.roles(s, name), m.credentials(s, name)...) {
		lines = append(lines, " "+text)
	}
	for _, r := range s.Rows() {
		if r.Validator == name || r.Presenter == name {
			lines = append(lines, m.fares(s, r)...)
		}
	}
	lines = append(lines, rule("log, the newest last", m.width))
	log := collapse(m.logs, s)
	if len(log) == 0 {
		log = []string{dim.Render(" nothing yet")}
	}
	if room := height - len(lines); room < len(log) {
		log = log[len(log)-max(room, 0):]
	}
	for _, line := range log {
		lines = append(lines, " "+line)
	}
	return lines
}

// position is where a party is among those that can be looked into.
func (m *model) position(s *board.State) string {
	all := s.Services()
	return fmt.Sprintf(" · %d of %d", slices.Index(all, m.looked)+1, len(all))
}

// roles are what the plan says of a party.
func (m *model) roles(s *board.State, name string) []string {
	var lines []string
	l := s.Run().Limits
	if v, ok := l.Validator(name); ok {
		text := "validates"
		if v.Library != "" {
			text += " with " + v.Library
		}
		switch {
		case v.Authority:
			text += ": decides itself what it accepts"
		case v.OnMiss:
			text += ": learns when it meets a new one, forgets within " + plan.Text(v.Forgets)
		default:
			text += fmt.Sprintf(": learns within %s, forgets within %s", plan.Text(v.Learns), plan.Text(v.Forgets))
		}
		lines = append(lines, text+offPage(v.OnPage))
	}
	if e, ok := l.Emitter(name); ok {
		lines = append(lines, "emits: reads the secret every "+plan.Text(e.Refresh)+offPage(e.OnPage))
	}
	if at, ended := s.View().Exited[name]; ended {
		lines = append(lines, warned.Render("it has ended at "+board.Moment(at)+", at least once"))
	}
	return lines
}

func offPage(on bool) string {
	if on {
		return ""
	}
	return "; it is not on the page"
}

// credentials are what a party takes, emits and has fetched.
func (m *model) credentials(s *board.State, name string) []string {
	v := s.View()
	var lines []string
	var holds []string
	for _, c := range oldFirst(s, slices.Collect(maps.Keys(v.Holds[name]))) {
		since := fmt.Sprintf("%s since %s", safe(c), board.Moment(v.Holds[name][c]))
		if v.OnlyFetched(name, c) {
			since += " (fetched, not seen to be taken)"
		}
		holds = append(holds, since)
	}
	for _, c := range oldFirst(s, slices.Collect(maps.Keys(v.Forgot[name]))) {
		if _, again := v.Holds[name][c]; !again {
			holds = append(holds, fmt.Sprintf("no more %s since %s", safe(c), board.Moment(v.Forgot[name][c])))
		}
	}
	if len(holds) > 0 {
		lines = append(lines, "takes "+strings.Join(holds, " · "))
	}
	if c := v.Emitting[name]; c != "" {
		lines = append(lines, fmt.Sprintf("emits %s since %s", safe(c), board.Moment(v.Switched[name][c])))
	}
	if n := v.Fetches[name]; n > 0 {
		lines = append(lines, fmt.Sprintf("fetched %s times, last at %s (%s ago)", reports.Count(n), board.Moment(v.LastFetch[name]), since(s, v.LastFetch[name])))
	}
	if set := v.Published[name]; len(set) > 0 {
		lines = append(lines, "publishes "+safe(strings.Join(set, ", ")))
	}
	return lines
}

// fares is how a pair fares: figures, answers, credentials.
func (m *model) fares(s *board.State, r *board.Row) []string {
	now := s.RowNow(r)
	sign, style, _ := state(r, now)
	lines := []string{fmt.Sprintf(" %s %s · %s refused now · %s req/s · p99 %s · %s in all", style.Render(sign), strong.Render(pairName(s, r)),
		style.Render(reports.Share(now.AuthFailures, now.Attempts)), rate(now.Rate), latency(now.P99), reports.Count(r.Attempts))}
	var used []string
	for _, c := range oldFirst(s, slices.Collect(maps.Keys(r.Used))) {
		if u := r.Used[c]; c != "" && u.Attempts > 0 {
			used = append(used, fmt.Sprintf("%s %s, %s refused", safe(c), reports.Count(u.Attempts), reports.Count(u.AuthFailures)))
		}
	}
	for _, text := range []string{"codes " + allCodes(r.Statuses), strings.Join(used, " · ")} {
		if text != "" && text != "codes " {
			lines = append(lines, "   "+text)
		}
	}
	return lines
}

// collapse makes log lines readable: what stand-ins write as JSON in a few
// words, and what is said again and again once, with how often.
func collapse(lines []string, s *board.State) []string {
	var out, bare []string
	var counts []int
	for _, line := range lines {
		when, text := words(line, s)
		if i := len(bare) - 1; i >= 0 && bare[i] == text {
			counts[i]++
			out[i] = when
			continue
		}
		out, bare, counts = append(out, when), append(bare, text), append(counts, 1)
	}
	for i := range out {
		again := ""
		if counts[i] > 1 {
			again = fmt.Sprintf(" ×%d", counts[i])
		}
		if out[i] != "" {
			out[i] = dim.Render(out[i]) + " "
		}
		out[i] += bare[i] + again
	}
	return out
}

// words is a log line without its time, which stands beside it.
func words(line string, s *board.State) (when, text string) {
	l, ok := history.ParseLine([]byte(line))
	if !ok {
		return "", safe(line)
	}
	parts := []string{l.Message}
	add := func(format, value string) {
		if value != "" {
			parts = append(parts, fmt.Sprintf(format, value))
		}
	}
	named := func(ids []string) string {
		names := make([]string, len(ids))
		for i, id := range ids {
			names[i] = s.Credential(id)
		}
		return strings.Join(names, ", ")
	}
	if l.Identifier != "" {
		add("%s", s.Credential(l.Identifier))
	}
	add("%s", named(l.Identifiers))
	add("holds %s", named(l.Holds))
	add("of %s", l.Presenter)
	add("for %s", l.Reader)
	add("%s", l.What)
	add("from %s", l.From)
	add("(%s)", l.Status)
	add(": %s", l.Detail)
	return l.Time.Local().Format(time.TimeOnly), safe(strings.ReplaceAll(strings.Join(parts, " "), " : ", ": "))
}
