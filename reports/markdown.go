package reports

import (
	"fmt"
	"io"
	"strings"
)

// maxMarkdownRows bounds a table: GitHub takes no comment of more than 65,536
// characters.
const maxMarkdownRows = 40

// WriteMarkdown writes a report for a pull request or a channel, in GitHub's
// Markdown: the answer, what to change, the findings, before and after; the
// rest is folded away. Names and messages from the run are escaped and mention
// nobody.
func WriteMarkdown(w io.Writer, m *Model) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", plain(Headline(m.Verdict)), plain(m.Why))
	if all, more := remedies(m); len(all) > 0 {
		b.WriteString("**What to change**\n\n")
		for _, c := range all {
			fmt.Fprintf(&b, "- %s\n", plain(join(": ", c.Who, c.What)))
		}
		if more > 0 {
			fmt.Fprintf(&b, "- and what %d more findings say\n", more)
		}
		b.WriteString("\n")
	} else if all := untold(m); len(all) > 0 {
		b.WriteString("**What was missing**\n\n")
		for _, fact := range all {
			fmt.Fprintf(&b, "- %s: %s\n", plain(fact.Name), plain(fact.Value))
		}
		b.WriteString("\n")
	}
	for i, fact := range summary(m) {
		if i > 0 {
			b.WriteString(" · ")
		}
		fmt.Fprintf(&b, "**%s** %s", plain(fact.Value), plain(fact.Name))
	}
	b.WriteString("\n\n## Findings\n\n")
	markdownFindings(&b, m)
	markdownTable(&b, beforeAndAfter(contrasts(m)))
	for _, t := range append([]table{perPhase(m)}, tables(m)...) {
		fmt.Fprintf(&b, "<details>\n<summary>%s</summary>\n\n", t.Title)
		markdownRows(&b, t)
		b.WriteString("</details>\n\n")
	}
	b.WriteString("## Run it again\n\n```sh\n")
	for _, c := range again(m) {
		// A name with a newline or a fence would end the block.
		fmt.Fprintf(&b, "%-60s # %s\n", strings.ReplaceAll(strings.Join(strings.Fields(c.Line), " "), "```", ""), c.Does)
	}
	b.WriteString("```\n\n")
	for i, fact := range header(m) {
		if i > 0 {
			b.WriteString(" · ")
		}
		fmt.Fprintf(&b, "%s %s", strings.ToLower(fact.Name), plain(fact.Value))
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
	for i, f := range ByWeight(m.Findings) {
		if i == maxMarkdownRows {
			fmt.Fprintf(b, "- %d more are in report.html\n", len(m.Findings)-i)
			break
		}
		fmt.Fprintf(b, "- **%s %s**: %s\n", f.Level, plain(f.RuleID), plain(f.Message))
		for _, fact := range Facts(f, m.clock()) {
			fmt.Fprintf(b, "  - %s: %s\n", fact.Name, plain(fact.Value))
		}
		if f.Fix != "" {
			fmt.Fprintf(b, "  - **fix: %s**\n", plain(f.Fix))
		}
	}
	b.WriteString("\n")
}

func markdownTable(b *strings.Builder, t table) {
	fmt.Fprintf(b, "## %s\n\n", plain(t.Title))
	markdownRows(b, t)
}

func markdownRows(b *strings.Builder, t table) {
	if t.Note != "" {
		fmt.Fprintf(b, "%s\n\n", plain(t.Note))
	}
	if len(t.Rows) == 0 {
		return
	}
	for _, c := range t.Head {
		fmt.Fprintf(b, "| %s ", plain(c.Name))
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
			fmt.Fprintf(b, "| %s ", plain(cell))
		}
		b.WriteString("|\n")
	}
	if more := len(t.Rows) - maxMarkdownRows; more > 0 {
		fmt.Fprintf(b, "\n%d more are in report.html.\n", more)
	}
	b.WriteString("\n")
}

// markdown escapes what has a meaning in Markdown, HTML and GitHub. An empty
// comment behind an @ keeps it from mentioning somebody.
var markdown = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `|`, `\|`, `~`, `\~`, `#`, `\#`,
	`<`, `&lt;`, `>`, `&gt;`, `&`, `&amp;`, `@`, `@<!-- -->`,
)

// plain is text in one line without any markup.
func plain(s string) string {
	return markdown.Replace(strings.Join(strings.Fields(s), " "))
}
