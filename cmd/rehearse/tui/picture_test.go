package tui

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// cell sizes of the picture, in the units of its view box.
const (
	cellWidth  = 8.4
	lineHeight = 18.0
	inset      = 14.0
)

// sgr matches one sequence that sets how what follows is drawn (ECMA-48 §8.3.117).
var sgr = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// looks are the classes of the picture's style sheet for the parameters of SGR
// that the screen uses.
var looks = map[string]string{"1": "b", "2": "d", "7": "i", "31": "r", "32": "g", "33": "y", "36": "c"}

// picture draws a screen with its colours as an SVG that follows the reader's
// choice of light or dark.
func picture(screen string) string {
	lines := strings.Split(strings.TrimRight(screen, "\n"), "\n")
	for i := len(lines) - 2; i > 0; i-- { // empty lines in a row say nothing on paper
		if blank(lines[i]) && blank(lines[i-1]) {
			lines = append(lines[:i], lines[i+1:]...)
		}
	}
	var body strings.Builder
	columns := 0
	for i, line := range lines {
		y := inset + lineHeight*(float64(i)+0.75)
		class, column := "", 0
		emit := func(text string) {
			if strings.TrimSpace(text) != "" {
				x, n := inset+cellWidth*float64(column), utf8.RuneCountInString(text)
				if strings.Contains(" "+class+" ", " i ") {
					fmt.Fprintf(&body, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n",
						strings.ReplaceAll(class, "i", "bar"), x, y-lineHeight*0.75, cellWidth*float64(n), lineHeight)
				}
				fmt.Fprintf(&body, `<text class="%s" x="%.1f" y="%.1f" textLength="%.1f" xml:space="preserve">%s</text>`+"\n",
					class, x, y, cellWidth*float64(n), html.EscapeString(text))
			}
			column += utf8.RuneCountInString(text)
		}
		last := 0
		for _, at := range sgr.FindAllStringSubmatchIndex(line, -1) {
			emit(line[last:at[0]])
			class, last = style(line[at[2]:at[3]]), at[1]
		}
		emit(line[last:])
		columns = max(columns, column)
	}
	width, height := 2*inset+cellWidth*float64(columns), 2*inset+lineHeight*float64(len(lines))
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img">
<title>A rehearsal on the screen of rehearse</title>
<style>
text{font:14px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;fill:#24292f}
.ground{fill:#f6f8fa}.b{font-weight:bold}.d{fill:#57606a}.r{fill:#b42318}.g{fill:#1a7f37}.y{fill:#8a6100}.c{fill:#0b6e8a}
.bar.r{fill:#b42318}.bar.g{fill:#1a7f37}.bar.y{fill:#8a6100}.bar{fill:#24292f}text.i{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ground{fill:#0d1117}.d{fill:#8b949e}.r{fill:#ff7b72}.g{fill:#56d364}.y{fill:#e3b341}.c{fill:#76d9e6}
.bar.r{fill:#ff7b72}.bar.g{fill:#56d364}.bar.y{fill:#e3b341}.bar{fill:#e6edf3}text.i{fill:#0d1117}}
</style>
<rect class="ground" width="100%%" height="100%%" rx="8"/>
%s</svg>
`, width, height, body.String())
}

// blank reports whether a line of a screen shows nothing.
func blank(line string) bool { return strings.TrimSpace(bare(line)) == "" }

// style is the classes for the parameters of one sequence; none or 0 resets.
func style(parameters string) string {
	var classes []string
	for _, p := range strings.Split(parameters, ";") {
		if class, ok := looks[p]; ok {
			classes = append(classes, class)
		}
	}
	return strings.Join(classes, " ")
}

// TestPicture keeps the picture of the README equal to the screen that it shows.
func TestPicture(t *testing.T) {
	screen, err := os.ReadFile(filepath.Join("testdata", "refused-120x40.ansi"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "screen.svg", picture(string(screen)))
}

// TestPictureKnowsEveryLook fails where the screen is drawn in a way for which
// the picture has no class.
func TestPictureKnowsEveryLook(t *testing.T) {
	screen, err := os.ReadFile(filepath.Join("testdata", "refused-120x40.ansi"))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range sgr.FindAllStringSubmatch(string(screen), -1) {
		for _, p := range strings.Split(found[1], ";") {
			if _, ok := looks[p]; !ok && p != "" && p != "0" {
				t.Errorf("the screen uses SGR %s; give the picture a class for it", p)
			}
		}
	}
}
