package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a Node is.
type Kind int

// The kinds of nodes.
const (
	Scalar Kind = iota
	Mapping
	Sequence
)

// Node is a value of a document with its position. Nodes are not changed once
// they are made; an alias and a merged document share them.
type Node struct {
	Position
	Kind Kind
	// Value is that of a scalar: nil, bool, int64, uint64, float64 or string;
	// Text is how it is written.
	Value any
	Text  string

	Fields []Field // of a mapping, in the file's order
	Items  []*Node // of a sequence

	size int // nodes below and including this one, aliases counted each time
}

// Field is one entry of a mapping, at the position of its key.
type Field struct {
	Position
	Key   string
	Value *Node
}

// IsNull reports whether a node is null or not there.
func (n *Node) IsNull() bool { return n == nil || n.Kind == Scalar && n.Value == nil }

// Field finds an entry of a mapping.
func (n *Node) Field(key string) (Field, bool) {
	if n != nil {
		for _, f := range n.Fields {
			if f.Key == key {
				return f, true
			}
		}
	}
	return Field{}, false
}

// Without is a mapping without an entry.
func (n *Node) Without(key string) *Node {
	c := *n
	c.Fields = slices.DeleteFunc(slices.Clone(n.Fields), func(f Field) bool { return f.Key == key })
	return &c
}

// At finds the node at a path such as services.checkout.library or
// consumers[1].name. Where the path leads nowhere, found is false and the node
// is the last one on the way that is there.
func (n *Node) At(path string) (node *Node, found bool) {
	node = n
	for path != "" && node != nil {
		var next *Node
		if rest, ok := strings.CutPrefix(path, "["); ok {
			index, after, _ := strings.Cut(rest, "]")
			if i, err := strconv.Atoi(index); err == nil && i >= 0 && i < len(node.Items) {
				next = node.Items[i]
			}
			path = strings.TrimPrefix(after, ".")
		} else {
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			if f, ok := node.Field(path[:end]); ok {
				next = f.Value
			}
			path = strings.TrimPrefix(path[end:], ".")
		}
		if next == nil {
			return node, false
		}
		node = next
	}
	return node, node != nil
}

// Interface is the node as encoding/json has it: map[string]any, []any and scalars.
func (n *Node) Interface() any {
	switch n.Kind {
	case Mapping:
		m := make(map[string]any, len(n.Fields))
		for _, f := range n.Fields {
			m[f.Key] = f.Value.Interface()
		}
		return m
	case Sequence:
		s := make([]any, len(n.Items))
		for i, item := range n.Items {
			s[i] = item.Interface()
		}
		return s
	}
	if f, ok := n.Value.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return n.Text // which JSON has no number for
	}
	return n.Value
}

// Digest is the SHA-256 of the node as JSON with sorted keys and no spaces, in
// hex: the same for the same content, however it is laid out or merged.
func (n *Node) Digest() (string, error) {
	data, err := json.Marshal(n.Interface())
	if err != nil {
		return "", fmt.Errorf("encode document of %s: %w", n.File, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// what names a node's type for a message.
func (n *Node) what() string {
	switch n.Kind {
	case Mapping:
		return "a mapping"
	case Sequence:
		return "a list"
	}
	switch n.Value.(type) {
	case nil:
		return "nothing"
	case bool:
		return "the boolean " + n.Text
	case string:
		return "the text " + strconv.Quote(shorten(n.Text))
	}
	return "the number " + shorten(n.Text)
}

// shorten keeps a message to one line that can be read.
func shorten(s string) string {
	const longest = 60
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return s
}
