// Package leak searches what a run wrote for the values of its secrets, in the
// forms in which they get about: as they are, base64, hex, escaped for URLs and
// JSON; and for whole bearer tokens.
package leak

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// shortest is the least length in bytes of a form that is searched for. A
// shorter one would be found everywhere.
const shortest = 12

// anchor is how many bytes of a form are compared first.
const anchor = 8

// bearer is a whole JWT in compact form (RFC 7515 §3.1) with a JSON header:
// what it opens, it opens for whoever finds it.
var bearer = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}`)

// Scanner searches for a set of secrets. It is safe for concurrent use.
type Scanner struct {
	// anchors are the forms by the bytes in their middle, where forms of
	// different secrets differ; maybe tells most places apart from all of them.
	anchors map[uint64][]form
	maybe   [1 << 16]bool
	short   int64
	// parts are all pieces of so many bytes of those values that a program may cut
	// into two, as it does a URL at an @.
	parts map[string]bool
}

// form is one way of writing a secret.
type form struct {
	text   string
	before int // bytes before the anchor
}

// New is a scanner for secrets. A form that is shorter than 12 bytes is left
// out: of a short secret only longer forms of it are found.
func New(secrets []string) *Scanner {
	s := &Scanner{anchors: map[uint64][]form{}, parts: map[string]bool{}}
	seen, known := map[string]bool{}, map[string]bool{"": true}
	for _, secret := range secrets {
		if known[secret] {
			continue
		}
		known[secret] = true
		if len(secret) < shortest {
			s.short++
		}
		s.cut(secret)
		for _, text := range forms(secret) {
			if len(text) >= shortest && !seen[text] {
				seen[text] = true
				s.add(text)
			}
		}
	}
	return s
}

// Short is how many of the secrets are too short to be found as they are.
func (s *Scanner) Short() int64 { return s.short }

func (s *Scanner) add(text string) {
	before := (len(text) - anchor) / 2
	key := binary.LittleEndian.Uint64([]byte(text[before : before+anchor]))
	s.anchors[key] = append(s.anchors[key], form{text, before})
	s.maybe[fold(key)] = true
}

// fold mixes an anchor into 16 bits.
func fold(key uint64) uint16 { return uint16(key * 0x9e3779b97f4a7c15 >> 48) }

// Count is how many times a secret or a bearer token stands in data. Forms that
// overlap, as a secret and its escaped form where nothing is to escape, count
// as one.
func (s *Scanner) Count(data []byte) int64 {
	hits := int64(len(bearer.FindAllIndex(data, -1)))
	s.find(data, func(int, int) { hits++ })
	return hits
}

// find tells of every secret in data, from its first byte to behind its last.
func (s *Scanner) find(data []byte, found func(from, to int)) {
	end := 0 // of the last one found
	for i := 0; i+anchor <= len(data); i++ {
		key := binary.LittleEndian.Uint64(data[i:])
		if !s.maybe[fold(key)] {
			continue
		}
		for _, f := range s.anchors[key] {
			from := i - f.before
			if from >= end && from+len(f.text) <= len(data) && string(data[from:from+len(f.text)]) == f.text {
				end = from + len(f.text)
				found(from, end)
				break
			}
		}
	}
}

// masked stands in the place of a secret.
const masked = "[secret]"

// Mask is text with a mark in the place of every secret and bearer token.
func (s *Scanner) Mask(text string) string {
	var b strings.Builder
	last := 0
	s.find([]byte(text), func(from, to int) {
		b.WriteString(text[last:from] + masked)
		last = to
	})
	b.WriteString(text[last:])
	return bearer.ReplaceAllString(s.maskParts(b.String()), masked)
}

// cut remembers the pieces of a value of one line that has characters at which
// programs cut, from the half on in which it has them: what it begins with may be
// words that say what it is.
func (s *Scanner) cut(secret string) {
	first := strings.IndexAny(secret, cuts)
	if first < 0 || len(secret) > longestCut || strings.ContainsRune(secret, '\n') {
		return
	}
	for _, text := range []string{secret[len(secret)/2:], inJSON(secret[len(secret)/2:], false)} {
		for i := 0; i+part <= len(text); i++ {
			s.parts[text[i:i+part]] = true
		}
	}
}

const (
	// part is how many bytes of such a value are masked at least.
	part = 6
	// cuts are characters at which programs cut a text.
	cuts = "@/%#$\"'\\ `?&:;!<>"
	// longestCut is longer than any value that is quoted by hand.
	longestCut = 256
)

// maskParts is a text with a mark in the place of every longest piece.
func (s *Scanner) maskParts(text string) string {
	if len(s.parts) == 0 {
		return text
	}
	var b strings.Builder
	last := 0
	for i := 0; i+part <= len(text); i++ {
		if !s.parts[text[i:i+part]] {
			continue
		}
		end := i + part
		for end < len(text) && s.parts[text[end+1-part:end+1]] {
			end++
		}
		b.WriteString(text[last:i] + masked)
		last, i = end, end-1
	}
	return b.String() + text[last:]
}

// File is Count of a file, with its length in bytes. It is read whole: what a
// run writes is bounded by its length and rate.
func (s *Scanner) File(path string) (hits, searched int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, fmt.Errorf("search for leaks: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		return 0, 0, fmt.Errorf("search for leaks in %s: %w", path, err)
	}
	return s.Count(data), int64(len(data)), nil
}
