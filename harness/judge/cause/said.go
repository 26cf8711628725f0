package cause

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge/cause/cell"
	"github.com/rehearse-dev/rehearse/harness/judge/evidence"
)

const (
	// aReason and noReason are how many kinds of log lines are quoted where a cause was found, and
	// where none was.
	aReason, noReason = 1, 3
	// briefHead and briefTail are how many characters of a line's ends are quoted beside a cause: Go
	// errors wrap others, and the innermost stands last.
	briefHead, briefTail = 40, 80
)

// ItsLog quotes what the validator's own log says since the cell began to suffer and did not say
// before; where no cause was found, also what it wrote last meanwhile.
func ItsLog(c *cell.Cell, found bool) string {
	told := logOf(c, c.Validator.Name, found)
	if told != "" || found || c.Symptom != cell.Unanswered {
		return told
	}
	// A service with a silent log may have been told the reason by the party that it presents to.
	for _, key := range c.JudgedCells() {
		if key.Presenter == c.Validator.Name && key.Validator != c.Validator.Name && told == "" {
			told = logOf(c, key.Validator, true)
		}
	}
	return told
}

// logOf is the same of one party's log.
func logOf(c *cell.Cell, party string, found bool) string {
	room := aReason
	if !found {
		room = noReason
	}
	about := 2 * evidence.Nearly
	var fresh, last []history.SaidLine
	for _, line := range saidBy(c.Evidence, party) {
		switch {
		case line.First > c.End || line.First > c.Last+about || c.Last-c.First > 2*about && line.First > c.Last-about/2:
		case line.First >= c.First-about:
			fresh = append(fresh, line)
		case line.Last >= c.First:
			last = append(last, line)
		}
	}
	slices.SortStableFunc(fresh, func(a, b history.SaidLine) int { return cmp.Compare(b.Count, a.Count) })
	lines, when := fresh, "since then"
	if len(lines) == 0 && !found {
		slices.Reverse(last)
		lines, when = last, "meanwhile"
	}
	var told []string
	for _, line := range lines[:min(room, len(lines))] {
		times := ""
		if line.Count > 1 {
			times = fmt.Sprintf(" (%d times)", line.Count)
		}
		text := line.Text
		if found {
			text = brief(text)
		}
		told = append(told, fmt.Sprintf("%q%s", text, times))
	}
	if len(told) == 0 {
		return ""
	}
	return fmt.Sprintf("; the log of %s says %s: %s", party, when, strings.Join(told, ", "))
}

// brief is the first line of a text, without its middle where that is long.
func brief(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	letters := []rune(line)
	if len(letters) <= briefHead+briefTail {
		return line
	}
	return string(letters[:briefHead]) + " … " + string(letters[len(letters)-briefTail:])
}

// saidBy are the kinds of lines in a party's own log, the latest last.
func saidBy(e *evidence.Evidence, party string) []history.SaidLine {
	for _, event := range e.Events {
		if event.Kind == history.KindSaid && event.Service == party {
			return event.Said
		}
	}
	return nil
}
