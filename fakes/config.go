package fakes

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

// decode reads a configuration strictly: a field that is not known is an
// error, and so is anything after the document.
func decode(config []byte, into any) error {
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

// field is one required field of a configuration and what it holds.
type field struct{ name, value string }

// require names all fields that are empty, in one error.
func require(fields ...field) error {
	var errs []error
	for _, f := range fields {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("check configuration: %s is missing", f.name))
		}
	}
	return errors.Join(errs...)
}
