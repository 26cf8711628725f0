package console

import (
	"strings"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// Anyway asks whether a phase is to begin although the gate before it says no.
func Anyway(next history.Phase, says string) string {
	name := string(next)
	if name != "" {
		name = strings.ToUpper(name[:1]) + name[1:]
	}
	return "the gate says no: " + says + ". " + name + " anyway?"
}
