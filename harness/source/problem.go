// Package source reads the files that people write: YAML of which every value
// keeps its position, also through merging, decoded strictly, with all
// problems told at once.
package source

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/plaintext"
)

// Position is a place in a file. Line and Column count from 1, columns in
// characters; a Line of 0 means the file as a whole.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String is "file:line:column", or "file" alone.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Problem is one thing wrong with a file.
type Problem struct {
	Position
	// Path is the value's place in its document: services.checkout.library,
	// consumers[1].name. It is empty for the document as a whole.
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`        // what is wrong
	Hint    string `json:"hint,omitempty"` // what to write instead
	// Err is the error behind the problem, such as fs.ErrNotExist; mostly nil.
	Err error `json:"-"`

	unknownKey bool // Path is that of the mapping, whose values are sound
}

// Error is "file:line:column: path: message (hint)".
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Position.String())
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path)
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		fmt.Fprintf(&b, " (%s)", p.Hint)
	}
	return plaintext.Line(b.String()) // parts of it are the file's own words
}

// Unwrap is the error behind the problem.
func (p Problem) Unwrap() error { return p.Err }

// Problems are all that is wrong with some files. As an error it has one line
// for each.
type Problems []Problem

// shownProblems bounds the text of an error: who has more than these to mend
// mends the first ones first.
const shownProblems = 50

// Error is one line per problem.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps {
		if i > 0 {
			b.WriteByte('\n')
		}
		if i == shownProblems {
			fmt.Fprintf(&b, "and %d more", len(ps)-i)
			break
		}
		b.WriteString(p.Error())
	}
	return b.String()
}

// Unwrap makes errors.Is and errors.As look at every problem.
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// Err is the problems as an error, by file, line and column and without
// repetitions; nil where there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(sorted, func(a, b Problem) bool {
		return a.Position == b.Position && a.Path == b.Path && a.Message == b.Message
	})
}

// AsProblems finds the problems in the chain of an error. An error that has
// none becomes a problem of the file as a whole.
func AsProblems(file string, err error) Problems {
	if err == nil {
		return nil
	}
	if ps, ok := errors.AsType[Problems](err); ok {
		return ps
	}
	if p, ok := errors.AsType[Problem](err); ok {
		return Problems{p}
	}
	return Problems{{Position: Position{File: file}, Message: err.Error(), Err: err}}
}

// Invalid is the error of a value's UnmarshalText that has something to say on
// what to write instead.
type Invalid struct {
	Message string
	Hint    string
}

// Error is "message (hint)".
func (e *Invalid) Error() string {
	if e.Hint == "" {
		return e.Message
	}
	return fmt.Sprintf("%s (%s)", e.Message, e.Hint)
}
