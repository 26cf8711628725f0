package simulated

import (
	"slices"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

func TestAgendaOrder(t *testing.T) {
	var a agenda
	var done []string
	for _, e := range []struct {
		at   history.Offset
		what string
	}{{5000, "b"}, {3000, "a"}, {5000, "c"}, {9000, "late"}, {5999, "d, in the same microsecond"}} {
		a.add(e.at, func() { done = append(done, e.what) })
	}
	for e, due := a.next(8000); due; e, due = a.next(8000) {
		e.do()
	}
	if want := []string{"a", "b", "c", "d, in the same microsecond"}; !slices.Equal(done, want) {
		t.Errorf("done by 8µs: got %v, want %v", done, want)
	}
	if e, due := a.next(9000); !due || e.at != 9000 {
		t.Errorf("at 9µs: got %v, %t, want what is due then", e.at, due)
	}
	if _, due := a.next(1 << 40); due {
		t.Error("after all: got something due, want nothing")
	}
}
