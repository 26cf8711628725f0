package logs

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/history"
	"github.com/rehearse-dev/rehearse/harness/plaintext"
)

const (
	// saidKinds is how many kinds of lines of each service are kept.
	saidKinds = 64
	// saidLine is how many bytes of a line are kept: many more than are quoted, so that secrets are
	// blacked out whole.
	saidLine = 4 << 10
)

// said are the kinds of lines that services wrote, which differ in numbers and identifiers only: each
// with its last line, its first and last time, and its count. It is safe for concurrent use.
type said struct {
	mu    sync.Mutex
	kinds map[string]map[string]*history.SaidLine // by service and kind
}

func newSaid() *said { return &said{kinds: map[string]map[string]*history.SaidLine{}} }

// add adds a line. Of lines in our own form it keeps only the reason of a decision: the rest are
// events.
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
	kind := plaintext.KindOf(text)
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
