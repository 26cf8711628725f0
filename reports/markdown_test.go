package reports

import (
	"io"
	"strings"
	"testing"
)

func TestWriteMarkdown(t *testing.T) {
	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".md", func(w io.Writer) error { return WriteMarkdown(w, m) })
		})
	}
}

func TestMarkdownOfHostileTextIsPlain(t *testing.T) {
	m := failModel()
	m.Why = "line one\n# not a heading\n<script>alert(1)</script> @everyone [a](http://evil) | `x`"
	m.Gates[0].Detail = "a | b\n| c |"
	var b strings.Builder
	if err := WriteMarkdown(&b, m); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\n# not", "<script", "@everyone", "[a](", "a | b"} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("report contains %q, want it escaped", bad)
		}
	}
	rows := 0
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "| verify | no | observe ") {
			rows++
			if got := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"); got != 6 {
				t.Errorf("the gate's row has %d borders, want 6: %s", got, line)
			}
		}
	}
	if rows == 0 {
		t.Error("found no row of the verify gate")
	}
}
