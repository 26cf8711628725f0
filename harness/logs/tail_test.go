package logs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTails(t *testing.T) {
	lines := newTails()
	if got := lines.last("search", 10); len(got) > 0 {
		t.Errorf("of a service without lines: got %q, want nothing", got)
	}
	for i := range tailLines + 7 {
		lines.add("search", fmt.Appendf(nil, "line %d", i), false)
	}
	lines.add("auth", []byte("another"), false)
	want := []string{fmt.Sprint("line ", tailLines+5), fmt.Sprint("line ", tailLines+6)}
	if got := lines.last("search", 2); !slices.Equal(got, want) {
		t.Errorf("the last two: got %q, want %q", got, want)
	}
	all := lines.last("search", 10*tailLines)
	if len(all) != tailLines || all[0] != "line 7" {
		t.Errorf("all: got %d lines from %q, want %d from line 7", len(all), all[0], tailLines)
	}
	if got := lines.last("auth", 10); !slices.Equal(got, []string{"another"}) {
		t.Errorf("of another service: got %q, want its own", got)
	}
	lines.add("auth", []byte(strings.Repeat("x", tailLine+1)), false)
	if got := lines.last("auth", 1)[0]; len(got) > 100 || !strings.Contains(got, fmt.Sprint(tailLine+1)) {
		t.Errorf("a long line: got %d bytes, want its length told in its place", len(got))
	}
}

// TestTailsKeepWhatIsRare has a service that logs every request: what else it
// says stays, in its place.
func TestTailsKeepWhatIsRare(t *testing.T) {
	lines := newTails()
	lines.add("search", []byte("fetched"), false)
	for range 10 * tailLines {
		lines.add("search", []byte("accepted"), true)
	}
	lines.add("search", []byte("learned"), false)
	lines.add("search", []byte("refused"), true)
	got := lines.last("search", 10*tailLines)
	if n := len(got); n != tailLines+2 || got[0] != "fetched" || got[n-2] != "learned" || got[n-1] != "refused" {
		t.Errorf("got %d lines, from %q to %q; want what is rare among the last %d decisions", n, got[0], got[max(0, n-2):], tailLines)
	}
}
