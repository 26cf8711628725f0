package logs

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/history"
)

const (
	// saidKinds is how many kinds of lines of each service are kept.
	saidKinds = 64
	// saidLine is how much of a line is kept, in bytes: much more than is told of it,
	// since what is blacked out must not have been cut in two before.
	saidLine = 4 << 10
)

// varying is what differs from line to line of one kind: numbers, times,
// identifiers, addresses.
var varying = regexp.MustCompile(`[[:alnum:]_.:+/-]*[0-9][[:alnum:]_.:+/-]*|[[:alnum:]_-]{20,}`)

// failing is a number that may be the status of an HTTP answer which is an error
// (RFC 9110 §15.5, §15.6): what a line is about, and not what differs in it.
var failing = regexp.MustCompile(`^[45][0-9]{2}$`)

// kindOf is a line without what differs from line to line of one kind.
func kindOf(text string) string {
	return varying.ReplaceAllStringFunc(text, func(word string) string {
		if failing.MatchString(word) {
			return word
		}
		return "#"
	})
}

// said is what services wrote into their logs, by kinds of lines that differ in
// no more than numbers and identifiers: each with its last line, when it was first
// and last written, and how often. It is safe for concurrent use.
type said struct {
	mu    sync.Mutex
	kinds map[string]map[string]*history.SaidLine // by service and kind
}

func newSaid() *said { return &said{kinds: map[string]map[string]*history.SaidLine{}} }

// add takes a line into account that came at a moment. Of those of our own form
// only what tells why something was decided is kept: the rest are events.
func (s *said) add(service string, at history.Offset, line []byte, parsed history.Line, ours bool) {
	text := strings.TrimSpace(string(line))
	if ours {
		if text = parsed.Detail; !parsed.Decides() || text == "" {
			return
		}
		text = strings.TrimSpace(parsed.Message + " " + parsed.Status + " " + text)
	}
	if text == "" {
		return
	}
	if len(text) > saidLine {
		text = strings.ToValidUTF8(text[:saidLine], "")
	}
	kind := kindOf(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	kinds := s.kinds[service]
	if kinds == nil {
		kinds = map[string]*history.SaidLine{}
		s.kinds[service] = kinds
	}
	have := kinds[kind]
	if have == nil {
		if len(kinds) >= saidKinds {
			delete(kinds, oldest(kinds))
		}
		have = &history.SaidLine{First: at}
		kinds[kind] = have
	}
	have.Text, have.Last, have.Count = text, at, have.Count+1
}

// oldest is the kind that was not written for the longest time.
func oldest(kinds map[string]*history.SaidLine) string {
	return slices.MinFunc(slices.Sorted(maps.Keys(kinds)), func(a, b string) int { return int(kinds[a].Last - kinds[b].Last) })
}

// of are the kinds of lines of a service, in the order in which they were last written.
func (s *said) of(service string) []history.SaidLine {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []history.SaidLine
	for _, kind := range slices.Sorted(maps.Keys(s.kinds[service])) {
		lines = append(lines, *s.kinds[service][kind])
	}
	slices.SortStableFunc(lines, func(a, b history.SaidLine) int { return int((a.Last - b.Last) / 1000) })
	return lines
}

// services are those of whom anything is kept, by name.
func (s *said) services() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.kinds))
}
