package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The colours on paper. In SVG each is a custom property with this colour as
// its default, so no two of them may be the same.
var (
	paper = rgb(0xfffffe)
	ink   = rgb(0x1b1f24)
	dim   = rgb(0x57606a)
	line  = rgb(0xd0d7de)
	band  = rgb(0xfff1cc)
	edge  = rgb(0x9a6700)

	blue, purple, green, brown, red = rgb(0x0550ae), rgb(0x6b2fb3), rgb(0x116329), rgb(0x953800), rgb(0xb3151b)

	// series tell lines apart, and alarms those that show what is bad; together
	// with dashes, none by colour alone.
	series = []color.Color{blue, purple, green, brown, red}
	alarms = []color.Color{red, brown, purple, blue, green}
	dashes = [][]vg.Length{nil, {6, 3}, {2, 2}, {10, 3, 2, 3}, {1, 3}}
)

// Palette names the custom property of each colour that an SVG uses, by the
// colour as the drawing library writes it.
var Palette = map[string]string{
	"#FFFFFE": "--chart-paper", "#1B1F24": "--chart-ink", "#57606A": "--chart-dim", "#D0D7DE": "--chart-line",
	"#FFF1CC": "--chart-band", "#9A6700": "--chart-edge",
	"#0550AE": "--chart-blue", "#6B2FB3": "--chart-purple", "#116329": "--chart-green", "#953800": "--chart-brown", "#B3151B": "--chart-red",
}

func rgb(hex uint32) color.Color {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xff}
}

const fontSize = 11

// label is the style of text; where it is anchored is by default its left
// end, on the line.
func label(c color.Color) draw.TextStyle {
	return draw.TextStyle{
		Color: c, Font: font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, fontSize),
		Handler: plot.DefaultTextHandler,
	}
}

// right and centred anchor a text elsewhere.
func right(s draw.TextStyle) draw.TextStyle   { s.XAlign = text.XRight; return s }
func centred(s draw.TextStyle) draw.TextStyle { s.XAlign = text.XCenter; return s }
func middle(s draw.TextStyle) draw.TextStyle  { s.YAlign = text.YCenter; return s }

// fit is text cut to a width, with an ellipsis where something is missing.
func fit(s draw.TextStyle, t string, width vg.Length) string {
	if s.Width(t) <= width {
		return t
	}
	runes := []rune(t)
	for len(runes) > 1 && s.Width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return string(runes) + "…"
}
