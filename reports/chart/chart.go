// Package chart draws the pictures of a report with gonum.org/v1/plot, once for
// every format: as SVG to stand inside a page, whose style it follows, and as
// PNG. It knows figures and names, and nothing of a run.
package chart

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Chart is a picture, and in words what it shows. Timeline and Comparison are
// charts.
type Chart interface {
	// Words are the title and the description of the picture, for those who
	// cannot see it.
	Words() (title, description string)
	// size is in units of the drawing: CSS pixels, or points on paper.
	size() (width, height vg.Length)
	draw(draw.Canvas) error
}

// errEmpty says that a chart has nothing to draw.
var errEmpty = errors.New("it has nothing to draw")

// pngDPI makes a PNG twice as fine as its size in CSS pixels, for dense screens
// and for print.
const pngDPI = 2 * 72

// SVG draws a chart as an SVG element without a size of its own. Its colours
// are the custom properties that Palette names, and its elements have ids that
// begin with id.
func SVG(c Chart, id string) (string, error) {
	width, height := c.size()
	canvas := vgsvg.NewWith(vgsvg.UseWH(width, height))
	if err := c.draw(draw.New(canvas)); err != nil {
		return "", fmt.Errorf("draw chart %s: %w", id, err)
	}
	title, description := c.Words()
	s, err := accessible(canvas, id, title, description)
	if err != nil {
		return "", fmt.Errorf("draw chart %s: %w", id, err)
	}
	if t, over := c.(*Timeline); over {
		inside, closing := strings.CutSuffix(s, "</svg>")
		if !closing {
			return "", fmt.Errorf("draw chart %s: the drawing library does not end its SVG element", id)
		}
		s = inside + t.hover() + "</svg>"
	}
	return s, nil
}

// frame is the room around the chart in a PNG, which no page gives it.
const frame = 20

// WritePNG draws a chart in its light colours as a PNG, under the chart's title
// and what the picture is of: it may be looked at far from its report.
func WritePNG(w io.Writer, c Chart, of string) error {
	width, height := c.size()
	title, _ := c.Words()
	const head = 3 * fontSize * 1.5
	canvas := vgimg.PngCanvas{Canvas: vgimg.NewWith(
		vgimg.UseWH(width+2*frame, height+2*frame+head), vgimg.UseDPI(pngDPI), vgimg.UseBackgroundColor(paper),
	)}
	whole := draw.New(canvas)
	inner := draw.Crop(whole, frame, -frame, frame, -frame)
	heading := label(ink)
	heading.Font.Size *= 1.4
	inner.FillText(heading, vg.Point{X: inner.Min.X, Y: inner.Max.Y - heading.Font.Size}, fit(heading, title, width))
	inner.FillText(label(dim), vg.Point{X: inner.Min.X, Y: inner.Max.Y - heading.Font.Size - 1.5*fontSize}, fit(label(dim), of, width))
	if err := c.draw(draw.Crop(inner, 0, 0, 0, -head)); err != nil {
		return fmt.Errorf("draw chart: %w", err)
	}
	if _, err := canvas.WriteTo(w); err != nil {
		return fmt.Errorf("write png: %w", err)
	}
	return nil
}
