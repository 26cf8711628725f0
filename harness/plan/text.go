package plan

import (
	"fmt"
	"strings"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// Text is a duration as people write it: 14m50s, 1h, 6.7s, 250ms. Forever is
// "no bound".
func Text(d time.Duration) string {
	switch abs := max(d, -d); {
	case d == runbook.Forever:
		return "no bound"
	case d == 0:
		return "0s"
	case abs >= time.Minute:
		d = d.Round(time.Second)
	case abs >= time.Second:
		d = d.Round(100 * time.Millisecond)
	default:
		d = d.Round(time.Millisecond)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Counted writes a number of things: "1 time", "14 times".
func Counted(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// List writes names in a sentence: "a", "a and b", "a, b and c".
func List(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
