package schema

import (
	"encoding/json"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

type length string

type page struct {
	Name  string   `json:"name"`
	Long  length   `json:"long,omitempty"`
	Kinds []string `json:"kinds,omitempty"`
}

func TestOf(t *testing.T) {
	data, err := Of(page{}, Format{
		Title:    "a page",
		Patterns: map[reflect.Type]string{reflect.TypeFor[length](): `^\d+m$`},
		Values:   map[string][]string{"page.kinds": {"a", "b"}},
		Sources: []fs.FS{fstest.MapFS{"page.go": {Data: []byte(
			"package p\n// length is a number\n// of metres.\ntype length string\n// page is one.\ntype page struct {\nName string // of the page\nLong length\nKinds []string\n}")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "a page", "description": "One.",
		"type": "object", "additionalProperties": false, "required": ["name"],
		"properties": {
			"name": {"type": "string", "description": "of the page"},
			"long": {"type": "string", "minLength": 1, "pattern": "^\\d+m$", "description": "A number of metres."},
			"kinds": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}}}`), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %v", data, want)
	}
}

func TestOfRefusesValuesOfNothing(t *testing.T) {
	for field, want := range map[string]string{"page.colour": "no such key", "book.kinds": "no type book"} {
		_, err := Of(page{}, Format{Values: map[string][]string{field: {"a"}}, Sources: []fs.FS{fstest.MapFS{}}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("values of %s: got %v, want an error with %q", field, err, want)
		}
	}
}
