package scenario

import (
	"encoding/json"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestRate(t *testing.T) {
	tests := []struct {
		text string
		want float64
		back string
	}{
		{"200/s", 200, "200/s"}, {"0.5/s", 0.5, "30/m"}, {"30/m", 0.5, "30/m"},
		{"5/h", 5.0 / 3600, "5/h"}, {"90/m", 1.5, "90/m"}, {"120/m", 2, "2/s"}, {"0.3/h", 0.3 / 3600, ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			var got Rate
			if err := got.UnmarshalText([]byte(tt.text)); err != nil || float64(got) != tt.want {
				t.Fatalf("got %v, %v, want %v", float64(got), err, tt.want)
			}
			if tt.back != "" && got.String() != tt.back {
				t.Errorf("written as %q, want %q", got.String(), tt.back)
			}
			roundTrip(t, got)
		})
	}
}

func TestRateRefuses(t *testing.T) {
	const hint = " (write it as 200/s, 30/m or 5/h)"
	for text, want := range map[string]string{
		"":           `"" is not a rate` + hint,
		"5":          `"5" is not a rate` + hint,
		"5/d":        `"5/d" is not a rate` + hint,
		"1e9/s":      `"1e9/s" is not a rate` + hint,
		"-5/s":       `"-5/s" is a negative rate` + hint,
		"0/s":        `"0/s" is no rate: it must be more than 0` + hint,
		"99999999/s": `"99999999/s" is more than can be sent` + hint,
	} {
		t.Run(text, func(t *testing.T) {
			var got Rate
			if err := got.UnmarshalText([]byte(text)); err == nil || err.Error() != want {
				t.Errorf("got error %v, want %s", err, want)
			}
		})
	}
}

// roundTrip writes a value as JSON and YAML and reads it back.
func roundTrip[T comparable](t *testing.T, value T) {
	t.Helper()
	type document struct {
		Value T `json:"value" yaml:"value"`
	}
	var fromJSON, fromYAML document
	data, err := json.Marshal(document{value})
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	if err := json.Unmarshal(data, &fromJSON); err != nil || fromJSON.Value != value {
		t.Errorf("from JSON %s: got %v, %v, want %v", data, fromJSON.Value, err, value)
	}
	if data, err = yaml.Marshal(document{value}); err != nil {
		t.Fatalf("marshal: %v", err)
	}
	if err := yaml.Unmarshal(data, &fromYAML); err != nil || fromYAML.Value != value {
		t.Errorf("from YAML %s: got %v, %v, want %v", data, fromYAML.Value, err, value)
	}
}
