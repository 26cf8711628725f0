package chart

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
)

var (
	colours = regexp.MustCompile(`#[0-9A-F]{6}\b`)
	// fonts are the parts of a text's style that the page decides.
	fonts = regexp.MustCompile(`font-family:[^;"]*;font-variant:[^;"]*;font-weight:[^;"]*;font-style:[^;"]*;`)
)

// accessible turns what the drawing library writes, a document for viewers of
// SVG files, into an element for a page: it has a name and a description for
// screen readers, takes the page's font and colours, and scales with its place.
func accessible(document io.WriterTo, id, title, description string) (string, error) {
	var b bytes.Buffer
	if _, err := document.WriteTo(&b); err != nil {
		return "", err
	}
	_, rest, found := strings.Cut(b.String(), "<svg ")
	start, rest, closed := strings.Cut(rest, ">")
	_, viewBox, boxed := strings.Cut(start, `viewBox="`)
	viewBox, _, ended := strings.Cut(viewBox, `"`)
	if !found || !closed || !boxed || !ended {
		return "", fmt.Errorf("the drawing library wrote no SVG element: %.80q", b.String())
	}
	rest = fonts.ReplaceAllString(rest, "")
	rest = colours.ReplaceAllStringFunc(rest, func(hex string) string {
		if name, known := Palette[hex]; known {
			return "var(" + name + "," + hex + ")"
		}
		return hex
	})
	rest = strings.ReplaceAll(rest, "\n\tstyle=", " style=")
	return fmt.Sprintf(`<svg viewBox="%s" role="img" aria-labelledby="%s-title %s-desc"><title id="%s-title">%s</title><desc id="%s-desc">%s</desc>`,
		viewBox, id, id, id, html.EscapeString(title), id, html.EscapeString(description)) + "\n" + strings.TrimSpace(rest), nil
}
