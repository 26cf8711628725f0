package attached

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rehearse-dev/rehearse/harness/scenario"
)

// errIsValue says that what should be an identifier is a secret.
var errIsValue = errors.New("it printed a value where the identifier is wanted (the name of a role, the id of a key): have it print that, since identifiers are in every report")

// printedBy is the new identifier in what the step make printed. An error quotes none of that: it may be a
// value.
func (s *System) printedBy(out string) (identifier string, err error) {
	if path := s.attach.Steps[scenario.MakeStep].Identifier; path != "" {
		identifier, err = at(out, path)
	} else {
		identifier = lastLine(out)
		if words := len(strings.Fields(identifier)); words > 1 {
			lines := strings.Count(strings.TrimSpace(out), "\n") + 1
			err = fmt.Errorf("it printed lines (%d), of which the last has several words (%d): want the new identifier alone in the last line, or say where it stands in a JSON text (steps.make.identifier)", lines, words)
		}
	}
	switch {
	case err != nil:
		return "", err
	case identifier == "":
		return "", errors.New("it printed nothing: want the new identifier as the last line")
	}
	return identifier, s.isNoValue(identifier)
}

// isItsValue reports whether the identifier of a new credential is its value. That is asked for only to
// compare, since the identifier is told at once: it may be another after the accept, or not be there yet.
func (s *System) isItsValue(ctx context.Context, credential, identifier string) bool {
	if s.attach.Value == nil || !s.valueByName() {
		return false
	}
	value, err := s.told(ctx, *s.attach.Value, "value", credential)
	if err != nil {
		return false // learn says so when it is needed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets = append(s.secrets, value)
	return strings.Contains(identifier, value)
}

// isNoValue returns an error where an identifier has a known value in it.
func (s *System) isNoValue(identifier string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, value := range s.values {
		if value != "" && strings.Contains(identifier, value) {
			return errIsValue
		}
	}
	return nil
}
