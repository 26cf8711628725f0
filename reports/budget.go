package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// budget is the error budget that the objective allows, and what was spent of it: for each judged
// presenter, for each client as its users felt it, and in all.
func budget(m *Model) table {
	t := table{Title: "Error budget"}
	if m.Limits.Objective <= 0 {
		t.Note = "No objective is known."
		return t
	}
	t.Note = fmt.Sprintf("The objective is %.6g %% of first attempts, over the length of this run. Auth failures count where the "+
		"credential is checked, unavailability where users call.", 100*m.Limits.Objective)
	t.Head = []column{words("Who"), figure("Attempts"), figure("May fail"), figure("Auth failures"), figure("Spent"), figure("Left"),
		figure("Unavailable"), figure("Spent by it")}
	judged, felt := map[string]judge.Cell{}, map[string]judge.Cell{}
	var whole judge.Cell
	for _, c := range m.Cells {
		if m.judged(c) {
			sum := judged[c.Presenter]
			tallyUp(&sum, c)
			judged[c.Presenter] = sum
			tallyUp(&whole, c)
		} else if c.Source == history.FromLoad {
			sum := felt[c.Presenter]
			tallyUp(&sum, c)
			felt[c.Presenter] = sum
		}
	}
	row := func(name string, c judge.Cell) {
		allowed := plan.Allowed(m.Limits.Objective, c.Attempts)
		t.Rows = append(t.Rows, []string{name, Count(c.Attempts), sensible(allowed), Count(c.AuthFailures), spent(c.AuthFailures, allowed),
			left(c.AuthFailures, allowed), Count(c.Unavailable), spent(c.Unavailable, allowed)})
	}
	for _, name := range slices.SortedFunc(maps.Keys(judged), func(a, b string) int {
		return cmp.Or(cmp.Compare(judged[b].AuthFailures, judged[a].AuthFailures), cmp.Compare(a, b))
	}) {
		row(name, judged[name])
	}
	if len(judged) > 1 {
		row("in all", whole)
	}
	for _, name := range slices.Sorted(maps.Keys(felt)) {
		row(name+", as its users felt it", felt[name])
	}
	if len(t.Rows) == 0 {
		t.Note = "No attempts were counted."
	}
	return t
}

func tallyUp(sum *judge.Cell, c judge.Cell) {
	sum.Attempts += c.Attempts
	sum.AuthFailures += c.AuthFailures
	sum.Unavailable += c.Unavailable
}

// spent is the share of a budget that failures spent; above one it is told as a multiple.
func spent(failures int64, allowed float64) string {
	switch {
	case failures == 0:
		return "0 %"
	case allowed <= 0:
		return "all"
	case float64(failures) > 2*allowed:
		return sensible(float64(failures)/allowed) + " times"
	}
	return sensible(100*float64(failures)/allowed) + " %"
}

// left is the rest of a budget.
func left(failures int64, allowed float64) string {
	switch {
	case failures == 0:
		return "100 %"
	case float64(failures) >= allowed:
		return "nothing"
	}
	return sensible(100*(1-float64(failures)/allowed)) + " %"
}
