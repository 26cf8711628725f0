package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/runbook"
	"github.com/rehearse-dev/rehearse/harness/source"
)

// Moment is a phase and a distance from its beginning in page time, written
// emit or accept+10s. A fault of a phase without a distance is there before the
// phase takes its step.
type Moment struct {
	Phase string
	After runbook.Duration
}

// Phases are the names of the phases that a Moment can have.
func Phases() []string {
	var names []string
	for _, p := range history.Phases() {
		names = append(names, string(p))
	}
	return names
}

// String is m as it is written in a file.
func (m Moment) String() string {
	if m.After == 0 {
		return m.Phase
	}
	return m.Phase + "+" + m.After.String()
}

// MarshalText writes m as String does.
func (m Moment) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a moment. The error is a *source.Invalid.
func (m *Moment) UnmarshalText(text []byte) error {
	phase, after, distant := strings.Cut(string(text), "+")
	if known := Phases(); !slices.Contains(known, phase) {
		return &source.Invalid{
			Message: fmt.Sprintf("%s begins with no phase", strconv.Quote(string(text))),
			Hint:    source.DidYouMean(phase, known),
		}
	}
	read := Moment{Phase: phase}
	if distant {
		if err := read.After.UnmarshalText([]byte(after)); err != nil {
			return err
		}
	}
	*m = read
	return nil
}
