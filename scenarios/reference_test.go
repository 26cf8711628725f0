package scenarios_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// referenceOf writes a JSON Schema as Markdown for people: a heading and a table of keys for
// each type, in the order in which a reader meets them. heading is that of the first,
// and names has words for the regular expressions of texts.
func referenceOf(schema []byte, heading string, names map[string]string) (string, error) {
	var root jsonschema.Schema
	if err := json.Unmarshal(schema, &root); err != nil {
		return "", fmt.Errorf("read schema: %w", err)
	}
	r := reference{types: root.Definitions, names: names}
	r.write(heading, &root)
	for i := 0; i < len(r.met); i++ { // a type can lead to others
		r.write("`"+r.met[i]+"`", r.types[r.met[i]])
	}
	return r.text.String(), nil
}

// reference is a reference that is being written.
type reference struct {
	text  strings.Builder
	types jsonschema.Definitions
	names map[string]string
	met   []string // the types that tables lead to, in the order of their tables
}

func (r *reference) write(heading string, s *jsonschema.Schema) {
	fmt.Fprintf(&r.text, "## %s\n\n", heading)
	if s.Description != "" {
		fmt.Fprintf(&r.text, "%s\n\n", s.Description)
	}
	r.text.WriteString("| key | value | |\n|---|---|---|\n")
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		key := "`" + pair.Key + "`"
		if slices.Contains(s.Required, pair.Key) {
			key = "**" + key + "**"
		}
		what := pair.Value.Description
		if name := typeName(pair.Value); what == "" && name != "" {
			what = r.types[name].Description
		}
		fmt.Fprintf(&r.text, "| %s | %s | %s |\n", key, r.value(pair.Value), strings.ReplaceAll(what, "|", `\|`))
	}
	r.text.WriteString("\n")
}

// typeName is the type that a schema refers to; "" where it is none of its own.
func typeName(s *jsonschema.Schema) string { return strings.TrimPrefix(s.Ref, "#/$defs/") }

// value says in a word or a few what a key takes.
func (r *reference) value(s *jsonschema.Schema) string {
	if name := typeName(s); name != "" {
		if !slices.Contains(r.met, name) {
			r.met = append(r.met, name)
		}
		return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name))
	}
	switch {
	case len(s.Enum) > 0:
		values := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			values[i] = fmt.Sprintf("`%v`", v)
		}
		return strings.Join(values, " ")
	case s.Type == "array" && s.Items != nil:
		return "list of " + r.value(s.Items)
	case s.Type == "object" && s.AdditionalProperties != nil && s.AdditionalProperties != jsonschema.FalseSchema:
		if of := r.value(s.AdditionalProperties); of != "anything" {
			return "by name: " + of
		}
		return "mapping"
	case s.Pattern != "":
		if name := r.names[s.Pattern]; name != "" {
			return name
		}
		return "text that matches `" + strings.ReplaceAll(s.Pattern, "|", `\|`) + "`"
	case len(s.OneOf) > 0:
		return r.value(s.OneOf[0])
	case s.Type == "string":
		return "text"
	case s.Type == "boolean":
		return "`true` or `false`"
	case s.Type == "integer", s.Type == "number":
		return s.Type
	}
	return "anything"
}
