package matrix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
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
func (c Cell) text(t Trial, bound float64) string {
	switch {
	case c.Decides && c.Accepted:
		return "taken"
	case c.Decides:
		return "refused"
	case t.Name == "garbage-many":
		return fmt.Sprint(c.Fetches)
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
	return d
}

// WriteMarkdown writes the table: a library a column, since there are more
// trials than libraries, and what was measured how.
func (m *Matrix) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- written by `make matrix`; do not edit -->\n\n| |")
	for _, r := range m.Rows {
		fmt.Fprintf(&b, " %s |", r.Library)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(m.Rows)) + "\n| what is run |")
	for _, r := range m.Rows {
		fmt.Fprintf(&b, " %s |", r.How)
	}
	b.WriteString("\n| version |")
	for _, r := range m.Rows {
		fmt.Fprintf(&b, " %s |", r.Version)
	}
	for _, t := range Trials {
		fmt.Fprintf(&b, "\n| %s |", t.Asks)
		for _, r := range m.Rows {
			fmt.Fprintf(&b, " %s |", r.cell(t, m.Bound))
		}
	}
	fmt.Fprintf(&b, "\n\nMeasured on %s. Every wait was bounded by %s: `> %s` means that it had not ended then.\n", m.Measured, seconds(m.Bound), seconds(m.Bound))
	_, err := io.WriteString(w, b.String())
	return err
}

// Cell is what a library came to in a trial; false where it was not taken through it.
func (r Row) Cell(trial string) (Cell, bool) {
	for _, c := range r.Cells {
		if c.Trial == trial {
			return c, true
		}
	}
	return Cell{}, false
}

func (r Row) cell(t Trial, bound float64) string {
	if c, there := r.Cell(t.Name); there {
		return c.text(t, bound)
	}
	return "–"
}
