package console

import (
	"fmt"
	"io"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
	"github.com/rehearse-dev/rehearse/reports"
)

// PrintVerdict prints what a run came to: the answer, why, every finding with
// what to change, the rules, and where the report is, if there is one. Of the options, only the colour matters.
func PrintVerdict(w io.Writer, v judge.Verdict, limits plan.Limits, report string, o Options) error {
	var b strings.Builder
	color := map[judge.Outcome]string{judge.Pass: "1;32", judge.Fail: "1;31"}[v.Verdict]
	if color == "" {
		color = "1;33"
	}
	fmt.Fprintf(&b, "\n%s\n", paint(o.Color, color, reports.Headline(v)))
	findings := reports.ByWeight(v.Findings)
	if v.Why != "" && (len(findings) == 0 || findings[0].Message != v.Why) { // the first finding says it next
		fmt.Fprintf(&b, "%s\n", plaintext.Line(v.Why))
	}
	clock := reports.NewClock(limits.Speed, v)
	for i, f := range findings {
		printFinding(&b, f, clock, o.Color, reports.Repeats(f, findings[:i]))
	}
	printRules(&b, v.Rules, o.Color)
	if report != "" {
		fmt.Fprintf(&b, "\nreport  %s\n", plaintext.Line(report))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print verdict: %w", err)
	}
	return nil
}

// printFinding prints a finding in its sentence and, unless it is brief, its facts and its cure.
func printFinding(b *strings.Builder, f judge.Finding, clock reports.Clock, color, brief bool) {
	mark := map[judge.Level]mark{judge.Error: bad, judge.Warning: warn}[f.Level]
	if mark.sign == "" {
		mark = neutral
	}
	head := plaintext.Line(fmt.Sprintf("%s %s %s", mark.sign, f.Level, f.RuleID))
	fmt.Fprintf(b, "\n%s: %s\n", paint(color, mark.color, head), plaintext.Line(f.Message))
	if brief {
		return
	}
	for _, fact := range reports.Facts(f, clock) {
		fmt.Fprintf(b, "    %-18s %s\n", plaintext.Line(fact.Name), plaintext.Line(fact.Value))
	}
	if f.Fix != "" {
		fmt.Fprintf(b, "    %-18s %s\n", "fix", paint(color, "1", plaintext.Line(f.Fix)))
	}
}

// printRules prints the rules that did not hold one by one and the others in a line.
func printRules(b *strings.Builder, rules []judge.Rule, color bool) {
	if len(rules) == 0 {
		return
	}
	names := map[judge.Outcome][]string{}
	b.WriteString("\n")
	for _, r := range rules {
		if r.Outcome == judge.Pass || r.Outcome == judge.Skipped {
			names[r.Outcome] = append(names[r.Outcome], r.ID)
			continue
		}
		mark := bad
		if r.Outcome != judge.Fail {
			mark = warn
		}
		fmt.Fprintf(b, "%s %s\n", paint(color, mark.color, plaintext.Line(fmt.Sprintf("%-12s", r.Outcome))), plaintext.Line(r.ID+colon(r.Detail)))
	}
	for _, o := range []judge.Outcome{judge.Pass, judge.Skipped} {
		if len(names[o]) > 0 {
			fmt.Fprintf(b, "%-12s %s\n", o, plaintext.Line(strings.Join(names[o], ", ")))
		}
	}
}
