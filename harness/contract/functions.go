package contract

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Value is what a word stands for: a text, or several.
type Value struct {
	texts []string
	list  bool
}

// Text is a value that is one text.
func Text(text string) Value { return Value{texts: []string{text}} }

// List is a value that is several texts. As it is it is written with commas
// between them; json makes it an array, and lines a line of each.
func List(texts []string) Value { return Value{texts: texts, list: true} }

// Functions write a text as the place wants it where it stands. None of them can
// fail: there is a way to write any text in each of these forms.
var Functions = map[string]func(string) string{
	"base64":     func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) },
	"base64url":  func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) },
	"conninfo":   func(text string) string { return "'" + escaped(text, `\'`) + "'" },
	"dotenv":     func(text string) string { return `"` + strings.ReplaceAll(escaped(text, "\\\"$`"), "\n", `\n`) + `"` },
	"hex":        func(text string) string { return hex.EncodeToString([]byte(text)) },
	"json":       quotedJSON,
	"lines":      func(text string) string { return text },
	"properties": properties,
	"shell":      func(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" },
	"urlquery":   percent,
}

// FunctionNames are their names, sorted.
func FunctionNames() []string { return slices.Sorted(maps.Keys(Functions)) }

// through is a value as functions make it, one after the other. Those of a list
// are taken through each by itself, until one makes it a text.
func (v Value) through(functions []string) string {
	texts := slices.Clone(v.texts)
	for i, name := range functions {
		for j := range texts {
			texts[j] = Functions[name](texts[j])
		}
		if !v.list {
			continue
		}
		switch name {
		case "json":
			return Text("[" + strings.Join(texts, ",") + "]").through(functions[i+1:])
		case "lines":
			return Text(strings.Join(texts, "\n")).through(functions[i+1:])
		}
	}
	return strings.Join(texts, ",")
}

// escaped has a backslash before each of some characters.
func escaped(text, special string) string {
	var out strings.Builder
	for _, r := range text {
		if strings.ContainsRune(special, r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}

// quotedJSON is a text as a string of JSON, with its quotes; < > and & stay as
// they are.
func quotedJSON(text string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	// A string can always be encoded, and a strings.Builder written to.
	_ = encoder.Encode(text)
	return strings.TrimSuffix(out.String(), "\n")
}

// percent is a text with all but the unreserved characters of RFC 3986 §2.3 as
// %XX, so that it can stand anywhere in a URL: between user and host too, where a
// + is no space.
func percent(text string) string {
	var out strings.Builder
	for _, b := range []byte(text) {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', strings.IndexByte("-._~", b) >= 0:
			out.WriteByte(b)
		default:
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}

// properties is a text as the value of a line that java.util.Properties loads.
func properties(text string) string {
	var out strings.Builder
	for i, r := range text {
		switch {
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case strings.ContainsRune(`\=:#!`, r), r == ' ' && i == 0:
			out.WriteByte('\\')
			out.WriteRune(r)
		case r < ' ' || r > '~' && r <= 0xffff:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}
