// Package plaintext makes text of others harmless where it is shown: what a page,
// a log, an answer or a saved run says is read by people, and must not steer
// their terminal, format or link in their report, call anybody in their channel,
// or run in their shell.
//
//	Line, Lines, Writer   a terminal, HTML and XML (beside their own escaping)
//	JSON                  JSON that comes to a terminal
//	Markdown              GitHub's Markdown
//	Chat                  a message for a team's channel
//	Unlinked              plain text whose reader makes links of [text](address)
//	Shell                 one argument on a line for a POSIX shell
//
// KindOf says which lines of a log are alike.
package plaintext

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
)

// steers reports whether a character is an order rather than something to read:
// control characters (with ESC, and so all of ECMA-48), those that format, such
// as the ones that turn the direction of text, and what separates lines unseen.
func steers(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// readable is a character of text that keeps its lines: a blank where it steers.
func readable(r rune) rune {
	if steers(r) && r != '\n' && r != '\t' {
		return ' '
	}
	return r
}

// Line is text in one line that cannot steer a terminal. What formats is left
// out, other control characters are blanks, and what is no UTF-8 is U+FFFD.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case steers(r):
			return ' '
		}
		return r
	}, s)
}

// Lines is text that cannot steer a terminal and keeps its line feeds and tabs.
func Lines(s string) string { return strings.Map(readable, s) }

// Writer passes on as Lines has it what is written. Text must end with a whole
// character.
func Writer(w io.Writer) io.Writer { return transform.NewWriter(w, runes.Map(readable)) }

// JSON passes on JSON, in which it writes characters that steer by their
// numbers: it means the same. Each Write must end with a whole character, as
// those of an encoder do.
func JSON(w io.Writer) io.Writer { return jsonWriter{w} }

type jsonWriter struct{ to io.Writer }

// Write returns len(p) where all was passed on.
func (w jsonWriter) Write(p []byte) (int, error) {
	if !strings.ContainsFunc(string(p), func(r rune) bool { return steers(r) && r != '\n' && r != '\t' }) {
		return w.to.Write(p)
	}
	escaped := make([]byte, 0, len(p)+64)
	for _, r := range string(p) {
		if !steers(r) || r == '\n' || r == '\t' {
			escaped = utf8.AppendRune(escaped, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) { // in strings only: nothing else has such a character
			escaped = append(escaped, '\\', 'u', hex[unit>>12], hex[unit>>8&15], hex[unit>>4&15], hex[unit&15])
		}
	}
	if _, err := w.to.Write(escaped); err != nil {
		return 0, err
	}
	return len(p), nil
}

const hex = "0123456789abcdef"

// markdown escapes what has a meaning in Markdown, HTML and GitHub. An empty
// comment keeps an @ from calling somebody, and an address from being a link.
var markdown = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `|`, `\|`, `~`, `\~`, `#`, `\#`,
	`<`, `&lt;`, `>`, `&gt;`, `&`, `&amp;`, `@`, `@<!-- -->`, `://`, `:<!-- -->//`, `www.`, `www<!-- -->.`, `WWW.`, `WWW<!-- -->.`,
)

// Markdown is text in one line without any markup, mention or link.
func Markdown(s string) string { return markdown.Replace(words(s)) }

// chat escapes as Slack asks for. A backtick would end the code that a name is
// written as, and an @ calls somebody, in some channels also within a word: it
// becomes the wide one (U+FF20).
var chat = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'", "@", "＠")

// Chat is text in one line of a message for Slack, and for those who read its
// format: it calls nobody, and has no link that says another thing than where it
// goes.
func Chat(s string) string { return chat.Replace(Unlinked(s)) }

// Unlinked is text in one line in which nothing is a link under another name, as
// [text](address) is in Markdown, SARIF and many a channel.
func Unlinked(s string) string { return strings.ReplaceAll(words(s), "](", "] (") }

// Shell is an argument as a POSIX shell takes it, in one line: one with control
// characters is no longer the same, and harmless.
func Shell(s string) string {
	s = Line(s)
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// words is text in one line, with one blank between its words.
func words(s string) string { return strings.Join(strings.Fields(Line(s)), " ") }
