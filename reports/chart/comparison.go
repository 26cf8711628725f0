package chart

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Comparison is two bars, before and after, for each row and measure.
type Comparison struct {
	Title, Description string
	Width              int // CSS pixels; the height follows from the rows
	Before, After      string
	Measures           []string
	Rows               []Row
}

// Row is what one party came to, by measure.
type Row struct {
	Name          string
	Before, After []Value
}

// Value is a figure as a length and in words. A figure that there is none of
// has the length 0 and says so in words.
type Value struct {
	Figure float64
	Text   string
}

// Measures of a comparison, in CSS pixels.
const (
	barHeight  = 13
	rowHeight  = 2*barHeight + 12
	headHeight = 2 * titleHeight
	nameShare  = 0.28 // of the width
)

// Words are the title and the description.
func (b *Comparison) Words() (title, description string) { return b.Title, b.Description }

func (b *Comparison) size() (width, height vg.Length) {
	return vg.Length(b.Width), vg.Length(headHeight + len(b.Rows)*rowHeight + 4)
}

func (b *Comparison) draw(c draw.Canvas) error {
	if len(b.Rows) == 0 || len(b.Measures) == 0 {
		return errEmpty
	}
	width := c.Max.X - c.Min.X
	names := width * nameShare
	each := (width - names) / vg.Length(len(b.Measures))
	top := c.Max.Y - headHeight
	b.legend(c)
	for i, r := range b.Rows {
		middleOf := top - vg.Length(i*rowHeight+rowHeight/2)
		style := middle(label(ink))
		c.FillText(style, vg.Point{X: c.Min.X, Y: middleOf}, fit(style, r.Name, names-8))
		if i > 0 {
			y := top - vg.Length(i*rowHeight)
			c.StrokeLine2(draw.LineStyle{Color: line, Width: 0.5}, c.Min.X, y, c.Max.X, y)
		}
	}
	for m, name := range b.Measures {
		left := c.Min.X + names + vg.Length(m)*each
		c.FillText(label(ink), vg.Point{X: left, Y: top + 6}, name)
		data := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: left, Y: top - vg.Length(len(b.Rows)*rowHeight)}, Max: vg.Point{X: left + each - 12, Y: top},
		}}
		if err := b.measure(data, m); err != nil {
			return fmt.Errorf("draw %s: %w", name, err)
		}
	}
	return nil
}

// looks are those of the two bars: the one before is hollow, so that they are
// told apart without colour.
var looks = []struct {
	offset vg.Length
	filled bool
}{{barHeight / 2, false}, {-barHeight / 2, true}}

// measure draws the bars of one measure; the longest leaves room for its text.
func (b *Comparison) measure(data draw.Canvas, m int) error {
	var most float64
	var widest vg.Length
	text := middle(label(ink))
	for _, r := range b.Rows {
		for _, v := range []Value{r.Before[m], r.After[m]} {
			most, widest = max(most, v.Figure), max(widest, text.Width(v.Text))
		}
	}
	bars := data
	bars.Max.X = max(data.Min.X+1, data.Max.X-widest-8)
	scale := plot.New()
	scale.X.Min, scale.X.Max, scale.Y.Min, scale.Y.Max = 0, max(most, 1e-9), -0.5, float64(len(b.Rows))-0.5
	for i, look := range looks {
		var figures plotter.Values
		for j := range b.Rows { // from below: the first row is the highest
			figures = append(figures, b.value(len(b.Rows)-1-j, i, m).Figure)
		}
		chart, err := plotter.NewBarChart(figures, barHeight-4)
		if err != nil {
			return err
		}
		chart.Horizontal, chart.Offset = true, look.offset
		chart.Color, chart.LineStyle = paper, draw.LineStyle{Color: series[0], Width: 1}
		if look.filled {
			chart.Color = series[0]
		}
		chart.Plot(bars, scale)
		for j := range b.Rows {
			v := b.value(j, i, m)
			at := vg.Point{
				X: bars.X(scale.X.Norm(v.Figure)) + 5,
				Y: bars.Y(scale.Y.Norm(float64(len(b.Rows)-1-j))) + look.offset,
			}
			data.FillText(text, at, v.Text)
		}
	}
	// The line that bars begin at, so that one of no length has a place.
	data.StrokeLine2(draw.LineStyle{Color: dim, Width: 1}, data.Min.X, data.Min.Y+2, data.Min.X, data.Max.Y-2)
	return nil
}

// value is that of a row before (0) or after (1), by measure.
func (b *Comparison) value(row, side, m int) Value {
	if side == 0 {
		return b.Rows[row].Before[m]
	}
	return b.Rows[row].After[m]
}

// legend says which bar is which.
func (b *Comparison) legend(c draw.Canvas) {
	const height = fontSize - 2
	x, y := c.Min.X, c.Max.Y-height-4
	for i, name := range []string{b.Before, b.After} {
		sample := box(x, y, x+22, y+height)
		fill := paper
		if looks[i].filled {
			fill = series[0]
		}
		c.FillPolygon(fill, sample)
		c.StrokeLines(draw.LineStyle{Color: series[0], Width: 1}, append(sample, sample[0]))
		c.FillText(label(ink), vg.Point{X: x + 28, Y: y - 0.5}, name)
		x += 28 + label(ink).Width(name) + 18
	}
}
