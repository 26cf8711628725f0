package reports

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestWriteHTML(t *testing.T) {
	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".html", func(w io.Writer) error { return withoutStyle(w, m) })
		})
	}
}

// withoutStyle writes a report without its style sheet, which is report.css to the letter:
// a golden file changes with what it says, and not with how it looks.
func withoutStyle(w io.Writer, m *Model) error {
	var page bytes.Buffer
	if err := WriteHTML(&page, m); err != nil {
		return err
	}
	if !bytes.Contains(page.Bytes(), []byte(htmlStyle)) {
		return errors.New("the style sheet is not in the report as it stands in report.css")
	}
	_, err := w.Write(bytes.Replace(page.Bytes(), []byte(htmlStyle), []byte("/* report.css */\n"), 1))
	return err
}

// elements parses a report as a browser does and hands every element to f.
func elements(t *testing.T, m *Model, f func(*html.Node)) {
	t.Helper()
	var b bytes.Buffer
	if err := WriteHTML(&b, m); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			f(n)
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestHTMLNeedsNothingBesideIt(t *testing.T) {
	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			m.Why = `<script src="http://evil/x.js"></script><img src=//evil onerror=alert(1)>`
			m.Scenario = `"><a href="javascript:alert(1)">`
			elements(t, m, func(n *html.Node) {
				switch n.Data {
				case "script", "iframe", "img", "object", "embed", "form":
					t.Errorf("report has a <%s>, want none", n.Data)
				}
				for _, a := range n.Attr {
					value := strings.ToLower(a.Val)
					if strings.HasPrefix(a.Key, "on") || strings.Contains(value, "//") || strings.Contains(value, "javascript:") {
						t.Errorf("<%s %s=%q> acts or loads something, want neither", n.Data, a.Key, a.Val)
					}
				}
				if n.Data == "style" && (strings.Contains(n.FirstChild.Data, "url(") || strings.Contains(n.FirstChild.Data, "@import")) {
					t.Error("the style loads something, want it self-contained")
				}
			})
		})
	}
}

// What a keyboard and a screen reader need.
func TestHTMLIsReadableByMachines(t *testing.T) {
	for name, m := range models() {
		t.Run(name, func(t *testing.T) {
			ids := map[string]bool{}
			var refs []string
			level, first := 0, 0
			elements(t, m, func(n *html.Node) {
				if id := attribute(n, "id"); id != "" {
					if ids[id] {
						t.Errorf("id %q is used twice", id)
					}
					ids[id] = true
				}
				refs = append(refs, strings.Fields(attribute(n, "aria-labelledby"))...)
				if target, local := strings.CutPrefix(attribute(n, "href"), "#"); local {
					refs = append(refs, target)
				}
				switch n.Data {
				case "html":
					if attribute(n, "lang") == "" {
						t.Error("the page does not say its language")
					}
				case "h1", "h2", "h3", "h4":
					next := int(n.Data[1] - '0')
					if next > level+1 {
						t.Errorf("a heading of level %d follows one of level %d", next, level)
					}
					if level = next; next == 1 {
						first++
					}
				case "table":
					if attribute(n.Parent, "aria-label") == "" || attribute(n.Parent, "tabindex") != "0" {
						t.Error("a table has no name, or cannot be scrolled by keyboard")
					}
					if c := child(n, "caption"); c == nil || c.FirstChild == nil {
						t.Error("a table has no caption")
					}
				case "th":
					if attribute(n, "scope") == "" {
						t.Error("a <th> has no scope")
					}
				case "svg":
					if attribute(n, "role") != "img" || child(n, "title") == nil || child(n, "desc") == nil {
						t.Error("a chart is not named and described")
					}
				}
			})
			for _, ref := range refs {
				if !ids[ref] {
					t.Errorf("%q is referred to and not there", ref)
				}
			}
			if first != 1 {
				t.Errorf("got %d headings of the first level, want 1", first)
			}
		})
	}
}

func child(n *html.Node, name string) *html.Node {
	for c := range n.ChildNodes() {
		if c.Data == name {
			return c
		}
	}
	return nil
}

// Each chart over time has its figures beside it; those of the comparison are
// in the cards below it.
func TestHTMLTellsTheFiguresOfItsCharts(t *testing.T) {
	charts, tables := 0, 0
	elements(t, failModel(), func(n *html.Node) {
		if n.Data != "figure" {
			return
		}
		charts++
		for d := range n.Descendants() {
			if d.Type == html.ElementNode && d.Data == "table" {
				tables++
			}
		}
	})
	if charts != 4 || tables != 3 {
		t.Errorf("got %d charts and %d tables of their figures, want 4 and 3", charts, tables)
	}
}

func TestHTMLOpensWithTheAnswer(t *testing.T) {
	var b bytes.Buffer
	if err := WriteHTML(&b, failModel()); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(b.String(), "<body>")
	answer, fix := strings.Index(body, "did not stay flat"), strings.Index(body, "publish at least 15m30s")
	rest := strings.Index(body, "<table")
	if answer < 0 || fix < answer || rest < fix {
		t.Errorf("answer at %d, fix at %d, first table at %d; want them in this order", answer, fix, rest)
	}
}
