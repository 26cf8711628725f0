package matrix

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/runbook"
)

// near is how far a measured time may be from what a page is told: a token is
// presented once a second, and the cache was filled some seconds before, when
// the instance was warmed.
const near = 15 * time.Second

// TestLibrariesAreAsMeasured holds what `library: NAME` means on a page against
// the matrix that is checked in.
func TestLibrariesAreAsMeasured(t *testing.T) {
	m := kept(t, folder, "matrix")
	bound := time.Duration(m.Bound * float64(time.Second))
	measured := map[string]bool{}
	for _, row := range m.Rows {
		library, known := runbook.Libraries[row.Name]
		if !known {
			t.Errorf("no page can name %s", row.Name)
			continue
		}
		if measured[row.Name] {
			continue // the first row is its defaults
		}
		measured[row.Name] = true
		if len(row.Cells) != len(Trials) || row.Version == "" {
			t.Errorf("%s: %d trials of version %q, want %d and its version", row.Name, len(row.Cells), row.Version, len(Trials))
		}
		if version, _, _ := strings.Cut(strings.TrimPrefix(row.Version, "v"), "-"); !strings.Contains(library.Source, version) {
			t.Errorf("%s: measured was version %s, and a page is told of %q", row.Name, row.Version, library.Source)
		}
		for trial, says := range map[string]time.Duration{"new-fresh": library.Learns, "removed": library.Forgets} {
			c, ok := row.Cell(trial)
			if !ok {
				continue // told above
			}
			got := time.Duration(math.MaxInt64)
			if c.Ended {
				got = time.Duration(c.Seconds * float64(time.Second))
			}
			switch {
			case says > bound && c.Ended, says <= bound && (got > says+near || got < says-near):
				t.Errorf("%s, %s: a page is told %v, and measured was %s", row.Name, trial, says, c.text(m.Bound))
			}
		}
	}
	for _, library := range Libraries {
		if !measured[library.Name] {
			t.Errorf("%s is not in the matrix", library.Name)
		}
	}
}
