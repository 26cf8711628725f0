package database

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// A line that is too long is cut, and the next one read all the same.
func TestEachLine(t *testing.T) {
	long := strings.Repeat("x", 3*maxLogLine)
	var got []string
	if err := eachLine(strings.NewReader("first\r\n"+long+"\n\nlast"), func(line string) { got = append(got, line) }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"first", long[:maxLogLine], "", "last"}; !slices.Equal(got, want) {
		t.Errorf("got %d lines, want %d with the second cut", len(got), len(want))
	}
	broken := errors.New("the pipe is broken")
	if err := eachLine(iotest.ErrReader(broken), func(string) {}); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}
