package chart

import (
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Curve is a chance by what it hangs on, with the limits between which it lies, and
// values that are marked on the way.
type Curve struct {
	Title, Description string
	Width, Height      int // CSS pixels
	XName, YName       string
	Points             []CurvePoint // by X
	Marks              []CurveMark
	// XText is a value in words.
	XText func(x float64) string
}

// CurvePoint is a chance in [0, 1] with its limits.
type CurvePoint struct{ X, Y, Low, High float64 }

// CurveMark is a value with a name.
type CurveMark struct {
	X    float64
	Name string
}

// Words are the title and the description.
func (c *Curve) Words() (title, description string) { return c.Title, c.Description }

func (c *Curve) size() (width, height vg.Length) { return vg.Length(c.Width), vg.Length(c.Height) }

func (c *Curve) draw(canvas draw.Canvas) error {
	if len(c.Points) == 0 {
		return errEmpty
	}
	p := plot.New()
	p.BackgroundColor = nil
	p.Y.Min, p.Y.Max = 0, 1
	p.X.Min, p.X.Max = c.Points[0].X, c.Points[len(c.Points)-1].X
	if p.X.Min == p.X.Max {
		p.X.Max++
	}
	p.X.Label.Text, p.Y.Label.Text = c.XName, c.YName
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle, a.Tick.Label = centred(label(dim)), label(dim)
		a.LineStyle.Color, a.Tick.LineStyle.Color = line, line
	}
	p.X.Tick.Label, p.Y.Tick.Label = centred(label(dim)), right(label(dim))
	p.X.Tick.Marker = plot.TickerFunc(func(low, high float64) []plot.Tick {
		var ticks []plot.Tick
		const n = 6
		for i := range n {
			x := low + (high-low)*float64(i)/(n-1)
			ticks = append(ticks, plot.Tick{Value: x, Label: c.XText(x)})
		}
		return ticks
	})
	p.Y.Tick.Marker = plot.TickerFunc(func(_, _ float64) []plot.Tick {
		var ticks []plot.Tick
		for i := range 5 {
			ticks = append(ticks, plot.Tick{Value: float64(i) / 4, Label: fmt.Sprintf("%d %%", 25*i)})
		}
		return ticks
	})
	limits := make(plotter.XYs, 0, 2*len(c.Points))
	middle := make(plotter.XYs, len(c.Points))
	for i, at := range c.Points {
		middle[i] = plotter.XY{X: at.X, Y: at.Y}
		limits = append(limits, plotter.XY{X: at.X, Y: at.High})
	}
	for i := range c.Points {
		at := c.Points[len(c.Points)-1-i]
		limits = append(limits, plotter.XY{X: at.X, Y: at.Low})
	}
	area, err := plotter.NewPolygon(limits)
	if err != nil {
		return fmt.Errorf("draw limits: %w", err)
	}
	area.Color, area.LineStyle.Width = band, 0
	curve, err := plotter.NewLine(middle)
	if err != nil {
		return fmt.Errorf("draw curve: %w", err)
	}
	curve.LineStyle = draw.LineStyle{Color: red, Width: 1.5}
	p.Add(area, curve)
	for i, m := range c.Marks {
		mark, err := plotter.NewLine(plotter.XYs{{X: m.X, Y: 0}, {X: m.X, Y: 1}})
		if err != nil {
			return fmt.Errorf("draw mark: %w", err)
		}
		mark.LineStyle = draw.LineStyle{Color: series[i%len(series)], Width: 1, Dashes: dashes[(i+1)%len(dashes)]}
		p.Add(mark)
	}
	const legend = 1.5 * fontSize
	head := vg.Length(len(c.Marks)+1) * legend
	for i, m := range c.Marks {
		y := canvas.Max.Y - vg.Length(i+1)*legend
		canvas.StrokeLine2(draw.LineStyle{Color: series[i%len(series)], Width: 1, Dashes: dashes[(i+1)%len(dashes)]}, canvas.Min.X, y+fontSize/3, canvas.Min.X+24, y+fontSize/3)
		canvas.FillText(label(ink), vg.Point{X: canvas.Min.X + 30, Y: y}, m.Name)
	}
	p.Draw(draw.Crop(canvas, 0, 0, 0, -head))
	return nil
}
