package console

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rehearse-dev/rehearse/harness/plaintext"
	"github.com/rehearse-dev/rehearse/harness/plan"
)

// Row is what one scenario of many came to.
type Row struct {
	Name     string
	Came     string // its verdict, or that it could not be run
	Expected bool   // it came to what it expects
	Skipped  bool   // it was not run, and need not be
	Took     time.Duration
	Reasons  []string // why it did not, a sentence each
	Report   string   // where to read more; empty: there is none
}

// Table prints a line for each scenario when it ends and, on a terminal, which
// ones run. Its methods may be called concurrently. Make one with NewTable.
type Table struct {
	mu      sync.Mutex
	lines   lines
	began   time.Time
	width   int // of the names
	all     int
	running []string
	rows    []Row

	end   chan struct{} // closed by Close
	ended sync.WaitGroup
}

// NewTable begins a table of scenarios, told by name, of which some run at a
// time. It must be closed.
func NewTable(w io.Writer, o Options, names []string, parallel int) *Table {
	t := &Table{lines: lines{w: w, options: o}, began: time.Now(), all: len(names), end: make(chan struct{})}
	for _, name := range names {
		t.width = max(t.width, len(name))
	}
	t.lines.print(fmt.Sprintf("%d scenarios, %d at a time · ✓ came to what it expects, ✗ did not\n", t.all, min(parallel, t.all)))
	if o.Terminal {
		t.ended.Go(t.keepTime)
	}
	return t
}

// keepTime keeps the time on the status line until the table is closed.
func (t *Table) keepTime() {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-t.end:
			return
		case <-second.C:
			t.mu.Lock()
			t.showStatus()
			t.mu.Unlock()
		}
	}
}

// Begin says that a scenario runs now.
func (t *Table) Begin(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = append(t.running, name)
	t.showStatus()
}

// Add prints the line of a scenario that ended. It returns the first error of writing.
func (t *Table) Add(r Row) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = slices.DeleteFunc(t.running, func(name string) bool { return name == r.Name })
	t.rows = append(t.rows, r)
	m := good
	switch {
	case r.Skipped:
		m = neutral
	case !r.Expected:
		m = bad
	}
	digits := len(fmt.Sprint(t.all))
	var b strings.Builder
	fmt.Fprintf(&b, "[%*d/%d] %s %-*s  %-13s  %s\n", digits, len(t.rows), t.all,
		paint(t.lines.options.Color, m.color, m.sign), t.width, plaintext.Line(r.Name), plaintext.Line(r.Came), inSeconds(r.Took))
	indent := strings.Repeat(" ", 2*digits+6)
	for _, reason := range r.Reasons {
		t.paragraph(&b, indent, reason)
	}
	if r.Report != "" && !r.Expected {
		t.paragraph(&b, indent, r.Report)
	}
	t.lines.print(b.String())
	t.showStatus()
	return t.lines.err
}

// Close ends the table with its sum, and says in a sentence where more is. It
// returns the first error of writing.
func (t *Table) Close(more string) error {
	close(t.end)
	t.ended.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	var unexpected, skipped []string
	for _, r := range t.rows {
		switch {
		case r.Skipped:
			skipped = append(skipped, r.Name)
		case !r.Expected:
			unexpected = append(unexpected, r.Name)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d of %d as expected, in %s\n", len(t.rows)-len(unexpected)-len(skipped), t.all, inSeconds(time.Since(t.began)))
	if len(unexpected) > 0 {
		slices.Sort(unexpected)
		t.paragraph(&b, "", "not as expected: "+strings.Join(unexpected, ", "))
		t.explain(&b)
	}
	if len(skipped) > 0 {
		slices.Sort(skipped)
		t.paragraph(&b, "", "skipped, and so not known: "+strings.Join(skipped, ", "))
	}
	if n := t.all - len(t.rows); n > 0 {
		fmt.Fprintf(&b, "%d did not end\n", n)
	}
	fmt.Fprintf(&b, "%s\n", plaintext.Line(more))
	t.lines.print(b.String())
	return t.lines.err
}

// explain tells again the first reason why each came to something else: of a long
// log often only the end is kept.
func (t *Table) explain(b *strings.Builder) {
	for _, r := range t.rows {
		if !r.Expected && !r.Skipped && len(r.Reasons) > 0 {
			t.paragraph(b, "  ", r.Name+": "+r.Reasons[0])
		}
	}
}

// Say writes a line of what goes on to another place that may be the same
// terminal. Nobody but the reader misses it where it cannot be written.
func (t *Table) Say(w io.Writer, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines.clearStatus()
	_, _ = fmt.Fprintln(w, plaintext.Line(text))
	t.showStatus()
}

// showStatus says how far it is, where there is a terminal.
func (t *Table) showStatus() {
	if !t.lines.options.Terminal {
		return
	}
	text := fmt.Sprintf("%d of %d done in %s", len(t.rows), t.all, inSeconds(time.Since(t.began)))
	if len(t.running) > 0 {
		text += " · now: " + strings.Join(t.running, ", ")
	}
	t.lines.setStatus(text)
}

// paragraph writes text below a line, broken between words where a terminal's
// width is known.
func (t *Table) paragraph(b *strings.Builder, indent, text string) {
	text = plaintext.Line(text)
	if !t.lines.options.Terminal {
		fmt.Fprintf(b, "%s%s\n", indent, text)
		return
	}
	for _, line := range wrap(text, t.lines.options.columns()-len(indent)) {
		fmt.Fprintf(b, "%s%s\n", indent, line)
	}
}

// wrap breaks text between words into lines of at most so many characters. A
// word that is longer has a line of its own.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// inSeconds is a duration as people tell it: "1m16s".
func inSeconds(d time.Duration) string { return plan.Text(d.Round(time.Second)) }
