package rules_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/history/historytest"
	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/judge/rules"
)

// FuzzJudge judges histories that were changed, as far as they can be read: it
// must come to a verdict, and to the same again from what it would write of them.
func FuzzJudge(f *testing.F) {
	everyKind, err := os.ReadFile("../../history/testdata/every-kind.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	bases := [][]byte{everyKind}
	for _, s := range []*story{
		tell(), tell(refuse("app", "k2", 28, 36, 40)), tell(refuse("web", "k1", 40.5, 45, 9), forever("checkout")),
		tell(unavailable("web", 20, 25)), tell(silent("app", 28, 40)), tell(ended("")), tell(noTotals),
	} {
		bases = append(bases, sparse(lines(f, s.history(f))))
	}
	for base := range bases {
		f.Add(uint8(base), []byte{})
		f.Add(uint8(base), []byte{9, 5, 7, 10, 3, 4, 2, 8, 60, 3, 9, 11})
	}
	f.Fuzz(func(t *testing.T, base uint8, edits []byte) {
		file := historytest.Mutate(bases[int(base)%len(bases)], edits)
		h, err := history.Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		l, err := rules.Limits(h)
		if err != nil {
			return
		}
		v := rules.Judge(h, l)
		switch v.Verdict {
		case judge.Pass, judge.Fail, judge.Inconclusive:
		default:
			t.Errorf("verdict: got %q, want one of the three", v.Verdict)
		}
		if again := rules.Judge(read(t, lines(t, h))); encode(t, again) != encode(t, v) {
			t.Error("the history as it is written again is judged otherwise")
		}
	})
}

// sparse leaves most of a history's counts out, of which one is as good as the
// others: a small seed is varied more often.
func sparse(file []byte) []byte {
	var kept []byte
	n := 0
	for line := range bytes.Lines(file) {
		if bytes.Contains(line, []byte(`"kind":"counts"`)) {
			if n++; n%40 != 0 {
				continue
			}
		}
		kept = append(kept, line...)
	}
	return kept
}
