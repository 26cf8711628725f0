package docker

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rehearse-dev/rehearse/harness/runtime/launch"
)

func TestStreamPassesOverWhatItDelivered(t *testing.T) {
	var got []string
	s := &stream{Lines: launch.Lines{Deliver: func(line []byte) { got = append(got, string(line)) }}}
	// Each reading begins at the log's beginning; the first two broke off.
	for _, log := range []string{"one\ntw", "one\ntwo\n", "one\ntwo\nthree\n"} {
		s.skip = s.seen
		if _, err := io.Copy(s, iotest.OneByteReader(strings.NewReader(log))); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"one", "two", "three"}; !slices.Equal(got, want) {
		t.Errorf("delivered %q; want %q", got, want)
	}
}
