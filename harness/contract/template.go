package contract

import (
	"fmt"
	"regexp"
	"strings"
)

// A Word is what stands between braces in a setting: {{ .auth.url }} is the word
// auth.url. The form is that of text/template and is read here: a service's name
// may have dashes, which text/template cannot take after a dot, and nothing but
// words is to be had. Functions may follow, which write what it stands for as the
// place wants it: {{ .secret.value | urlquery }}.
type Word string

// String is the word as it is written.
func (w Word) String() string { return "{{ ." + string(w) + " }}" }

// Of is the part of a word before its first dot, and the rest: auth and url.
func (w Word) Of() (name, part string) {
	name, part, _ = strings.Cut(string(w), ".")
	return name, part
}

// Is reports whether a word is of a name: store.url is of store.
func (w Word) Is(name string) bool {
	of, _ := w.Of()
	return of == name
}

var (
	opened = regexp.MustCompile(`\{\{[^{}]*(\}\}|\}|\{|$)`)
	word   = regexp.MustCompile(`^\{\{-?\s*\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_.-]+)?)((?:\s*\|\s*[A-Za-z0-9_-]+)*)\s*-?\}\}$`)
)

// action is a word with the functions that follow it.
type action struct {
	word      Word
	functions []string
}

// read is what stands between braces; the error says why it is no word.
func read(found string) (action, error) {
	parts := word.FindStringSubmatch(found)
	if parts == nil {
		return action{}, unreadable(found)
	}
	a := action{word: Word(parts[1])}
	for _, name := range strings.FieldsFunc(parts[2], func(r rune) bool { return r == '|' || r == ' ' || r == '\t' || r == '\n' || r == '\r' }) {
		if _, known := Functions[name]; !known {
			return action{}, fmt.Errorf("%q is no function: there are %s", name, strings.Join(FunctionNames(), ", "))
		}
		a.functions = append(a.functions, name)
	}
	return a, nil
}

func unreadable(found string) error {
	if !strings.HasSuffix(found, "}}") {
		return fmt.Errorf("%q is not closed: write }} behind the word", strings.TrimSpace(found))
	}
	return fmt.Errorf("cannot read %q: a word is written as {{ .NAME.PART }}", found)
}

// Words are those of a text, in order. The error says what stands between braces
// and is no word, and quotes no more of the text, which may be secret.
func Words(text string) ([]Word, error) {
	var words []Word
	_, err := Render(text, func(w Word) (string, error) {
		words = append(words, w)
		return "", nil
	})
	return words, err
}

// Render replaces every word of a text. The error is the first of what is no
// word, or of value.
func Render(text string, value func(Word) (string, error)) (string, error) {
	var failed error
	out := opened.ReplaceAllStringFunc(text, func(found string) string {
		a, err := read(found)
		var filled string
		if err == nil {
			filled, err = value(a.word)
		}
		if err != nil {
			if failed == nil {
				failed = err
			}
			return found
		}
		return Text(filled).through(a.functions)
	})
	return out, failed
}

// Fill replaces those words of a text whose values are known now, and leaves the
// others to whoever knows them.
func Fill(text string, value func(Word) (Value, bool)) string {
	return opened.ReplaceAllStringFunc(text, func(found string) string {
		if a, err := read(found); err == nil {
			if filled, known := value(a.word); known {
				return filled.through(a.functions)
			}
		}
		return found
	})
}

// Rename puts other words in the places of words, with the functions that follow
// them.
func Rename(text string, other func(Word) Word) string {
	return opened.ReplaceAllStringFunc(text, func(found string) string {
		a, err := read(found)
		if err != nil {
			return found
		}
		renamed := other(a.word)
		if renamed == a.word {
			return found
		}
		out := "{{ ." + string(renamed)
		for _, name := range a.functions {
			out += " | " + name
		}
		return out + " }}"
	})
}
