package standin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Duration is wall time in a configuration: a string as time.ParseDuration
// takes it ("6.667s"), or a number of nanoseconds.
type Duration time.Duration

// UnmarshalJSON reads either form.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		var ns int64
		if err := json.Unmarshal(data, &ns); err != nil {
			return fmt.Errorf("parse duration: want a string such as \"30s\" or whole nanoseconds: %w", err)
		}
		*d = Duration(ns)
		return nil
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("parse duration: %w", err)
	}
	*d = Duration(parsed)
	return nil
}

// Decode reads a configuration strictly: a field that is not known is an
// error, and so is anything after the document.
func Decode(config []byte, into any) error {
	if len(bytes.TrimSpace(config)) == 0 {
		return errors.New("parse configuration: it is empty")
	}
	decoder := json.NewDecoder(bytes.NewReader(config))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("parse configuration: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("parse configuration: something follows the document")
	}
	return nil
}

// Require names all fields that are empty, in one error. It takes pairs of a
// field's name and what it holds.
func Require(pairs ...string) error {
	var errs []error
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			errs = append(errs, fmt.Errorf("check configuration: %s is missing", pairs[i]))
		}
	}
	return errors.Join(errs...)
}
