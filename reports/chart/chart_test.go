package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func timeline() *Timeline {
	values := make([]float64, 40)
	shares := make([]float64, 40)
	for i := range values {
		switch {
		case i > 18 && i < 23:
			values[i], shares[i] = math.NaN(), math.NaN()
		case i > 10 && i < 16:
			values[i], shares[i] = 0.5-float64(i-10)/20, float64(i-10)/6
		case i >= 16:
			shares[i] = 1
		}
	}
	old := make([]float64, len(shares))
	for i, v := range shares {
		old[i] = 1 - v
	}
	return &Timeline{
		Title: "Over <time>", Description: "1,204 auth failures & a description.", Width: 640, Start: 0, End: 80, First: 0, Step: 2,
		Ticks:  []Tick{{0, "0s"}, {30, "30m"}, {60, "1h"}, {80, "1h20m"}},
		Phases: []Mark{{0, "baseline"}, {20, "accept"}, {20.5, "verify"}, {21, "emit"}, {21.5, "overlap"}, {60, "revoke"}, {61, "watch"}, {79, "rollback"}},
		Bands:  []Band{{10, 14, "partition checkout → auth"}, {40, 40, "asked to roll back"}, {78, 80, "kill search"}},
		Panels: []Panel{
			{"Auth failures of first attempts", 0.5, []Tick{{0, "0 %"}, {0.25, "25 %"}, {0.5, "50 %"}}, []Line{{"web → search", values}}, true},
			{"Share of each credential", 1, []Tick{{0, "0 %"}, {1, "100 %"}}, []Line{{"k1", old}, {"k2", shares}}, false},
		},
	}
}

func bars() *Comparison {
	row := func(name string, before, after float64) Row {
		text := func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
		return Row{Name: name, Before: []Value{{before, text(before)}, {3.46, "3.46 ms"}}, After: []Value{{after, text(after)}, {0, "–"}}}
	}
	return &Comparison{
		Title: "Before and after", Description: "Worse.", Width: 640, Before: "before", After: "after",
		Measures: []string{"Auth failures", "p99"},
		Rows: []Row{row("web → search", 0, 0.13), row("a client with a long name → a service with a longer one", 0.01, 0.02),
			row("web → checkout", 0, 0)},
	}
}

func TestSVG(t *testing.T) {
	for name, c := range map[string]Chart{"timeline.svg": timeline(), "comparison.svg": bars()} {
		t.Run(name, func(t *testing.T) {
			got, err := SVG(c, "c1")
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v (write it with -update)", err)
			}
			if got != string(want) {
				t.Errorf("%s differs from its golden file\ngot:\n%s", name, got)
			}
		})
	}
}

// A page takes the element as it stands: it must be well formed, named, of the
// page's colours and fonts, and without anything that could be loaded.
func TestSVGFitsIntoAPage(t *testing.T) {
	for name, c := range map[string]Chart{"timeline": timeline(), "comparison": bars()} {
		t.Run(name, func(t *testing.T) {
			got, err := SVG(c, "c1")
			if err != nil {
				t.Fatal(err)
			}
			d := xml.NewDecoder(strings.NewReader(got))
			for {
				token, err := d.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("is not well formed: %v", err)
				}
				e, start := token.(xml.StartElement)
				if !start {
					continue
				}
				switch e.Name.Local {
				case "svg", "title", "desc", "g", "path", "text":
				default:
					t.Errorf("has a <%s>, want drawing only", e.Name.Local)
				}
			}
			title, description := c.Words()
			for _, want := range []string{`role="img"`, `aria-labelledby="c1-title c1-desc"`, `<title id="c1-title">` + escaped(title), escaped(description)} {
				if !strings.Contains(got, want) {
					t.Errorf("is without %q", want)
				}
			}
			for _, bad := range []string{"font-family", "width=\"", "http", "<?xml"} {
				if strings.Contains(got, bad) {
					t.Errorf("has %q, which the page decides or must not have", bad)
				}
			}
			for _, c := range regexp.MustCompile(`(fill|stroke):(#\w+)`).FindAllString(got, -1) {
				t.Errorf("has the colour %s, which follows no setting of the reader's", c)
			}
		})
	}
}

func escaped(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return err.Error()
	}
	return b.String()
}

func TestPaletteNamesEachColourOnce(t *testing.T) {
	seen := map[string]bool{}
	for hex, name := range Palette {
		if seen[name] {
			t.Errorf("%s names two colours, one of them %s", name, hex)
		}
		seen[name] = true
	}
}

func TestAccessibleWantsAnSVGElement(t *testing.T) {
	for _, text := range []string{"", "<svg", `<svg width="1">`, `<g viewBox="0 0 1 1">`} {
		if _, err := accessible(bytes.NewBufferString(text), "id", "", ""); err == nil {
			t.Errorf("of %q: got no error, want one", text)
		}
	}
}

func TestNothingToDraw(t *testing.T) {
	for name, c := range map[string]Chart{
		"no panels": &Timeline{Width: 100, End: 1}, "no time": &Timeline{Width: 100, Panels: timeline().Panels}, "no rows": &Comparison{Width: 100, Measures: []string{"x"}},
	} {
		if _, err := SVG(c, "c"); !errors.Is(err, errEmpty) {
			t.Errorf("%s: got error %v, want errEmpty", name, err)
		}
		if err := WritePNG(io.Discard, c, ""); !errors.Is(err, errEmpty) {
			t.Errorf("%s as PNG: got error %v, want errEmpty", name, err)
		}
	}
}

// Pictures are compared as pictures: the last bit of a float may differ between
// processors, and of a pixel at an edge with it.
func TestWritePNG(t *testing.T) {
	small, other, less := timeline(), bars(), timeline()
	small.Width, other.Width, less.Width = 320, 320, 320
	less.Bands = less.Bands[1:]
	for name, c := range map[string]Chart{"timeline.png": small, "comparison.png": other} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := WritePNG(&b, c, "Fail: a run"); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v (write it with -update)", err)
			}
			got, want := decode(t, b.Bytes()), decode(t, file)
			if got.Bounds() != want.Bounds() {
				t.Fatalf("size: got %s, want %s", got.Bounds(), want.Bounds())
			}
			if width := got.Bounds().Dx(); width != 2*(320+2*frame) {
				t.Errorf("got %d pixels of width, want twice the width of the chart in its frame", width)
			}
			if n := differing(got, want); n > got.Bounds().Dx()*got.Bounds().Dy()/2000 {
				t.Errorf("%d pixels differ from the golden file", n)
			}
		})
	}
	if a, b := picture(t, small), picture(t, less); a.Bounds() == b.Bounds() && differing(a, b) == 0 {
		t.Error("a chart without one of its bands looks the same: this comparison sees nothing")
	}
}

func picture(t *testing.T, c Chart) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := WritePNG(&b, c, "Fail: a run"); err != nil {
		t.Fatal(err)
	}
	return decode(t, b.Bytes())
}

func decode(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// differing counts the pixels that are not nearly the same.
func differing(a, b image.Image) int {
	n := 0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			r0, g0, b0, _ := a.At(x, y).RGBA()
			r1, g1, b1, _ := b.At(x, y).RGBA()
			if far(r0, r1) || far(g0, g1) || far(b0, b1) {
				n++
			}
		}
	}
	return n
}

func far(a, b uint32) bool { return max(a, b)-min(a, b) > 0x2000 }

func TestWriteErrorsAreTold(t *testing.T) {
	if err := WritePNG(failing{}, bars(), ""); !errors.Is(err, errGone) {
		t.Errorf("got error %v, want that of the writer", err)
	}
}

var errGone = errors.New("gone")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errGone }
