package logs

import (
	"bytes"
	"slices"
	"strconv"
	"sync"

	"github.com/rehearse-dev/rehearse/harness/history"
)

// shortestIdentifier is the least length of an identifier that is searched in foreign lines: a shorter
// one would be found everywhere.
const shortestIdentifier = 8

// refusing are words that mark a refusal in a foreign log.
var refusing = [][]byte{[]byte("401"), []byte("403"), []byte("denied"), []byte("error"), []byte("fail"), []byte("invalid"), []byte("refus"), []byte("reject")}

// hygiene finds out whose log says which credential a decision was about: to find the last user of an
// old one, people need that of every consumer, for acceptances and refusals. It is safe for concurrent
// use.
type hygiene struct {
	names *Names

	mu   sync.Mutex
	seen map[string]history.Logged
}

func newHygiene(n *Names) *hygiene { return &hygiene{names: n, seen: map[string]history.Logged{}} }

// line takes a line of a service; ok says that it has our form, as parsed.
func (h *hygiene) line(service string, parsed history.Line, ok bool, line []byte) {
	var says history.Logged
	switch {
	case !ok && h.names.mentioned(line):
		says = saysOf(line)
	case !ok || parsed.Identifier == "":
		return
	case parsed.Message == history.MessageAccepted:
		says.Success = true
	case parsed.Message == history.MessageRefused:
		says.Failure = true
	case parsed.Message == history.MessagePresented && parsed.Outcome != "":
		says = history.Logged{Success: parsed.Outcome == history.OK, Failure: parsed.Outcome == history.AuthFailure}
	case parsed.Message == history.MessagePresented:
		says = meaning(parsed.Status)
	default:
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.seen[service]
	h.seen[service] = history.Logged{Success: now.Success || says.Success, Failure: now.Failure || says.Failure}
}

// meaning is what the HTTP status of a presentation says of a credential.
func meaning(status string) history.Logged {
	code, err := strconv.Atoi(status)
	switch {
	case code == 401, code == 403:
		return history.Logged{Failure: true}
	case err == nil && code < 400:
		return history.Logged{Success: true}
	}
	return history.Logged{}
}

// saysOf is what a line that names a credential tells of it, by its words.
func saysOf(line []byte) history.Logged {
	lower := bytes.ToLower(line)
	failure := slices.ContainsFunc(refusing, func(word []byte) bool { return bytes.Contains(lower, word) })
	return history.Logged{Success: !failure, Failure: failure}
}

// of is what the log of a service has said so far.
func (h *hygiene) of(service string) history.Logged {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.seen[service]
}

// mentioned says whether a line has the identifier of a credential of the run.
func (n *Names) mentioned(line []byte) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for identifier := range n.credentials {
		if len(identifier) >= shortestIdentifier && bytes.Contains(line, []byte(identifier)) {
			return true
		}
	}
	return false
}
