package accuracy

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// Table counts how cases came out, by situation.
type Table struct {
	rows  map[string]*row
	order []string
	Wrong []string // each wrong row in a sentence, with the seed that replays it
}

// row is one situation.
type row struct {
	cases, rightVerdict, falseAlarms, misses, culprits, rightCulprits, untold int
}

// Add scores one case.
func (t *Table) Add(c Case, said Said) {
	if t.rows == nil {
		t.rows = map[string]*row{}
	}
	r := t.rows[c.Situation]
	if r == nil {
		r = &row{}
		t.rows[c.Situation] = r
		t.order = append(t.order, c.Situation)
	}
	s := c.Truth.Score(said)
	r.cases++
	switch {
	case s.Verdict == "":
		r.rightVerdict++
	case said.Verdict == Fail:
		r.falseAlarms++
	case c.Truth.Verdict == Fail || said.Verdict == Pass:
		r.misses++
	default:
		r.falseAlarms++ // cannot tell, where it could have
	}
	if said.Verdict == Inconclusive {
		r.untold++
	}
	r.culprits++
	if len(s.Missed) == 0 && len(s.Wrongful) == 0 {
		r.rightCulprits++
	}
	if s.Right() {
		return
	}
	wrong := fmt.Sprintf("seed %d, %s:", c.Seed, c.Situation)
	if s.Verdict != "" {
		wrong += " verdict " + s.Verdict + ";"
	}
	if len(s.Missed) > 0 {
		wrong += fmt.Sprintf(" did not name %q;", s.Missed)
	}
	if len(s.Wrongful) > 0 {
		wrong += fmt.Sprintf(" named %q for nothing;", s.Wrongful)
	}
	t.Wrong = append(t.Wrong, wrong+" it said: "+said.Why)
}

// Cases is how many were scored.
func (t *Table) Cases() int {
	n := 0
	for _, r := range t.rows {
		n += r.cases
	}
	return n
}

// Write prints the table. A right row has the right verdict, named who is to be
// looked at, and nobody else.
func (t *Table) Write(w io.Writer) error {
	slices.Sort(t.order)
	width := len("situation")
	for _, name := range t.order {
		width = max(width, len(name))
	}
	if _, err := fmt.Fprintf(w, "%-*s  cases  verdict right  culprits right  false alarms  misses  cannot tell\n", width, "situation"); err != nil {
		return err
	}
	var sum row
	line := func(name string, r row) error {
		_, err := fmt.Fprintf(w, "%-*s  %5d  %13d  %14d  %12d  %6d  %11d\n", width, name, r.cases, r.rightVerdict, r.rightCulprits, r.falseAlarms, r.misses, r.untold)
		return err
	}
	for _, name := range t.order {
		r := *t.rows[name]
		sum.cases, sum.rightVerdict, sum.falseAlarms = sum.cases+r.cases, sum.rightVerdict+r.rightVerdict, sum.falseAlarms+r.falseAlarms
		sum.misses, sum.culprits, sum.rightCulprits = sum.misses+r.misses, sum.culprits+r.culprits, sum.rightCulprits+r.rightCulprits
		sum.untold += r.untold
		if err := line(name, r); err != nil {
			return err
		}
	}
	if err := line("all", sum); err != nil {
		return err
	}
	for _, share := range []struct {
		what string
		k    int
	}{{"verdicts right", sum.rightVerdict}, {"culprits right", sum.rightCulprits}, {"false alarms", sum.falseAlarms}, {"misses", sum.misses}, {"cannot tell", sum.untold}} {
		low, high := Wilson(share.k, sum.cases)
		if _, err := fmt.Fprintf(w, "%-15s %4d of %d, %.2f%% (95%% interval %.2f%% to %.2f%%)\n",
			share.what, share.k, sum.cases, percent(share.k, sum.cases), 100*low, 100*high); err != nil {
			return err
		}
	}
	for _, wrong := range t.Wrong {
		if _, err := fmt.Fprintln(w, "WRONG", wrong); err != nil {
			return err
		}
	}
	return nil
}

func percent(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return 100 * float64(k) / float64(n)
}

// Wilson is the 95 % score interval of k successes in n trials (E. B. Wilson,
// JASA 22, 1927). Unlike the normal approximation it says something for 0 of n.
// Without a trial anything is possible.
func Wilson(k, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959964 // the 97.5 % point of the normal distribution
	share, trials := float64(k)/float64(n), float64(n)
	middle := share + z*z/(2*trials)
	half := z * math.Sqrt(share*(1-share)/trials+z*z/(4*trials*trials))
	scale := 1 + z*z/trials
	return max(0, (middle-half)/scale), min(1, (middle+half)/scale)
}
