package tui

import (
	"testing"

	"github.com/rehearse-dev/rehearse/cmd/rehearse/tui/board"
	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestSparkline(t *testing.T) {
	for _, tt := range []struct {
		column board.Slot
		want   string
	}{
		{board.Slot{}, " "},
		{board.Slot{Attempts: 1000}, "▁"},
		{board.Slot{Attempts: 1000, AuthFailures: 1}, "▂"}, // any failure stands out
		{board.Slot{Attempts: 2, AuthFailures: 1}, "▅"},
		{board.Slot{Attempts: 2, AuthFailures: 2}, "█"},
		{board.Slot{Attempts: 10, Unavailable: 9}, "x"},
		{board.Slot{Attempts: 10, Unavailable: 1}, "▁"},
	} {
		if got := bare(sparkline([]board.Slot{tt.column})); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.column, got, tt.want)
		}
	}
	line := []board.Slot{{Attempts: 1}, {Attempts: 1, AuthFailures: 1}, {Attempts: 1}, {}}
	if got := bare(sparkline(line)); got != "▁█▁ " {
		t.Errorf("got %q, want the columns in their order", got)
	}
}

func TestRuler(t *testing.T) {
	s := newScreen(t, 80, 24, false).refused()
	s.board.Look(func(b *board.State) {
		for n, want := range map[int]string{0: "", 3: "BAV", 12: "B────AV───EO", 20: "B───────AV──────EO──"} {
			if got := ruler(b, at(0), at(12), n); got != want {
				t.Errorf("in %d columns: got %q, want %q", n, got, want)
			}
		}
		if got := ruler(b, history.Offset(0), 0, 3); got != "───" {
			t.Errorf("of no time: got %q, want a line", got)
		}
	})
}
