// Package schema makes the JSON Schema of a file format from the Go types that
// it is decoded into, so that an editor completes and checks what people write.
package schema

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// Format is what a schema needs to know beyond the types and their tags.
type Format struct {
	Title string
	// Patterns are regular expressions for types that are written as text.
	Patterns map[reflect.Type]string
	// Numbers are types that are written as numbers.
	Numbers []reflect.Type
	// Open allows keys that the schema does not have. A format that people write is
	// closed, so that a slip is found; what this program writes is open, so that a later
	// version can say more.
	Open bool
	// Values are those that a field can choose from, by "Type.key"; for a list
	// they are those of its items.
	Values map[string][]string
	// Sources have, at their tops, the Go files whose doc comments describe the
	// types and their fields.
	Sources []fs.FS
}

// Of is the schema (draft 2020-12) of the struct that a value is. Keys without
// omitempty are required. Unknown keys are not allowed, as when a file is read,
// unless the format is open.
func Of(value any, f Format) ([]byte, error) {
	comments, err := f.comments()
	if err != nil {
		return nil, err
	}
	r := jsonschema.Reflector{
		Anonymous:                 true,
		ExpandedStruct:            true,
		AllowAdditionalProperties: f.Open,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if pattern, ok := f.Patterns[t]; ok {
				one := uint64(1)
				written := &jsonschema.Schema{Type: "string", Pattern: pattern, MinLength: &one}
				if regexp.MustCompile(pattern).MatchString("0") { // which to YAML is a number
					written = &jsonschema.Schema{OneOf: []*jsonschema.Schema{written, {Const: 0}}}
				}
				return written
			}
			if slices.Contains(f.Numbers, t) {
				return &jsonschema.Schema{Type: "number"}
			}
			return nil
		},
		LookupComment: func(t reflect.Type, field string) string {
			comment := comments[strings.TrimSuffix(t.Name()+"."+field, ".")]
			if comment != "" || t.Kind() != reflect.Struct {
				return comment
			}
			if member, ok := t.FieldByName(field); ok && f.Patterns[member.Type] != "" {
				return comments[member.Type.Name()] // which says how it is written
			}
			return ""
		},
	}
	s := r.Reflect(value)
	s.Title = f.Title
	if err := f.restrict(reflect.TypeOf(value).Name(), s); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode schema of %s: %w", f.Title, err)
	}
	return append(data, '\n'), nil
}

// restrict puts the values of a field where the schema has that field.
func (f Format) restrict(root string, s *jsonschema.Schema) error {
	for field, values := range f.Values {
		name, key, _ := strings.Cut(field, ".")
		definition := s.Definitions[name]
		if name == root {
			definition = s
		}
		if definition == nil {
			return fmt.Errorf("restrict %s: the schema has no type %s", field, name)
		}
		property, ok := definition.Properties.Get(key)
		if !ok {
			return fmt.Errorf("restrict %s: the type has no such key", field)
		}
		if property.Items != nil {
			property = property.Items
		}
		for _, v := range values {
			property.Enum = append(property.Enum, v)
		}
	}
	return nil
}

// comments are the doc comments of types ("Type") and of fields ("Type.Field").
func (f Format) comments() (map[string]string, error) {
	comments := map[string]string{}
	for _, sources := range f.Sources {
		names, err := fs.Glob(sources, "*.go")
		if err != nil {
			return nil, fmt.Errorf("list sources of %s: %w", f.Title, err)
		}
		for _, name := range names {
			src, err := fs.ReadFile(sources, name)
			if err != nil {
				return nil, fmt.Errorf("read comments of %s: %w", f.Title, err)
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ParseComments)
			if err != nil {
				return nil, fmt.Errorf("read comments of %s: %w", f.Title, err)
			}
			described(file, comments)
		}
	}
	return comments, nil
}

// described adds the comments of the types of a file.
func described(file *ast.File, comments map[string]string) {
	for _, d := range file.Decls {
		declaration, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range declaration.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok {
				comments[t.Name.Name] = aboutType(t.Name.Name, text(declaration.Doc))
				for field, comment := range fieldsOf(t) {
					comments[t.Name.Name+"."+field] = comment
				}
			}
		}
	}
}

// text is a comment as one paragraph.
func text(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
