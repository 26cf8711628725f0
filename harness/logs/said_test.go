package logs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// TestSaid: lines that differ in numbers and identifiers only are one kind, of
// which the last is kept; kinds and lines are bounded, and events are left out.
func TestSaid(t *testing.T) {
	t.Parallel()
	s := newSaid()
	for i := range 3 {
		s.add("shop", history.Offset(i*1000), fmt.Appendf(nil, "2026/11/29 04:56:1%d failed: key k-%d", i, i), history.Line{}, false)
	}
	s.add("shop", 5000, []byte("ready"), history.Line{}, false)
	s.add("shop", 6000, []byte("  "), history.Line{}, false)
	s.add("search", 1000, nil, history.Line{Message: history.MessageRefused, Status: "401", Detail: "no matching keys"}, true)
	s.add("search", 2000, nil, history.Line{Message: history.MessageAccepted, Status: "200"}, true)
	s.add("search", 3000, nil, history.Line{Message: "fetched", Detail: "a set"}, true)
	want := []history.SaidLine{
		{Text: "2026/11/29 04:56:12 failed: key k-2", First: 0, Last: 2000, Count: 3}, {Text: "ready", First: 5000, Last: 5000, Count: 1},
	}
	if got := s.of("shop"); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("shop: got %+v, want %+v", got, want)
	}
	if got := s.of("search"); len(got) != 1 || got[0].Text != "refused 401 no matching keys" {
		t.Errorf("search: got %+v, want why it refused, and no more", got)
	}
	for i, status := range []string{"201", "401", "401", "204"} {
		s.add("till", history.Offset(1000*i), []byte("charge k2 "+status), history.Line{}, false)
	}
	if got := s.of("till"); len(got) != 2 || got[0].Text != "charge k2 401" || got[0].Count != 2 || got[1].Text != "charge k2 204" || got[1].Count != 2 {
		t.Errorf("till: got %+v, want what was refused told from what was done", got)
	}
	for i := range 3 * saidKinds {
		s.add("loud", history.Offset(10_000*(i+1)), []byte("word "+strings.Repeat("x", i%19+1)+strings.Repeat(" y", i)), history.Line{}, false)
	}
	if got := s.of("loud"); len(got) != saidKinds || got[len(got)-1].Last != history.Offset(10_000*3*saidKinds) {
		t.Errorf("loud: got %d kinds, want the %d last", len(got), saidKinds)
	}
	s.add("long", 0, []byte(strings.Repeat("long ", 1000)), history.Line{}, false)
	if got := s.of("long")[0].Text; len(got) > saidLine {
		t.Errorf("long: got %d bytes, want at most %d", len(got), saidLine)
	}
}
