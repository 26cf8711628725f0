package plaintext

import "regexp"

// varying is the part that differs between lines of one kind: numbers, times, identifiers, addresses.
var varying = regexp.MustCompile(`[[:alnum:]_.:+/-]*[0-9][[:alnum:]_.:+/-]*|[[:alnum:]_-]{20,}`)

// failing is a number that may be the status of an HTTP error (RFC 9110 §15.5, §15.6): it belongs to
// the kind of a line.
var failing = regexp.MustCompile(`^[45][0-9]{2}$`)

// KindOf is a line of a log without its varying parts, each of which is a #. Two lines with the same kind say the same of
// different things.
func KindOf(line string) string {
	return varying.ReplaceAllStringFunc(line, func(word string) string {
		if failing.MatchString(word) {
			return word
		}
		return "#"
	})
}
