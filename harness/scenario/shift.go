package scenario

import (
	"strconv"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// Shift is how far a clock is from the right time, in wall time: ahead, or
// behind where it begins with a minus. In a file it is written as 5s or -6m.
type Shift time.Duration

// ShiftPattern is what a Shift looks like in a file, as a regular expression.
var ShiftPattern = strings.Replace(runbook.DurationPattern, "^", "^-?", 1)

// Duration is s as a time.Duration, negative where the clock is behind.
func (s Shift) Duration() time.Duration { return time.Duration(s) }

// String is s as it is written in a file.
func (s Shift) String() string {
	if s < 0 {
		return "-" + runbook.Duration(-s).String()
	}
	return runbook.Duration(s).String()
}

// MarshalText writes s as String does.
func (s Shift) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a shift. The error is a *source.Invalid.
func (s *Shift) UnmarshalText(text []byte) error {
	written, behind := strings.CutPrefix(string(text), "-")
	if strings.HasPrefix(written, "-") {
		return &source.Invalid{Message: strconv.Quote(string(text)) + " is not a shift", Hint: "write it as 5s, or -5s for a clock that is behind"}
	}
	var d runbook.Duration
	if err := d.UnmarshalText([]byte(written)); err != nil {
		return err
	}
	if *s = Shift(d); behind {
		*s = -*s
	}
	return nil
}
