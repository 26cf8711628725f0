package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/refusal"
)

// tally lists statuses with their numbers, the most frequent first: "200 × 41,230, 401 × 3".
func tally(statuses map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(statuses), func(a, b string) int {
		return cmp.Or(cmp.Compare(statuses[b], statuses[a]), cmp.Compare(a, b))
	})
	parts := make([]string, 0, len(names))
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s × %s", answer(name), Count(statuses[name])))
	}
	return dash(strings.Join(parts, ", "))
}

// Refusals lists statuses with their numbers, the most frequent first, without
// those of success. "401 × 3".
func Refusals(statuses map[string]int64) string {
	bad := maps.Clone(statuses)
	maps.DeleteFunc(bad, func(status string, n int64) bool { return n == 0 || refusal.Succeeded(status) })
	return tally(bad)
}

// answer words a status. A refused connection is no decision about a credential, and must not read like
// one.
func answer(status string) string {
	if status == "refused" {
		return "connection refused"
	}
	return dash(status)
}

// shares lists credentials with their shares of the attempts, by name.
func shares(credentials map[string]judge.CredentialCounts) string {
	var whole int64
	for _, c := range credentials {
		whole += c.Attempts
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(credentials)) {
		if c := credentials[name]; c.Attempts > 0 {
			parts = append(parts, dash(name)+" "+Share(c.Attempts, whole))
		}
	}
	return dash(strings.Join(parts, ", "))
}

// Evidence describes the measured effect of a fault: first what changed, from before to during, then
// the rest by name. "status 200 → 503, back after 2.9 ms".
func Evidence(measured map[string]float64) string {
	var changed, same, rest []string
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		was, before := strings.CutPrefix(name, "before_")
		during, paired := measured["during_"+was]
		is, after := strings.CutPrefix(name, "during_")
		_, told := measured["before_"+is]
		switch {
		case before && paired && during != measured[name]:
			changed = append(changed, figureOf(was, measured[name], during))
		case before && paired:
			same = append(same, figureOf(was, during))
		case after && told:
		default:
			rest = append(rest, figureOf(name, measured[name]))
		}
	}
	if len(changed) == 0 {
		changed = same
	}
	return strings.Join(append(changed, rest...), ", ")
}

// figureOf words the values of a figure: "fastest 1.41 ms → 203 ms".
func figureOf(name string, values ...float64) string {
	unit := ""
	for suffix, of := range map[string]string{"_ms": " ms", "_s": " s"} {
		if plain, found := strings.CutSuffix(name, suffix); found {
			name, unit = plain, of
		}
	}
	var told []string
	for _, v := range values {
		told = append(told, strconv.FormatFloat(v, 'g', 3, 64)+unit)
		if v >= 1000 || v <= -1000 {
			told[len(told)-1] = strconv.FormatFloat(v, 'f', 0, 64) + unit
		}
	}
	return strings.ReplaceAll(name, "_", " ") + " " + strings.Join(told, " → ")
}
