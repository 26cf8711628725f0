package accuracy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Answer is what must be said of a case whose right answer is known from outside:
// from a public report, or from the bounds. See cases/answers.txt.
type Answer struct {
	Case    string        // NAME/SCENARIO
	Verdict string        // pass, fail, held, noise or error
	LooksAt []string      // of which one must be named by what fails the run; none: nobody may be
	Besides []string      // who may be named too
	Because []string      // words of which one must be in what is said
	AtLeast time.Duration // page time that what is said must name, or more; 0: none
}

// Verdicts of answers beside those of result.json.
const (
	Held    = "held"  // anything but a bare pass
	Noise   = "noise" // a pass, or cannot tell
	Refused = "error" // lint refuses it, or finds something
)

// ParseAnswers reads a table of answers; an error says which line is none.
func ParseAnswers(text string) ([]Answer, error) {
	var all []Answer
	list := func(cell string) []string {
		if cell == "-" {
			return nil
		}
		return strings.Split(cell, "/")
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "|")
		if len(cells) != 6 {
			return nil, fmt.Errorf("line %d: got %d cells, want 6", n, len(cells))
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		a := Answer{Case: cells[0], Verdict: cells[1], LooksAt: list(cells[2]), Besides: list(cells[3]), Because: list(cells[4])}
		if !slices.Contains([]string{Pass, Fail, Held, Noise, Refused}, a.Verdict) {
			return nil, fmt.Errorf("line %d: there is no verdict %q", n, a.Verdict)
		}
		if cells[5] != "-" {
			var err error
			if a.AtLeast, err = time.ParseDuration(cells[5]); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
		all = append(all, a)
	}
	return all, nil
}

// Reading is what a run said, as an Answer is held against it.
type Reading struct {
	Verdict string   // of result.json; Refused where it was not rehearsed
	Named   []string // by findings that fail the run
	Text    string   // of its findings, rules and reasons
}

// The grades of a reading.
const (
	Right      = "right"
	CannotTell = "cannot tell"
	Wrong      = "wrong"
)

// durations are page times in a text.
var durations = regexp.MustCompile(`\b(?:\d+h)?(?:\d+m)?(?:\d+(?:\.\d+)?s)?\b`)

// Grade says how a reading holds against the answer, and why it does not.
func (a Answer) Grade(r Reading) (grade, why string) {
	for _, name := range r.Named {
		if !slices.Contains(a.LooksAt, name) && !slices.Contains(a.Besides, name) {
			return Wrong, name + " is named for nothing"
		}
	}
	allowed := map[string][]string{
		Pass: {Pass}, Fail: {Fail}, Held: {Fail, Inconclusive}, Noise: {Pass, Inconclusive}, Refused: {Refused},
	}[a.Verdict]
	switch {
	case slices.Contains(allowed, r.Verdict):
	case r.Verdict == Inconclusive:
		return CannotTell, "it could have been told: " + a.Verdict
	default:
		return Wrong, fmt.Sprintf("the verdict is %s, want %s", r.Verdict, strings.Join(allowed, " or "))
	}
	if len(a.LooksAt) > 0 && !slices.ContainsFunc(a.LooksAt, func(name string) bool { return slices.Contains(r.Named, name) }) {
		return Wrong, "nobody looks at " + strings.Join(a.LooksAt, " or ")
	}
	said := strings.ToLower(r.Text)
	if len(a.Because) > 0 && !slices.ContainsFunc(a.Because, func(word string) bool { return strings.Contains(said, word) }) {
		return CannotTell, fmt.Sprintf("the cause is not said: none of %q", a.Because)
	}
	if a.AtLeast > 0 {
		var most time.Duration
		for _, text := range durations.FindAllString(r.Text, -1) {
			if d, err := time.ParseDuration(text); err == nil {
				most = max(most, d)
			}
		}
		if most < a.AtLeast {
			return Wrong, fmt.Sprintf("the longest figure that is said is %s, want at least %s", most, a.AtLeast)
		}
	}
	return Right, ""
}
