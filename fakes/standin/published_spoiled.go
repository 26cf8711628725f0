package standin

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/rehearse-dev/rehearse/harness/contract"
)

// spoiler changes on the way to its consumer what was published, as a
// deployment does that goes wrong.
type spoiler struct {
	Disturbances
	content []byte // as it was last read
	version int
	known   map[string]bool   // the values that it had when it began to spoil
	foreign map[string]string // the values of another environment, by tag

	told contract.Held // what the consumer was given last
}

// passed is a document as its consumer gets it, with a version that changes
// whenever that does.
func (s *spoiler) passed(content []byte, version int) ([]byte, int, error) {
	s.content, s.version = content, version
	how := s.Value(contract.OrderValue)
	document := map[string]any{}
	if err := json.Unmarshal(content, &document); err != nil {
		return content, 2 * version, nil // its reader says what is wrong with it
	}
	entries, _ := document["keys"].([]any)
	tags := map[string]bool{}
	for _, entry := range entries {
		fields, _ := entry.(map[string]any)
		tag := contract.EntryName(fields)
		tags[tag] = true
		if value, ok := fields["value"].(string); ok && how != "" && !s.known[tag] {
			fields["value"] = s.spoiled(how, tag, value)
		}
	}
	s.tell(document)
	if how == "" {
		s.known = tags
		return content, 2 * version, nil
	}
	out, err := json.Marshal(document)
	return out, 2*version + 1, err
}

// prefixed is how much of a value may say what it is: whsec_.
const prefixed = len("whsec_")

// cutOff is how many characters a truncated value has lost.
const cutOff = 4

func (s *spoiler) spoiled(how, tag, value string) string {
	switch how {
	case "newline":
		return value + "\n"
	case "truncated":
		return value[:max(0, len(value)-cutOff)]
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(value))
	case "quoted":
		return strconv.Quote(value)
	}
	if s.foreign == nil {
		s.foreign = map[string]string{}
	}
	if s.foreign[tag] == "" {
		other := value[:min(len(value), prefixed)]
		for len(other) < len(value) {
			other += rand.Text() // its letters are in every encoding that is used for secrets
		}
		s.foreign[tag] = other[:len(value)]
	}
	return s.foreign[tag]
}

// tell notes what the consumer gets.
func (s *spoiler) tell(document map[string]any) {
	told := contract.HeldOf(document)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = told
}

func (s *spoiler) held() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told
}

// Disturbable lets a consumer be disturbed in how it gets what is published, and
// in more ways where it has any.
func (p *PublishedSecret) Disturbable(mux *http.ServeMux, more map[string]func(string) error) {
	kinds := map[string]func(string) error{contract.OrderHold: OneOf("all"), contract.OrderValue: OneOf("newline", "truncated", "foreign", "base64", "quoted")}
	for kind, check := range more {
		kinds[kind] = check
	}
	p.spoil.Serve(mux, p.config.Disturb, kinds, p.spoil.held)
}
