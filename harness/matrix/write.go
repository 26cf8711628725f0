package matrix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// WriteJSON writes all figures.
func (m *Matrix) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(m)
}

// Read reads what WriteJSON wrote.
func Read(data []byte) (*Matrix, error) {
	var m Matrix
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m); err != nil {
		return nil, fmt.Errorf("read matrix: %w", err)
	}
	return &m, nil
}

// atOnce is within how many seconds of its beginning a wait has ended at once:
// no second presentation was needed.
const atOnce = 1

// text is a cell as the table has it.
func (c Cell) text(bound float64) string {
	switch {
	case c.Text != "":
		return strings.ReplaceAll(c.Text, "|", "\\|")
	case c.Decides && c.Accepted:
		return "taken"
	case c.Decides:
		return "refused"
	case c.Counts:
		return strconv.FormatFloat(float64(c.Fetches)/madeUp, 'g', 1, 64)
	case !c.Ended:
		return "> " + seconds(bound)
	case c.Seconds < atOnce:
		return "at once"
	}
	return seconds(c.Seconds)
}

func seconds(s float64) string {
	d := (time.Duration(math.Round(s)) * time.Second).String()
	if strings.HasSuffix(d, "m0s") {
		d = strings.TrimSuffix(d, "0s")
	}
	if strings.HasSuffix(d, "h0m") {
		d = strings.TrimSuffix(d, "0m")
	}
	return d
}

// Table is a kind of table: what each row is asked, what writes it, and what is said
// of how it was measured.
type Table struct {
	Questions []Question
	By, Note  string
}

// LibraryTable is that of JWT libraries.
var LibraryTable = Table{Questions: questions(Trials), By: "make matrix"}

func questions(trials []Trial) (asked []Question) {
	for _, t := range trials {
		asked = append(asked, t.Question)
		if t.Name == "removed-met" {
			asked = append(asked, Question{Name: "forgets", Asks: "what makes it forget a removed key", Of: forgets})
		}
	}
	return append(asked, Question{Name: "refusals", Asks: "status of a refusal", Of: refusals})
}

// WriteMarkdown writes the table: a library or an issuer a column, since there are more
// questions than those, and what was measured how.
func (m *Matrix) WriteMarkdown(w io.Writer, t Table) error {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- written by `%s`; do not edit -->\n\n| |", t.By)
	for _, r := range m.Rows {
		fmt.Fprintf(&b, " %s |", r.Name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(m.Rows)) + "\n| what is run |")
	for _, r := range m.Rows {
		fmt.Fprintf(&b, " %s |", r.How)
	}
	b.WriteString("\n| version |")
	for _, r := range m.Rows {
		fmt.Fprintf(&b, " %s |", r.Version)
	}
	for _, q := range t.Questions {
		fmt.Fprintf(&b, "\n| %s |", q.Asks)
		for _, r := range m.Rows {
			fmt.Fprintf(&b, " %s |", r.answer(q, m.Bound))
		}
	}
	fmt.Fprintf(&b, "\n\nMeasured on %s. Every wait was bounded by %s: `> %s` means that it had not ended then.\n", m.Measured, seconds(m.Bound), seconds(m.Bound))
	b.WriteString(t.Note)
	_, err := io.WriteString(w, b.String())
	return err
}

// Cell is what a row came to at a question; false where it was not asked.
func (r Row) Cell(trial string) (Cell, bool) {
	for _, c := range r.Cells {
		if c.Trial == trial {
			return c, true
		}
	}
	return Cell{}, false
}

// answer is what a row came to at a question, as the table has it.
func (r Row) answer(q Question, bound float64) string {
	if q.Of != nil {
		return q.Of(r, bound)
	}
	if c, ok := r.Cell(q.Name); ok {
		return c.text(bound)
	}
	return "–"
}
