package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge"
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
// those of success: HTTP below 400, "ok" in any case (Redis) and SQLSTATE 00000. "401 × 3".
func Refusals(statuses map[string]int64) string {
	bad := maps.Clone(statuses)
	maps.DeleteFunc(bad, func(status string, n int64) bool { return n == 0 || succeeded(status) })
	return tally(bad)
}

// answer is a status in words. A connection that was refused is no decision
// about a credential, and must not read like one.
func answer(status string) string {
	if status == "refused" {
		return "connection refused"
	}
	return dash(status)
}

// succeeded reports whether a status is one of success: HTTP below 400, "ok" or
// SQLSTATE 00000.
func succeeded(status string) bool {
	code, err := strconv.Atoi(status)
	return strings.EqualFold(status, "ok") || status == "00000" || err == nil && len(status) == 3 && code < 400
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

// Evidence lists the measurements of a fault by name: "before.reads 12,
// during.reads 0".
func Evidence(measured map[string]float64) string {
	parts := make([]string, 0, len(measured))
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		parts = append(parts, name+" "+strconv.FormatFloat(measured[name], 'g', 6, 64))
	}
	return strings.Join(parts, ", ")
}
