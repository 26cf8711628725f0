package source

import (
	"fmt"
	"slices"
	"strings"
)

// longestName bounds the work of Nearest, which grows with the square of the
// names' lengths. No valid name of either file is nearly as long.
const longestName = 64

// Nearest is the candidate that a name was most likely meant to be: the one
// with the fewest insertions, deletions, replacements and swaps of neighbours
// between them, if these are no more than a third of the name. Of equals the
// first in the alphabet is taken.
func Nearest(name string, candidates []string) (string, bool) {
	if name == "" || len(name) > longestName {
		return "", false
	}
	best, least := "", max(1, (len(name)+1)/3)+1
	sorted := slices.Sorted(slices.Values(candidates))
	for _, c := range sorted {
		if len(c) > longestName {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < least && d < len(c) {
			best, least = c, d
		}
	}
	return best, best != ""
}

// DidYouMean is the hint for a name that is none of the candidates: the
// nearest one, or else all of them.
func DidYouMean(name string, candidates []string) string {
	if near, ok := Nearest(name, candidates); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(candidates) == 0 {
		return ""
	}
	return "one of " + strings.Join(slices.Sorted(slices.Values(candidates)), ", ")
}

// distance is the optimal string alignment distance.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
