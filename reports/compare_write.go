package reports

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rehearse-dev/rehearse/harness/judge"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// WriteCompareJSON writes a comparison as indented JSON.
func WriteCompareJSON(w io.Writer, c *Comparison) error {
	e := json.NewEncoder(plaintext.JSON(w))
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(c); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// WriteCompareText writes a comparison for a terminal: the answer, what got
// worse and better, and then both runs side by side.
func WriteCompareText(w io.Writer, c *Comparison) error {
	var b strings.Builder
	b.WriteString(c.Headline() + "\n")
	for _, l := range c.lists() {
		for _, text := range l.texts {
			fmt.Fprintf(&b, "  %s %s\n", l.mark, oneLine(text))
		}
	}
	for _, t := range c.tables() {
		if len(t.Rows) > 0 {
			textTable(&b, t)
		}
	}
	if _, err := io.WriteString(w, plaintext.Lines(b.String())); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// WriteCompareMarkdown writes a comparison for a pull request, in GitHub's Markdown.
func WriteCompareMarkdown(w io.Writer, c *Comparison) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", plaintext.Markdown(c.Headline()))
	for _, l := range c.lists() {
		if len(l.texts) == 0 {
			continue
		}
		fmt.Fprintf(&b, "%s:\n\n", l.title)
		for _, text := range l.texts {
			fmt.Fprintf(&b, "- %s\n", plaintext.Markdown(text))
		}
		b.WriteString("\n")
	}
	for _, t := range c.tables() {
		if len(t.Rows) > 0 {
			markdownTable(&b, t)
		}
	}
	if _, err := io.WriteString(w, strings.TrimSuffix(b.String(), "\n")); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return nil
}

// list is a list of sentences under a mark (of the console) or a title.
type list struct {
	mark, title string
	texts       []string
}

func (c *Comparison) lists() []list {
	return []list{{"✗", "Worse", c.Regressions}, {"✓", "Better", c.Improvements}, {"·", "Not alike", c.Notes}}
}

// tables compare both runs, the same in every format.
func (c *Comparison) tables() []table {
	tables := []table{c.runsTable(), c.findingsTable(), c.rulesTable()}
	for _, p := range c.Pairs {
		tables = append(tables, p.table())
	}
	return append(tables, c.validatorsTable())
}

func (c *Comparison) runsTable() table {
	t := table{Title: "Runs", Head: []column{words(""), words("Scenario"), words("Started"), words("Verdict")}}
	for _, s := range []struct {
		name string
		Side
	}{{"before", c.Before}, {"after", c.After}} {
		t.Rows = append(t.Rows, []string{s.name, s.Scenario, s.StartedAt.Format("2006-01-02 15:04:05 UTC"), string(s.Verdict)})
	}
	return t
}

func (c *Comparison) findingsTable() table {
	t := table{Title: "Findings", Head: []column{words("Change"), words("Level"), words("Rule"), words("About"), figure("Before"), figure("After")}}
	number := func(f *judge.Finding) string {
		if f == nil {
			return "–"
		}
		return Count(f.Count)
	}
	for _, f := range c.Findings {
		one := f.One()
		about := who(one)
		if about == "" {
			about = one.Consumer
		}
		t.Rows = append(t.Rows, []string{string(f.Change), string(one.Level), one.RuleID, dash(about), number(f.Before), number(f.After)})
	}
	return t
}

func (c *Comparison) rulesTable() table {
	t := table{Title: "Rules", Head: sideBySide("Rule", words)}
	for _, r := range c.Rules {
		t.Rows = append(t.Rows, []string{r.ID, dash(string(r.Before)), dash(string(r.After)), notable(r.Change)})
	}
	return t
}

func (p PairChange) table() table {
	b, a := p.Before, p.After
	t := table{Title: p.name(), Head: sideBySide("First attempts", figure)}
	row := func(name, before, after string, change Change) {
		t.Rows = append(t.Rows, []string{name, before, after, notable(change)})
	}
	failures := func(n, of int64) string {
		if of == 0 {
			return "–"
		}
		return fmt.Sprintf("%s (%s)", Count(n), Share(n, of))
	}
	row("attempts", Count(b.Attempts), Count(a.Attempts), Same)
	row("auth failures", failures(b.AuthFailures, b.Attempts), failures(a.AuthFailures, a.Attempts), p.AuthFailures)
	row("without service", failures(b.Unavailable, b.Attempts), failures(a.Unavailable, a.Attempts), p.Unavailable)
	if p.Judged {
		row("error budget spent", times(b), times(a), Same)
	}
	row("p50, slowest phase", latency(b.P50MS), latency(a.P50MS), Same)
	row("p99, slowest phase", latency(b.P99MS), latency(a.P99MS), Same)
	return t
}

// times is the part of the error budget that was spent.
func times(c Counts) string {
	if c.Attempts == 0 {
		return "–"
	}
	return timesOf(c.BudgetSpent)
}

func (c *Comparison) validatorsTable() table {
	t := table{Title: "Validators, in page time", Head: sideBySide("Validator", figure)}
	for _, v := range c.Validators {
		tell := func(time *ValidatorTime, of func(*ValidatorTime) (took, bound int64)) string {
			if time == nil {
				return "–"
			}
			return tookOf(of(time))
		}
		learned := func(t *ValidatorTime) (int64, int64) { return t.LearnedMS, t.LearnBoundMS }
		forgot := func(t *ValidatorTime) (int64, int64) { return t.ForgotMS, t.ForgetBoundMS }
		t.Rows = append(t.Rows,
			[]string{v.Name + " learned after", tell(v.Before, learned), tell(v.After, learned), notable(v.Learned)},
			[]string{v.Name + " forgot after", tell(v.Before, forgot), tell(v.After, forgot), notable(v.Forgot)})
	}
	return t
}

// tookOf words milliseconds of page time against their bound.
func tookOf(took, bound int64) string {
	text := func(ms int64) string { return plan.Text(time.Duration(ms) * time.Millisecond) }
	switch {
	case took < 0:
		return "not in this run"
	case bound < 0:
		return text(took)
	case took > bound:
		return fmt.Sprintf("%s, over %s", text(took), text(bound))
	}
	return fmt.Sprintf("%s of %s", text(took), text(bound))
}

// sideBySide is the head of a table whose rows are told before and after.
func sideBySide(first string, kind func(string) column) []column {
	return []column{words(first), kind("Before"), kind("After"), words("Change")}
}

// notable leaves out what did not change.
func notable(c Change) string {
	if c == Same {
		return ""
	}
	return string(c)
}

// oneLine is text in one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// textTable writes a table in aligned columns.
func textTable(b *strings.Builder, t table) {
	widths := make([]int, len(t.Head))
	rows := make([][]string, 0, len(t.Rows)+1)
	head := make([]string, len(t.Head))
	for i, c := range t.Head {
		head[i] = strings.ToLower(c.Name)
	}
	rows = append(append(rows, head), t.Rows...)
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(oneLine(cell)))
		}
	}
	fmt.Fprintf(b, "\n%s\n", t.Title)
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			cell = oneLine(cell)
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if t.Head[i].Figure {
				line += "  " + pad + cell
			} else {
				line += "  " + cell + pad
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
