package judge

import (
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// leaks holds when no secret's value is in any output of the run.
func leaks(e *evidence) (Outcome, string, []Finding) {
	switch {
	case !e.has[history.KindLeaks]:
		return Inconclusive, "outputs were not scanned", nil
	case e.leaks.Searched == 0 && e.leaks.Hits == 0:
		return Inconclusive, "there was no output to scan", nil
	case e.leaks.Hits > 0:
		where := strings.Join(e.leaks.Where, ", ")
		return Fail, "a value was found", []Finding{{
			Level: Error, Consumer: consumerOf(e.leaks.Where), Count: e.leaks.Hits, LastMS: e.end.Milliseconds(),
			Message: fmt.Sprintf("the value of a secret stands %s in %s", plan.Counted(e.leaks.Hits, "time"), where),
			Fix:     "log identifiers, never values; rotate what was written down",
		}}
	}
	detail := fmt.Sprintf("no value in %d bytes of output", e.leaks.Searched)
	if e.leaks.Short > 0 {
		detail += fmt.Sprintf("; %s too short to be looked for but in longer forms", plan.Counted(e.leaks.Short, "value"))
	}
	return Pass, detail, nil
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
