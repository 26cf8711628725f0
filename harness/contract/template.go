package contract

import (
	"fmt"
	"regexp"
	"strings"
)

// A Word is what stands between braces in a setting: {{ .auth.url }} is the word
// auth.url. The form is that of text/template and is read here: a service's name
// may have dashes, which text/template cannot take after a dot, and nothing but
// words is to be had.
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
	word   = regexp.MustCompile(`^\{\{-?\s*\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_.]+)?)\s*-?\}\}$`)
)

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
		parts := word.FindStringSubmatch(found)
		if parts == nil {
			if failed == nil {
				failed = unreadable(found)
			}
			return found
		}
		filled, err := value(Word(parts[1]))
		if err != nil && failed == nil {
			failed = err
		}
		return filled
	})
	return out, failed
}

func unreadable(found string) error {
	if !strings.HasSuffix(found, "}}") {
		return fmt.Errorf("%q is not closed: write }} behind the word", strings.TrimSpace(found))
	}
	return fmt.Errorf("cannot read %q: a word is written as {{ .NAME.PART }}", found)
}

// Fill replaces those words of a text whose values are known now, and leaves the
// others to whoever knows them.
func Fill(text string, value func(Word) (string, bool)) string {
	return opened.ReplaceAllStringFunc(text, func(found string) string {
		if parts := word.FindStringSubmatch(found); parts != nil {
			if filled, known := value(Word(parts[1])); known {
				return filled
			}
		}
		return found
	})
}
