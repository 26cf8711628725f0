package reports

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// contrast compares a client and a service before anything was changed, in the baseline, and after:
// from accept to the end.
type contrast struct {
	Pair          pair
	Before, After contrastSide
	Worst, Down   worstPhase // of auth failures, and of what was unavailable
	track         *Track     // nil: nothing is known over time
}

// worstPhase is the phase with the largest share of some failure; empty where there
// was none.
type worstPhase struct {
	Phase  history.Phase
	Share  string
	figure float64
}

func (e *worstPhase) take(c judge.Cell, n int64) {
	if share := ratio(n, c.Attempts); share > e.figure {
		*e = worstPhase{c.Phase, Share(n, c.Attempts), share}
	}
}

// contrastSide counts the first attempts of one side of a contrast.
type contrastSide struct {
	Attempts, AuthFailures, Unavailable int64
	Statuses                            map[string]int64
	Credentials                         map[string]judge.CredentialCounts
	P50, P99                            float64 // milliseconds
}

func (s *contrastSide) add(c judge.Cell) {
	s.Attempts += c.Attempts
	s.AuthFailures += c.AuthFailures
	s.Unavailable += c.Unavailable
	for status, n := range c.Statuses {
		s.Statuses[status] += n
	}
	for name, n := range c.Credentials {
		sum := s.Credentials[name]
		sum.Attempts += n.Attempts
		sum.AuthFailures += n.AuthFailures
		s.Credentials[name] = sum
	}
}

// says describes a contrast in a few words, with the tone in which they are shown.
func (c *contrast) says() (text, tone string) {
	var parts []string
	for _, e := range []struct {
		what string
		worstPhase
	}{{"auth failures", c.Worst}, {"unavailable", c.Down}} {
		if e.Phase != "" {
			parts = append(parts, fmt.Sprintf("%s: %s in %s", e.what, e.Share, e.Phase))
		}
	}
	if len(parts) > 0 {
		return strings.Join(parts, "; "), "bad"
	}
	return "no failures in " + Count(c.Before.Attempts+c.After.Attempts), "good"
}

// failing is the share of attempts that were auth failures.
func (s *contrastSide) failing() float64 { return ratio(s.AuthFailures, s.Attempts) }

// contrasts are the contrasts of every client and service: the judged ones first, and of those the
// worst first.
func contrasts(m *Model) []contrast {
	byPair := map[pair]*contrast{}
	judged := map[pair]bool{}
	for _, c := range m.Cells {
		if c.Source == history.FromProbe {
			continue
		}
		key := pairOf(c)
		found := byPair[key]
		if found == nil {
			empty := func() contrastSide {
				return contrastSide{Statuses: map[string]int64{}, Credentials: map[string]judge.CredentialCounts{}}
			}
			found = &contrast{Pair: key, Before: empty(), After: empty()}
			byPair[key], judged[key] = found, m.judged(c)
		}
		if c.Phase == history.Baseline {
			found.Before.add(c)
		} else {
			found.After.add(c)
		}
		found.Worst.take(c, c.AuthFailures)
		found.Down.take(c, c.Unavailable)
	}
	if m.Timeline != nil {
		for key, found := range byPair {
			if found.track = m.Timeline.Tracks[key]; found.track != nil {
				found.Before.P50, found.Before.P99 = found.track.Before.percentiles()
				found.After.P50, found.After.P99 = found.track.After.percentiles()
			}
		}
	}
	all := make([]contrast, 0, len(byPair))
	for _, key := range slices.SortedFunc(maps.Keys(byPair), func(a, b pair) int {
		if judged[a] != judged[b] {
			return ordered(judged[a])
		}
		return cmp.Or(cmp.Compare(bad(byPair[b]), bad(byPair[a])), a.compare(b))
	}) {
		all = append(all, *byPair[key])
	}
	return all
}

// ordered puts what is true first.
func ordered(first bool) int {
	if first {
		return -1
	}
	return 1
}

// bad weighs a contrast by the share of its attempts that went wrong.
func bad(c *contrast) float64 {
	whole := float64(c.Before.Attempts + c.After.Attempts)
	if whole == 0 {
		return 0
	}
	return float64(c.Before.AuthFailures+c.After.AuthFailures+c.Before.Unavailable+c.After.Unavailable) / whole
}

// table is a contrast in figures: a row for each, before and after side by side.
func (c *contrast) table() table {
	t := table{
		Title: c.Pair.String(),
		Head:  []column{words("First attempts"), figure("Before"), figure("After"), figure("Change")},
	}
	row := func(name, before, after, change string) {
		t.Rows = append(t.Rows, []string{name, before, after, change})
	}
	b, a := &c.Before, &c.After
	count := func(name string, before, after int64) { row(name, Count(before), Count(after), change(after-before)) }
	row("Attempts", Count(b.Attempts), Count(a.Attempts), "–")
	count("Auth failures", b.AuthFailures, a.AuthFailures)
	row("of attempts", Share(b.AuthFailures, b.Attempts), Share(a.AuthFailures, a.Attempts), points(b.failing(), a.failing(), b.Attempts, a.Attempts))
	for _, status := range c.refusals() {
		count(answer(status), b.Statuses[status], a.Statuses[status])
	}
	count("Unavailable", b.Unavailable, a.Unavailable)
	row("p50", latency(b.P50), latency(a.P50), slower(b.P50, a.P50))
	row("p99", latency(b.P99), latency(a.P99), slower(b.P99, a.P99))
	for _, name := range c.credentials() {
		nb, na := b.Credentials[name].Attempts, a.Credentials[name].Attempts
		row("with "+cmp.Or(name, "none that is known"), Share(nb, b.Attempts), Share(na, a.Attempts),
			points(ratio(nb, b.Attempts), ratio(na, a.Attempts), b.Attempts, a.Attempts))
	}
	return t
}

// refusals are the statuses of a contrast other than success; of parties that speak HTTP always 401 and
// 403 too.
func (c *contrast) refusals() []string {
	seen := map[string]bool{}
	http := true
	for _, s := range []map[string]int64{c.Before.Statuses, c.After.Statuses} {
		for status, n := range s {
			if bad := !refusal.Succeeded(status); bad && n > 0 {
				seen[status] = true
			}
			http = http && (len(status) == 3 || !refusal.Succeeded(status))
		}
	}
	if http {
		seen["401"], seen["403"] = true, true
	}
	return slices.Sorted(maps.Keys(seen))
}

// credentials are the credentials that either side used.
func (c *contrast) credentials() []string {
	names := maps.Clone(c.Before.Credentials)
	maps.Copy(names, c.After.Credentials)
	maps.DeleteFunc(names, func(name string, _ judge.CredentialCounts) bool {
		return c.Before.Credentials[name].Attempts+c.After.Credentials[name].Attempts == 0
	})
	return slices.Sorted(maps.Keys(names))
}

// beforeAndAfter is every contrast in two lines, one under the other.
func beforeAndAfter(all []contrast) table {
	t := table{
		Title: "Before and after",
		Note:  beforeNote,
		Head: []column{words("Client → service"), words("When"), figure("Attempts"), figure("Auth failures"), figure("of attempts"),
			figure("401"), figure("403"), words("Refused with"), figure("Unavailable"), figure("p50"), figure("p99"), words("Credentials")},
	}
	for _, c := range all {
		for i, s := range []contrastSide{c.Before, c.After} {
			t.Rows = append(t.Rows, []string{c.Pair.String(), []string{"before", "after"}[i], Count(s.Attempts), Count(s.AuthFailures),
				Share(s.AuthFailures, s.Attempts), Count(s.Statuses["401"]), Count(s.Statuses["403"]), Refusals(s.Statuses), Count(s.Unavailable),
				latency(s.P50), latency(s.P99), shares(s.Credentials)})
		}
	}
	if len(t.Rows) == 0 {
		t.Note = "No attempts were counted."
	}
	return t
}

const beforeNote = "First attempts. Before: the baseline. After: from accept to the end. Latencies are wall time."

// change is a difference with its sign.
func change(n int64) string {
	if n > 0 {
		return "+" + Count(n)
	}
	if n < 0 {
		return "−" + Count(-n)
	}
	return "0"
}

// points is the difference of two shares in percentage points; empty where one of them does not exist.
func points(before, after float64, wholeBefore, wholeAfter int64) string {
	if wholeBefore == 0 || wholeAfter == 0 {
		return "–"
	}
	d := 100 * (after - before)
	switch {
	case d == 0:
		return "0"
	case math.Abs(d) < 0.01:
		return "< 0.01 points"
	case d > 0:
		return "+" + percentage(d) + " points"
	}
	return "−" + percentage(-d) + " points"
}

// slower is how many times as long something took.
func slower(before, after float64) string {
	if before <= 0 || after <= 0 {
		return "–"
	}
	return "× " + sensible(after/before)
}
