// Package schematest holds documents against a JSON Schema as far as the
// schemas of this project go: references, properties, required, enum, const,
// pattern, type, items and oneOf.
package schematest

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// node is a part of a schema.
type node = map[string]any

// Allows fails a test if a schema refuses a file.
func Allows(t *testing.T, schema []byte, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if wrong := check(t, schema, data, true); wrong != nil {
		t.Errorf("the schema refuses %s: %s", file, strings.Join(wrong, "; "))
	}
}

// Refuses fails a test if a schema allows one of the named parts of a document.
// That other parts are missing is not what it is refused for.
func Refuses(t *testing.T, schema []byte, documents map[string]string) {
	t.Helper()
	for name, document := range documents {
		if wrong := check(t, schema, []byte(document), false); wrong == nil {
			t.Errorf("%s: the schema allows %s, want it refused", name, document)
		}
	}
}

// ofGo is what a reader of YAML does not know: a name of the Go source.
var ofGo = regexp.MustCompile(`\b(?:[a-z]+\.[A-Z][a-z]\w*|Default[A-Z]\w+|[A-Z][a-z]+(?:[A-Z][a-z]+)+)\b`)

// names are those of products that are written as names of Go are.
var names = []string{"PostgreSQL", "MariaDB", "GitHub", "OpenID", "PgBouncer", "ConfigMap", "BeforeConnect", "driver.Connector"}

// Described fails a test where a key of a schema has no description, or one that is about
// the Go source. What is described with its type is described.
func Described(t *testing.T, schema []byte) {
	t.Helper()
	var root node
	if err := json.Unmarshal(schema, &root); err != nil {
		t.Fatalf("parse schema: %v", err)
	}
	types, _ := root["$defs"].(node)
	keys := 0
	look := func(name string, of node) {
		properties, _ := of["properties"].(node)
		for key, value := range properties {
			property, _ := value.(node)
			text, _ := property["description"].(string)
			if ref, ok := property["$ref"].(string); ok && text == "" {
				text, _ = types[strings.TrimPrefix(ref, "#/$defs/")].(node)["description"].(string)
			}
			if keys++; text == "" {
				t.Errorf("%s.%s has no description", name, key)
			}
			for _, word := range ofGo.FindAllString(text, -1) {
				if !slices.Contains(names, word) {
					t.Errorf("%s.%s is described by %q, which is a name of the source: %s", name, key, word, text)
				}
			}
		}
	}
	look("(top)", root)
	for name, of := range types {
		look(name, of.(node))
	}
	if keys == 0 {
		t.Error("the schema has no key")
	}
}

func check(t *testing.T, schema, document []byte, complete bool) []string {
	t.Helper()
	var root node
	if err := json.Unmarshal(schema, &root); err != nil {
		t.Fatalf("parse schema: %v", err)
	}
	if want := "https://json-schema.org/draft/2020-12/schema"; root["$schema"] != want {
		t.Errorf("$schema: got %v, want %s", root["$schema"], want)
	}
	if !complete {
		delete(root, "required")
	}
	asJSON, err := yaml.YAMLToJSON(document)
	if err != nil {
		t.Fatalf("parse document: %v", err)
	}
	var value any
	if err := json.Unmarshal(asJSON, &value); err != nil {
		t.Fatalf("parse document: %v", err)
	}
	c := checker{root: root}
	c.value("", root, value)
	return c.wrong
}

type checker struct {
	root  node
	wrong []string
}

func (c *checker) report(path, format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf("%s: ", path)+fmt.Sprintf(format, args...))
}

func (c *checker) value(path string, s node, value any) {
	if ref, ok := s["$ref"].(string); ok {
		s = c.root["$defs"].(node)[strings.TrimPrefix(ref, "#/$defs/")].(node)
	}
	if choices, ok := s["oneOf"].([]any); ok {
		matching := 0
		for _, choice := range choices {
			one := checker{root: c.root}
			if one.value(path, choice.(node), value); one.wrong == nil {
				matching++
			}
		}
		if matching != 1 {
			c.report(path, "%v fits %d of the choices, want one", value, matching)
		}
	}
	if values, ok := s["enum"].([]any); ok && !slices.Contains(values, value) {
		c.report(path, "%v is none of %v", value, values)
	}
	if constant, ok := s["const"]; ok && value != constant {
		c.report(path, "%v is not %v", value, constant)
	}
	switch s["type"] {
	case "object":
		c.object(path, s, value)
	case "array":
		items, ok := value.([]any)
		if !ok {
			c.report(path, "%v is not a list", value)
		}
		for i, item := range items {
			c.value(fmt.Sprintf("%s[%d]", path, i), s["items"].(node), item)
		}
	case "string":
		text, ok := value.(string)
		pattern, _ := s["pattern"].(string)
		if !ok || !regexp.MustCompile(pattern).MatchString(text) {
			c.report(path, "%v does not match %q", value, pattern)
		}
	case "number", "integer":
		if _, ok := value.(float64); !ok {
			c.report(path, "%v is not a number", value)
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			c.report(path, "%v is not a boolean", value)
		}
	}
}

func (c *checker) object(path string, s node, value any) {
	object, ok := value.(node)
	if !ok {
		c.report(path, "%v is not a mapping", value)
		return
	}
	properties, _ := s["properties"].(node)
	for key, member := range object {
		property, known := properties[key].(node)
		if other, ok := s["additionalProperties"].(node); ok && !known {
			property, known = other, true
		}
		if !known && s["additionalProperties"] == false {
			c.report(path, "unknown key %s", key)
		}
		if known {
			c.value(path+"."+key, property, member)
		}
	}
	required, _ := s["required"].([]any)
	for _, key := range required {
		if _, there := object[key.(string)]; !there {
			c.report(path, "%s is missing", key)
		}
	}
}
