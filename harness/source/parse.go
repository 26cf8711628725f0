package source

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a file. A page of a hundred consumers has some 500 lines: these
// only keep a wrong file from taking time or memory (the parser's time grows
// with the square of the entries of a mapping, its stack with the nesting).
const (
	MaxBytes  = 1 << 20
	MaxLines  = 20_000
	maxTokens = 50_000
	maxDepth  = 64
	maxNodes  = 100_000 // aliases counted as often as they are used
)

// Read reads a file of a file system, at most MaxBytes of it, and parses it.
// Problems name the file as shown.
func Read(fsys fs.FS, name, shown string) (*Node, error) {
	data, err := readAll(fsys, name, shown)
	if err != nil {
		return nil, err
	}
	return Parse(shown, data)
}

// ReadForeign is Read of a file in somebody else's format: see ParseForeign.
func ReadForeign(fsys fs.FS, name, shown string) (*Node, error) {
	data, err := readAll(fsys, name, shown)
	if err != nil {
		return nil, err
	}
	return ParseForeign(shown, data)
}

func readAll(fsys fs.FS, name, shown string) ([]byte, error) {
	fail := func(err error) error {
		message := "read: " + err.Error()
		if why, ok := errors.AsType[unread](err); ok {
			message = string(why)
		} else if pe, ok := errors.AsType[*fs.PathError](err); ok {
			message = "read: " + pe.Err.Error() // the path is said already
		}
		return Problem{Position: Position{File: shown}, Message: message, Err: err}
	}
	data, err := ReadIn(fsys, name, MaxBytes)
	if err != nil {
		return nil, fail(err)
	}
	return data, nil
}

func describe(mode fs.FileMode) string {
	if mode.IsDir() {
		return "a directory"
	}
	return "a device or pipe"
}

// ErrSeveral is in the chain of the error where a file has more than one document, as
// manifests of Kubernetes have; the first of them is returned beside it.
var ErrSeveral = errors.New("it has more than one document")

// Parse parses one YAML document. The error is a Problem.
func Parse(file string, data []byte) (*Node, error) { return parseDocument(file, data, false) }

// ParseForeign parses one YAML document of somebody else's format, such as a
// compose file, within the same limits: tags are passed over, and merge keys merge.
func ParseForeign(file string, data []byte) (*Node, error) { return parseDocument(file, data, true) }

func parseDocument(file string, data []byte, foreign bool) (*Node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // the byte order mark of some editors
	if p, bad := unreadable(data); bad {
		p.File = file
		return nil, p
	}
	tokens := lexer.Tokenize(string(data))
	if p, bad := unparsable(tokens); bad {
		p.File = file
		return nil, p
	}
	parsed, err := parse(tokens)
	if err != nil {
		return nil, syntaxProblem(file, err)
	}
	parsed.Docs = slices.DeleteFunc(parsed.Docs, func(d *ast.DocumentNode) bool {
		_, directive := d.Body.(*ast.DirectiveNode) // %YAML 1.2, which says something of the document behind it
		return directive
	})
	c := converter{file: file, foreign: foreign, anchors: map[string]*Node{}}
	if len(parsed.Docs) > 1 {
		second := Problem{Position: Position{File: file}, Message: "there is a second document", Hint: "one file is one document", Err: ErrSeveral}
		if start := parsed.Docs[1].Start; start != nil {
			second.Line, second.Column = start.Position.Line, start.Position.Column
		}
		if parsed.Docs[0].Body == nil {
			return nil, second
		}
		first, err := c.node(parsed.Docs[0].Body)
		if err != nil {
			return nil, err
		}
		return first, second
	}
	if len(parsed.Docs) == 0 || parsed.Docs[0].Body == nil {
		return nil, Problem{Position: Position{File: file, Line: 1, Column: 1}, Message: "the file is empty"}
	}
	return c.node(parsed.Docs[0].Body)
}

// unreadable finds what makes bytes no text to be parsed.
func unreadable(data []byte) (Problem, bool) {
	at := func(i int) Position {
		before := data[:i]
		return Position{
			Line:   1 + bytes.Count(before, []byte("\n")),
			Column: 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]),
		}
	}
	if len(data) > MaxBytes {
		return Problem{Message: fmt.Sprintf("the file is larger than %d KiB", MaxBytes>>10)}, true
	}
	if lines := bytes.Count(data, []byte("\n")); lines > MaxLines {
		return Problem{Message: fmt.Sprintf("the file has %d lines, the most is %d", lines, MaxLines)}, true
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return Problem{Position: at(i), Message: "a binary file: it has a NUL byte"}, true
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return Problem{Position: at(i), Message: "a binary file: it is not valid UTF-8"}, true
		}
		i += size
	}
	return Problem{}, false
}

// unparsable finds what would take the parser too long or too deep.
func unparsable(tokens token.Tokens) (Problem, bool) {
	if len(tokens) > maxTokens {
		return Problem{Message: fmt.Sprintf("the file has more than %d words and signs", maxTokens)}, true
	}
	flow, line, onLine, column := 0, 0, 0, []int{}
	for _, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		}
		if t.Position.Line != line {
			line, onLine = t.Position.Line, 0
			for len(column) > 0 && column[len(column)-1] >= t.Position.Column {
				column = column[:len(column)-1]
			}
			column = append(column, t.Position.Column)
		}
		switch t.Type {
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			onLine++
		}
		if flow+onLine > maxDepth || len(column) > maxDepth {
			return Problem{
				Position: Position{Line: t.Position.Line, Column: t.Position.Column},
				Message:  fmt.Sprintf("nested deeper than %d levels", maxDepth),
			}, true
		}
	}
	return Problem{}, false
}

// parse turns a panic of the parser, which malformed files have caused, into
// an error: a file must never end the program.
func parse(tokens token.Tokens) (f *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the YAML parser failed: %v", r)
		}
	}()
	return parser.Parse(tokens, 0)
}

func syntaxProblem(file string, err error) Problem {
	p := Problem{Position: Position{File: file}, Message: err.Error(), Err: err}
	if ye, ok := errors.AsType[yaml.Error](err); ok {
		p.Message = strings.ReplaceAll(ye.GetMessage(), "\n", " ")
		if t := ye.GetToken(); t != nil && t.Position != nil {
			p.Line, p.Column = max(1, t.Position.Line), max(1, t.Position.Column)
		}
	}
	return p
}

// converter makes nodes of what the parser found.
type converter struct {
	file    string
	foreign bool
	anchors map[string]*Node
}

func (c *converter) position(n ast.Node) Position {
	p := Position{File: c.file, Line: 1, Column: 1}
	if t := n.GetToken(); t != nil && t.Position != nil {
		p.Line, p.Column = max(1, t.Position.Line), max(1, t.Position.Column)
	}
	return p
}

func (c *converter) problem(n ast.Node, message, hint string) Problem {
	return Problem{Position: c.position(n), Message: message, Hint: hint}
}

func (c *converter) node(n ast.Node) (*Node, error) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return c.mapping(n, n.Values)
	case *ast.MappingValueNode:
		return c.mapping(n, []*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		return c.sequence(n)
	case *ast.AnchorNode:
		value, err := c.node(n.Value)
		if err != nil {
			return nil, err
		}
		c.anchors[n.Name.GetToken().Value] = value
		return value, nil
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		if value, ok := c.anchors[name]; ok {
			return value, nil
		}
		return nil, c.problem(n, fmt.Sprintf("no anchor &%s before this", shorten(name)), "")
	case *ast.LiteralNode:
		return &Node{Position: c.position(n), Value: n.Value.Value, Text: n.Value.Value, size: 1}, nil
	case *ast.TagNode:
		switch {
		case c.foreign && n.Value != nil:
			return c.node(n.Value)
		case c.foreign:
			return &Node{Position: c.position(n), size: 1}, nil
		}
		return nil, c.problem(n, "a tag has no meaning here", "leave it out; put text in quotes")
	case ast.ScalarNode:
		return &Node{Position: c.position(n), Value: n.GetValue(), Text: n.GetToken().Value, size: 1}, nil
	case nil:
		return nil, Problem{Position: Position{File: c.file}, Message: "a value is missing"}
	}
	return nil, c.problem(n, "cannot be read as a value", "")
}

func (c *converter) mapping(n ast.Node, values []*ast.MappingValueNode) (*Node, error) {
	m := &Node{Position: c.position(n), Kind: Mapping, size: 1}
	for i, v := range values {
		f := Field{Position: c.position(v.Key)}
		switch key := v.Key.(type) {
		case *ast.StringNode:
			f.Key = key.Value
		case *ast.MergeKeyNode:
			if c.foreign {
				if err := c.merge(m, v.Value); err != nil {
					return nil, err
				}
				continue
			}
			return nil, c.problem(key, "the merge key << has no meaning here", "a scenario can say extends")
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
			f.Key = v.Key.GetToken().Value
		default:
			return nil, c.problem(v.Key, "a key must be plain text", "")
		}
		if i == 0 && f.Line > 0 && m.Line == f.Line && m.Column > f.Column {
			m.Position = f.Position // the parser's is that of the first colon
		}
		var err error
		if f.Value, err = c.node(v.Value); err != nil {
			return nil, err
		}
		m.Fields = append(m.Fields, f)
		if err := c.grow(m, f.Value); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// merge adds the entries of the mappings that a merge key names, as they stand:
// whoever wants what they come to takes the last of each key.
func (c *converter) merge(m *Node, of ast.Node) error {
	from, err := c.node(of)
	if err != nil {
		return err
	}
	for _, n := range append([]*Node{from}, from.Items...) {
		m.Fields = append(m.Fields, n.Fields...)
		if err := c.grow(m, n); err != nil {
			return err
		}
	}
	return nil
}

func (c *converter) sequence(n *ast.SequenceNode) (*Node, error) {
	s := &Node{Position: c.position(n), Kind: Sequence, size: 1}
	for _, v := range n.Values {
		item, err := c.node(v)
		if err != nil {
			return nil, err
		}
		s.Items = append(s.Items, item)
		if err := c.grow(s, item); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// grow counts what was put into a node, so that aliases of aliases of aliases
// do not become more than anyone can read.
func (c *converter) grow(n, child *Node) error {
	if n.size += child.size; n.size > maxNodes {
		return Problem{Position: n.Position, Message: fmt.Sprintf("more than %d values, counting aliases as often as they are used", maxNodes)}
	}
	return nil
}
