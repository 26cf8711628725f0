package chart

import (
	"fmt"
	"html"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Timeline is panels of figures under each other, over one axis of time on
// which phases and bands are marked. All times are seconds on that axis.
type Timeline struct {
	Title, Description string
	Width              int // CSS pixels; the height follows from what is shown
	Start, End         float64
	Ticks              []Tick
	Phases             []Mark
	Bands              []Band
	// First and Step say where the values of lines are: value i holds from
	// First + i×Step until First + (i+1)×Step.
	First, Step float64
	Panels      []Panel
	// Stretches say in words what the lines show, for who points at them.
	Stretches []Stretch
}

// Stretch is what was in a stretch of time, in words. Those of one Index are of the
// same time in every chart of a page, and are pointed out together.
type Stretch struct {
	From, To float64
	Index    int
	Text     string
}

// Tick is a labelled moment on the axis of time.
type Tick struct {
	At    float64
	Label string
}

// Mark is the beginning of something that lasts until the next one.
type Mark struct {
	At   float64
	Name string
}

// Band is a stretch of time; one without a length is a moment.
type Band struct {
	From, To float64
	Name     string
}

// Panel is one set of lines with an axis from 0 to Max.
type Panel struct {
	Name  string
	Max   float64
	Ticks []Tick // of its axis
	Lines []Line
	Alarm bool // what its lines show is bad
}

// Line is one line of a panel; NaN is a gap.
type Line struct {
	Name   string
	Values []float64
}

// Measures of a timeline, in CSS pixels.
const (
	labelHeight = fontSize + 4
	maxRows     = 4 // of labels: phases, and bands
	panelHeight = 84
	titleHeight = 30 // with the gap above it
	axisHeight  = 18
	labelGap    = 10
	maxLabel    = 170
	shortest    = 4 // stretch of a line that is drawn as one
)

// Words are the title and the description.
func (t *Timeline) Words() (title, description string) { return t.Title, t.Description }

func (t *Timeline) size() (width, height vg.Length) {
	_, phases := t.labels(t.phaseBands(), vg.Length(t.Width))
	_, bands := t.labels(t.Bands, vg.Length(t.Width))
	return vg.Length(t.Width), vg.Length((phases+bands)*labelHeight + len(t.Panels)*(panelHeight+titleHeight) + axisHeight + 6)
}

// hover are the stretches as SVG: each is as high as the picture, and unseen until it
// is pointed at.
func (t *Timeline) hover() string {
	if len(t.Stretches) == 0 {
		return ""
	}
	width, height := t.size()
	left, room := t.margin(), width-t.margin()-rightMargin
	var b strings.Builder
	b.WriteString(`<g class="hover">`)
	for _, s := range t.Stretches {
		from, to := left+t.share(s.From)*room, left+t.share(s.To)*room
		fmt.Fprintf(&b, `<rect class="t%d" x="%.1f" y="0" width="%.1f" height="%.0f"><title>%s</title></rect>`,
			s.Index, float64(from), float64(max(to-from, 0.5)), float64(height), html.EscapeString(s.Text))
	}
	b.WriteString("</g>\n")
	return b.String()
}

func (t *Timeline) phaseBands() []Band {
	bands := make([]Band, len(t.Phases))
	for i, p := range t.Phases {
		bands[i] = Band{From: p.At, To: p.At, Name: p.Name}
	}
	return bands
}

// placed is a label with the row that it has a place in; -1: none has.
type placed struct {
	row  int
	x    vg.Length // of its left end, from that of the data
	text string    // the name, cut to maxLabel
}

// labels puts names into as few rows as keep them from running into each
// other, and says how many rows that takes. The width is that of the picture.
func (t *Timeline) labels(bands []Band, width vg.Length) ([]placed, int) {
	style, room := label(ink), width-t.margin()-rightMargin
	var ends [maxRows]vg.Length
	all, rows := make([]placed, len(bands)), 0
	for i, b := range bands {
		text := fit(style, b.Name, maxLabel)
		wide := style.Width(text)
		at := max(0, min(t.share(b.From)*room+3, room-wide))
		all[i] = placed{row: -1, x: at, text: text}
		for row := range ends {
			if ends[row] <= at {
				ends[row], all[i].row = at+wide+labelGap, row
				rows = max(rows, row+1)
				break
			}
		}
	}
	return all, rows
}

// share is how far along the axis a moment is, from 0 to 1.
func (t *Timeline) share(at float64) vg.Length {
	if t.End <= t.Start {
		return 0
	}
	return vg.Length(max(0, min(1, (at-t.Start)/(t.End-t.Start))))
}

const rightMargin = 14

// margin is the room for the labels of the panels' axes.
func (t *Timeline) margin() vg.Length {
	var widest vg.Length
	style := label(dim)
	for _, p := range t.Panels {
		for _, tick := range p.Ticks {
			widest = max(widest, style.Width(tick.Label))
		}
	}
	return widest + 10
}

func (t *Timeline) draw(c draw.Canvas) error {
	if len(t.Panels) == 0 || t.End <= t.Start {
		return errEmpty
	}
	width := c.Max.X - c.Min.X
	left := c.Min.X + t.margin()
	room := width - t.margin() - rightMargin
	x := func(at float64) vg.Length { return left + t.share(at)*room }
	bottom := c.Min.Y + axisHeight

	phases := t.phaseBands()
	phaseLabels, phaseRows := t.labels(phases, width)
	bandLabels, bandRows := t.labels(t.Bands, width)
	row := func(n int) vg.Length { return c.Max.Y - vg.Length((n+1)*labelHeight) }

	// From back to front: bands, phases, axes, lines, text.
	for i, b := range t.Bands {
		top := row(phaseRows + max(0, bandLabels[i].row))
		if b.To > b.From {
			c.FillPolygon(band, box(x(b.From), bottom, max(x(b.To), x(b.From)+1), top))
		}
		style := draw.LineStyle{Color: edge, Width: 1}
		c.StrokeLine2(style, x(b.From), bottom, x(b.From), top)
		if b.To > b.From && b.To < t.End {
			c.StrokeLine2(style, x(b.To), bottom, x(b.To), top)
		}
	}
	for i, p := range phases {
		c.StrokeLine2(draw.LineStyle{Color: dim, Width: 0.75, Dashes: []vg.Length{2, 3}}, x(p.From), bottom, x(p.From), row(max(0, phaseLabels[i].row)))
	}
	for i, p := range t.Panels {
		top := c.Max.Y - vg.Length((phaseRows+bandRows)*labelHeight+i*(panelHeight+titleHeight)+titleHeight)
		if err := t.panel(c, p, left, top, room, i == len(t.Panels)-1); err != nil {
			return err
		}
	}
	for _, l := range phaseLabels {
		if l.row >= 0 {
			c.FillText(label(ink), vg.Point{X: left + l.x, Y: row(l.row) + 3}, l.text)
		}
	}
	for _, l := range bandLabels {
		if l.row >= 0 {
			c.FillText(label(edge), vg.Point{X: left + l.x, Y: row(phaseRows+l.row) + 3}, l.text)
		}
	}
	return nil
}

// panel draws one panel whose data has its upper left corner at (left, top).
func (t *Timeline) panel(c draw.Canvas, p Panel, left, top, room vg.Length, last bool) error {
	data := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
		Min: vg.Point{X: left, Y: top - panelHeight}, Max: vg.Point{X: left + room, Y: top},
	}}
	grid := draw.LineStyle{Color: line, Width: 0.75}
	for _, tick := range p.Ticks {
		y := data.Y(tick.At / p.Max)
		c.StrokeLine2(grid, data.Min.X, y, data.Max.X, y)
		c.FillText(middle(right(label(dim))), vg.Point{X: data.Min.X - 5, Y: y}, tick.Label)
	}
	if last {
		for _, tick := range t.Ticks {
			at := data.X(float64(t.share(tick.At)))
			c.StrokeLine2(grid, at, data.Min.Y, at, data.Min.Y-4)
			style := centred(label(dim))
			if wide := style.Width(tick.Label); at+wide/2 > c.Max.X {
				style = right(style)
				at = c.Max.X
			}
			c.FillText(style, vg.Point{X: at, Y: data.Min.Y - axisHeight + 4}, tick.Label)
		}
	}
	scale := plot.New()
	scale.X.Min, scale.X.Max, scale.Y.Min, scale.Y.Max = t.Start, t.End, 0, p.Max
	for i, l := range p.Lines {
		for _, points := range t.steps(l) {
			stretch, err := plotter.NewLine(points)
			if err != nil {
				return fmt.Errorf("draw %s of %s: %w", l.Name, p.Name, err)
			}
			stretch.LineStyle = p.style(i)
			stretch.Plot(data, scale)
			// A stretch between gaps may be too short to be seen as a line.
			x, y := scale.Transforms(&data)
			if first, last := points[0], points[len(points)-1]; x(last.X)-x(first.X) < shortest && first.Y == last.Y {
				dot := draw.GlyphStyle{Color: stretch.Color, Radius: shortest / 2, Shape: draw.CircleGlyph{}}
				data.DrawGlyphNoClip(dot, vg.Point{X: (x(first.X) + x(last.X)) / 2, Y: y(first.Y)})
			}
		}
	}
	c.FillPolygon(paper, box(left+1, top+2, left+label(ink).Width(p.Name)+3, top+labelHeight)) // no mark runs through it
	c.FillText(label(ink), vg.Point{X: left + 1, Y: top + 5}, p.Name)
	t.legend(c, p, left, left+room, top)
	return nil
}

// steps are the stretches of a line without a gap, as steps.
func (t *Timeline) steps(l Line) []plotter.XYs {
	var all []plotter.XYs
	var points plotter.XYs
	flush := func() {
		if len(points) > 0 {
			all = append(all, points)
		}
		points = nil
	}
	for i, v := range l.Values {
		if math.IsNaN(v) {
			flush()
			continue
		}
		from := t.First + float64(i)*t.Step
		to := min(from+t.Step, t.End)
		if n := len(points); n > 1 && points[n-1].Y == v && points[n-2].Y == v {
			points[n-1].X = to // a level stretch needs its two ends only
			continue
		}
		points = append(points, plotter.XY{X: from, Y: v}, plotter.XY{X: to, Y: v})
	}
	flush()
	return all
}

// style tells the lines of a panel apart.
func (p *Panel) style(i int) draw.LineStyle {
	colours := series
	if p.Alarm {
		colours = alarms
	}
	return draw.LineStyle{Color: colours[i%len(colours)], Width: 1.75, Dashes: dashes[i%len(dashes)]}
}

// legend names the lines of a panel beside its title, from the right. Where one
// line alone is shown, the title says which.
func (t *Timeline) legend(c draw.Canvas, p Panel, left, end, top vg.Length) {
	if len(p.Lines) < 2 {
		return
	}
	const sample = 22
	style := label(ink)
	each := (end - left - style.Width(p.Name) - 20) / vg.Length(len(p.Lines))
	for i := len(p.Lines) - 1; i >= 0; i-- {
		name := fit(style, p.Lines[i].Name, each-sample-16)
		end -= style.Width(name)
		c.FillText(style, vg.Point{X: end, Y: top + 5}, name)
		c.StrokeLine2(p.style(i), end-4-sample, top+9, end-4, top+9)
		end -= sample + 16
	}
}

// box is a rectangle by two corners.
func box(x0, y0, x1, y1 vg.Length) []vg.Point {
	return []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
}
