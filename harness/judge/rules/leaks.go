package rules

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// leaks holds when no secret's value is in any output of the run.
func leaks(e *judging) (judge.Outcome, string, []judge.Finding) {
	switch {
	case !e.Has[history.KindLeaks]:
		return judge.Inconclusive, "outputs were not scanned", nil
	case e.Leaks.Searched == 0 && e.Leaks.Hits == 0:
		return judge.Inconclusive, "there was no output to scan", nil
	case e.Leaks.Hits > 0:
		where := strings.Join(e.Leaks.Where, ", ")
		return judge.Fail, "a value was found", []judge.Finding{{
			Level: judge.Error, Consumer: consumerOf(e.Leaks.Where), Count: e.Leaks.Hits, LastMS: e.End.Milliseconds(),
			Message: fmt.Sprintf("the value of a secret appears %s in %s", plan.Counted(e.Leaks.Hits, "time"), where),
			Fix:     "log identifiers, never values; rotate the secret that was written down",
		}}
	}
	detail := fmt.Sprintf("no value in %d bytes of output", e.Leaks.Searched)
	if e.Leaks.Short > 0 {
		detail += fmt.Sprintf("; %s too short to be looked for but in longer forms", plan.Counted(e.Leaks.Short, "value"))
	}
	return judge.Pass, detail, nil
}

// consumerOf is the service whose log a leak was found in, the first of them.
func consumerOf(where []string) string {
	for _, w := range where {
		if name, found := strings.CutPrefix(w, "logs/"); found {
			name, _, _ = strings.Cut(name, ".log")
			return name
		}
	}
	return ""
}
