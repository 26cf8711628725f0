package board

import (
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestSeriesColumns(t *testing.T) {
	var s Series
	for i := range 100 { // ten seconds, of which the sixth fails
		n := Slot{Attempts: 4}
		if i/10 == 5 {
			n.AuthFailures = 2
		}
		s.add(at(float64(i)/10), n)
	}
	for _, tt := range []struct {
		n    int
		from history.Offset
		to   history.Offset
		bad  []int // columns that fail
	}{
		{10, 0, at(10), []int{5}},
		{20, 0, at(10), []int{10, 11}},
		{5, 0, at(10), []int{2}},
		{10, 0, at(20), []int{2}}, // one column is two seconds; the last five are empty
		{400, at(5), at(6), nil},  // shorter than a slot: all of them fail
		{0, 0, at(10), nil},
		{10, at(10), at(5), nil},
	} {
		columns := s.Columns(tt.from, tt.to, tt.n)
		if len(columns) != tt.n {
			t.Fatalf("%d columns: got %d", tt.n, len(columns))
		}
		var bad []int
		for i, c := range columns {
			if c.AuthFailures > 0 {
				bad = append(bad, i)
			}
		}
		switch {
		case tt.n == 400:
			if len(bad) != 400 {
				t.Errorf("a second in 400 columns: got %d that fail, want all", len(bad))
			}
		case len(bad) != len(tt.bad) || len(bad) > 0 && (bad[0] != tt.bad[0] || bad[len(bad)-1] != tt.bad[len(tt.bad)-1]):
			t.Errorf("%d columns of %s to %s: got %v that fail, want %v", tt.n, tt.from.Wall(), tt.to.Wall(), bad, tt.bad)
		}
	}
}

// TestSeriesHalves counts for so long that the resolution goes down, and loses nothing.
func TestSeriesHalves(t *testing.T) {
	var s Series
	for i := range 100_000 {
		s.add(at(float64(i)/10), Slot{Attempts: 1, Unavailable: 1})
	}
	var sum Slot
	for _, n := range s.slots {
		sum.add(n)
	}
	if sum.Attempts != 100_000 || sum.Unavailable != 100_000 || len(s.slots) > slots {
		t.Errorf("got %+v in %d slots, want 100000 in at most %d", sum, len(s.slots), slots)
	}
	s.add(-at(1), Slot{Attempts: 1}) // a log line from before the start
	if s.slots[0].Attempts == 0 {
		t.Error("what came before the start is lost")
	}
}
