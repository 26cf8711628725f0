package source

import (
	"fmt"
	"slices"
	"strings"
)

// Checker collects what is wrong with a document whose values have been
// decoded, and knows where each of them is written. A value that could not be
// decoded is not reported again.
type Checker struct {
	document *Node
	problems Problems
	bad      map[string]bool // paths that could not be decoded
}

// NewChecker begins with the problems of decoding a document.
func NewChecker(document *Node, problems Problems) *Checker {
	c := &Checker{document: document, problems: problems, bad: map[string]bool{}}
	for _, p := range problems {
		if p.Path != "" && !p.unknownKey {
			c.bad[p.Path] = true
		}
	}
	return c
}

// Problems are all that were found so far.
func (c *Checker) Problems() Problems { return c.problems }

// Has reports whether the document says something at a path.
func (c *Checker) Has(path string) bool {
	n, found := c.document.At(path)
	return found && !n.IsNull()
}

// Report adds a problem of the value at a path: its message, and a hint on
// what to write instead or "".
func (c *Checker) Report(path, hint, format string, args ...any) {
	c.ReportAt(path, path, hint, format, args...)
}

// ReportAt is Report with the position of another value than the path's.
func (c *Checker) ReportAt(at, path, hint, format string, args ...any) {
	for p := path; p != ""; p = parent(p) {
		if c.bad[p] {
			return
		}
	}
	n, _ := c.document.At(at)
	c.problems = append(c.problems, Problem{Position: n.Position, Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// OneOf reports a value that is none of those allowed. An empty value passes:
// whether it may be missing is known when it is decoded.
func (c *Checker) OneOf(path, value string, allowed []string) bool {
	if value == "" {
		return false
	}
	if !slices.Contains(allowed, value) {
		c.Report(path, DidYouMean(value, allowed), "unknown value %q", shorten(value))
		return false
	}
	return true
}

// parent is the path of what holds the value at a path.
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}
