package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plaintext"
)

// maxMarkdownRows bounds a table: GitHub takes no comment of more than 65,536
// characters.
const maxMarkdownRows = 40

// WriteMarkdown writes a report for a pull request or a channel, in GitHub's
// Markdown: the answer, what to change, the findings, before and after; the
// rest is folded away. Names and messages from the run are escaped, link nowhere
// and mention nobody.
func WriteMarkdown(w io.Writer, m *Model) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", plaintext.Markdown(Headline(m.Verdict)), plaintext.Markdown(m.Why))
	if all, more := remedies(m); len(all) > 0 {
		b.WriteString("**What to change**\n\n")
		for _, c := range all {
			fmt.Fprintf(&b, "- %s\n", plaintext.Markdown(join(": ", c.Who, c.What)))
		}
		if more > 0 {
			fmt.Fprintf(&b, "- and what %d more findings say\n", more)
		}
		b.WriteString("\n")
	} else if all := untold(m); len(all) > 0 {
		b.WriteString("**What was missing**\n\n")
		for _, fact := range all {
			fmt.Fprintf(&b, "- %s: %s\n", plaintext.Markdown(fact.Name), plaintext.Markdown(fact.Value))
		}
		b.WriteString("\n")
	}
	for i, fact := range summary(m) {
		if i > 0 {
			b.WriteString(" · ")
		}
		fmt.Fprintf(&b, "**%s** %s", plaintext.Markdown(fact.Value), plaintext.Markdown(fact.Name))
	}
	b.WriteString("\n\n## Findings\n\n")
	markdownFindings(&b, m)
	markdownTable(&b, beforeAndAfter(contrasts(m)))
	for _, t := range append([]table{perPhase(m)}, tables(m)...) {
		fmt.Fprintf(&b, "<details>\n<summary>%s</summary>\n\n", plaintext.Markdown(t.Title))
		markdownRows(&b, t)
		b.WriteString("</details>\n\n")
	}
	b.WriteString("## Run it again\n\n```sh\n")
	for _, c := range again(m) {
		// A name with a fence would end the block.
		fmt.Fprintf(&b, "%-60s # %s\n", strings.ReplaceAll(plaintext.Line(c.Line), "```", ""), c.Does)
	}
	b.WriteString("```\n\n")
	for i, fact := range header(m) {
		if i > 0 {
			b.WriteString(" · ")
		}
		fmt.Fprintf(&b, "%s %s", plaintext.Markdown(strings.ToLower(fact.Name)), plaintext.Markdown(fact.Value))
	}
	if !m.WrittenAt.IsZero() {
		fmt.Fprintf(&b, " · written %s", m.WrittenAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	b.WriteString("\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write markdown: %w", err)
	}
	return nil
}

func markdownFindings(b *strings.Builder, m *Model) {
	if len(m.Findings) == 0 {
		b.WriteString("None.\n\n")
		return
	}
	findings := ByWeight(m.Findings)
	for i, f := range findings {
		if i == maxMarkdownRows {
			fmt.Fprintf(b, "- %d more are in report.html\n", len(m.Findings)-i)
			break
		}
		fmt.Fprintf(b, "- **%s %s**: %s\n", plaintext.Markdown(string(f.Level)), plaintext.Markdown(f.RuleID), plaintext.Markdown(f.Message))
		if Repeats(f, findings[:i]) {
			continue
		}
		for _, fact := range Facts(f, m.clock()) {
			fmt.Fprintf(b, "  - %s: %s\n", plaintext.Markdown(fact.Name), plaintext.Markdown(fact.Value))
		}
		if f.Fix != "" {
			fmt.Fprintf(b, "  - **fix: %s**\n", plaintext.Markdown(f.Fix))
		}
	}
	b.WriteString("\n")
}

func markdownTable(b *strings.Builder, t table) {
	fmt.Fprintf(b, "## %s\n\n", plaintext.Markdown(t.Title))
	markdownRows(b, t)
}

func markdownRows(b *strings.Builder, t table) {
	if t.Note != "" {
		fmt.Fprintf(b, "%s\n\n", plaintext.Markdown(t.Note))
	}
	if len(t.Rows) == 0 {
		return
	}
	for _, c := range t.Head {
		fmt.Fprintf(b, "| %s ", plaintext.Markdown(c.Name))
	}
	b.WriteString("|\n")
	for _, c := range t.Head {
		if c.Figure {
			b.WriteString("|---:")
		} else {
			b.WriteString("|---")
		}
	}
	b.WriteString("|\n")
	for i, row := range t.Rows {
		if i == maxMarkdownRows {
			break
		}
		for _, cell := range row {
			fmt.Fprintf(b, "| %s ", plaintext.Markdown(cell))
		}
		b.WriteString("|\n")
	}
	if more := len(t.Rows) - maxMarkdownRows; more > 0 {
		fmt.Fprintf(b, "\n%d more are in report.html.\n", more)
	}
	b.WriteString("\n")
}
