package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/judge"
)

// TestOperatorIsReported wants what a person did, and the faults that they
// injected, in every format that people read, and in result.json.
func TestOperatorIsReported(t *testing.T) {
	m := failModel()
	m.Operator = []judge.OperatorAction{
		{AtMS: 5200, Phase: history.Verify, Did: "injected pause on search"},
		{AtMS: 10100, Phase: history.Verify, Did: "went on to emit, after 5s on hold"},
	}
	m.Faults = append(m.Faults, judge.FaultReport{Kind: "pause", Target: "search", InjectedMS: 5260, UndoneMS: 9000, Took: true, By: "operator"})
	var html, markdown, result bytes.Buffer
	for _, err := range []error{WriteHTML(&html, m), WriteMarkdown(&markdown, m), WriteJSON(&result, m)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"What the operator did", "injected pause on search", "went on to emit, after 5s on hold", "5m12s (5.2s)", "by the operator"} {
		for name, text := range map[string]string{"html": html.String(), "markdown": markdown.String()} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in it", name, want)
			}
		}
	}
	read, err := ReadResult(&result)
	if err != nil {
		t.Fatal(err)
	}
	if len(read.Operator) != 2 || read.Operator[1] != m.Operator[1] {
		t.Errorf("result: got %+v, want %+v", read.Operator, m.Operator)
	}
	if i := len(read.Faults) - 1; read.Faults[i].By != "operator" {
		t.Errorf("result: got %+v, want the fault to be the operator's", read.Faults[i])
	}
}
