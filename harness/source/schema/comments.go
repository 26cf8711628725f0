package schema

import (
	"cmp"
	"go/ast"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An editor shows a comment to somebody who writes YAML, and who knows the keys of the
// format and not the fields of a Go type. So each field gets what a comment says of it,
// and no more, with keys in the place of fields:
//
//	// Refresh is how often it reads what was published. TTL is how long a cache keeps
//	// an answer.
//	Refresh runbook.Duration `yaml:"refresh"` // `refresh` is how often it reads what was published.
//	TTL     runbook.Duration `yaml:"ttl"`     // `ttl` is how long a cache keeps an answer.

// member is a field of a struct that is a key of the format.
type member struct{ field, key, comment string }

// fieldsOf are the comments of the fields of a type, by the fields' names.
func fieldsOf(t *ast.TypeSpec) map[string]string {
	structure, ok := t.Type.(*ast.StructType)
	if !ok {
		return nil
	}
	var members []member
	for _, f := range structure.Fields.List {
		comment := text(f.Doc)
		if comment == "" {
			comment = text(f.Comment)
		}
		for _, name := range f.Names {
			members = append(members, member{name.Name, keyOf(f.Tag), comment})
		}
	}
	found := map[string]string{}
	for i, m := range members {
		own := m.comment
		for j := i - 1; own == "" && j >= 0; j-- { // said with one before it
			own = about(m.field, members[j].comment, members)
		}
		if m.comment != "" {
			own = cmp.Or(about(m.field, own, members), own)
		}
		found[m.field] = withKeys(own, members)
	}
	return found
}

// keyOf is the key of a field in the format; "" where it has none.
func keyOf(tag *ast.BasicLit) string {
	if tag == nil {
		return ""
	}
	whole, err := strconv.Unquote(tag.Value)
	if err != nil {
		return ""
	}
	tags := reflect.StructTag(whole)
	key, _, _ := strings.Cut(cmp.Or(tags.Get("yaml"), tags.Get("json")), ",")
	return key
}

// sentence is where one ends, and the next begins with a capital.
var sentence = regexp.MustCompile(`\. [A-Z]`)

// about are the sentences of a comment that are about a field: from one that begins with
// it to the next that begins with others; or, where none does, those that name it. ""
// where none is.
func about(field, comment string, members []member) string {
	var parts []string
	at := 0
	for _, end := range sentence.FindAllStringIndex(comment, -1) {
		parts = append(parts, comment[at:end[0]+1])
		at = end[1] - 1
	}
	parts = append(parts, comment[at:])
	var told, named []string
	mine := false
	for _, part := range parts {
		if names := subjects(part, members); len(names) > 0 {
			mine = slices.Contains(names, field)
		}
		if mine {
			told = append(told, part)
		}
		for _, found := range word.FindAllStringIndex(part, -1) {
			if part[found[0]:found[1]] == field && !isThing(part, found) {
				named = append(named, part)
				break
			}
		}
	}
	if len(told) == 0 {
		told = named
	}
	return strings.Join(told, " ")
}

// subjects are the fields that a sentence begins with: "From and Until are …".
func subjects(part string, members []member) []string {
	var names []string
	for _, w := range word.FindAllString(part, -1) {
		is := slices.ContainsFunc(members, func(m member) bool { return m.field == w })
		if !is && w != "and" {
			break
		}
		if is {
			names = append(names, w)
		}
	}
	return names
}

var word = regexp.MustCompile(`[A-Za-z0-9]+`)

// withKeys is a comment with the keys of fields in their place. A word that is no
// subject, as in "a Secret", is a thing of that name.
func withKeys(comment string, members []member) string {
	var told strings.Builder
	at := 0
	for _, found := range word.FindAllStringIndex(comment, -1) {
		w := comment[found[0]:found[1]]
		for _, m := range members {
			if m.field == w && m.key != "" && m.key != w && !isThing(comment, found) {
				told.WriteString(comment[at:found[0]] + "`" + m.key + "`")
				at = found[1]
			}
		}
	}
	return told.String() + comment[at:]
}

// isThing reports whether a word of a text is none of a field, but a thing of its name.
func isThing(text string, at []int) bool {
	return strings.HasPrefix(text[at[1]:], "-") || things.MatchString(text[:at[0]])
}

// things is what stands before one.
var things = regexp.MustCompile(`(\b(a|an|the|are|default) |-|\.)$`)

// aboutType is the comment of a type without its name: "Counter is where …" is "Where …".
func aboutType(name, comment string) string {
	for _, verb := range []string{"is", "are", "has", "says"} {
		if rest, found := strings.CutPrefix(comment, name+" "+verb+" "); found {
			if verb == "says" || verb == "has" {
				rest = verb + " " + rest
			}
			return strings.ToUpper(rest[:1]) + rest[1:]
		}
	}
	return comment
}
