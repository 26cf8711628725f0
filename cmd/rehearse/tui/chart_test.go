package tui

import (
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
)

// TestShareMark: a column is the new credential from below and the old one above it;
// some is not none, and no attempts are neither.
func TestShareMark(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		slot board.Slot
		want string // from the top
	}{
		{board.Slot{}, "    "},
		{board.Slot{Attempts: 10}, "░░░░"},
		{board.Slot{Attempts: 100, New: 1}, "░░░▄"},
		{board.Slot{Attempts: 10, New: 5}, "░░██"},
		{board.Slot{Attempts: 10, New: 10}, "████"},
	} {
		var got strings.Builder
		for row := 3; row >= 0; row-- {
			got.WriteRune(shareMark(tt.slot, row, 4))
		}
		if got.String() != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.slot, got.String(), tt.want)
		}
	}
}

func TestFilled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		share float64
		seen  bool
		want  rune
	}{{-1, false, ' '}, {0, false, ' '}, {0.001, true, '▁'}, {0.5, true, '▄'}, {1, true, '█'}, {3, true, '█'}} {
		if got := filled(tt.share, tt.seen); got != tt.want {
			t.Errorf("%g: got %q, want %q", tt.share, got, tt.want)
		}
	}
}

func TestScale(t *testing.T) {
	t.Parallel()
	for worst, want := range map[float64]float64{0: 0.01, 0.01: 0.01, 0.02: 0.05, 0.3: 0.5, 0.51: 1, 1: 1} {
		if got := scale(worst); got != want {
			t.Errorf("%g: got %g, want %g", worst, got, want)
		}
	}
}

// TestPanelKeepsItsSize: whatever is in it, a panel has its columns and rows.
func TestPanelKeepsItsSize(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"events", "", strings.Repeat("long ", 20)} {
		lines := panel(name, []string{"short", strings.Repeat("wide ", 30), "", "cut"}, 30, 5)
		if len(lines) != 5 {
			t.Errorf("%q: got %d rows, want 5", name, len(lines))
		}
		for _, line := range lines {
			if n := len([]rune(bare(line))); n != 30 {
				t.Errorf("%q: got %d columns, want 30: %q", name, n, bare(line))
			}
		}
	}
}
