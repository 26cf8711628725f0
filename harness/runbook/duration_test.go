package runbook

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

func TestDuration(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
		back string // how it is written again
	}{
		{"0", 0, "0s"},
		{"30s", 30 * time.Second, "30s"},
		{"10m", 10 * time.Minute, "10m"},
		{"60m", time.Hour, "1h"},
		{"1h30m", 90 * time.Minute, "1h30m"},
		{"1h0m5s", time.Hour + 5*time.Second, "1h0m5s"},
		{"1.5h", 90 * time.Minute, "1h30m"},
		{"250ms", 250 * time.Millisecond, "250ms"},
		{"24h", 24 * time.Hour, "1d"},
		{"90d", 90 * 24 * time.Hour, "90d"},
		{"1d12h", 36 * time.Hour, "1d12h"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			var got Duration
			if err := got.UnmarshalText([]byte(tt.text)); err != nil || got.Duration() != tt.want {
				t.Fatalf("got %v, %v, want %v", got.Duration(), err, tt.want)
			}
			if got.String() != tt.back {
				t.Errorf("written as %q, want %q", got.String(), tt.back)
			}
			roundTrip(t, got)
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

func TestDurationRefuses(t *testing.T) {
	const hint = " (write it as 30s, 10m, 1h30m or 90d)"
	tests := []struct{ text, want string }{
		{"", `"" is not a duration` + hint},
		{"5 bananas", `"5 bananas" is not a duration` + hint},
		{"5", `"5" is a duration without a unit` + hint},
		{"1.5", `"1.5" is a duration without a unit` + hint},
		{"-5m", `"-5m" is a negative duration` + hint},
		{"-5", `"-5" is a negative duration` + hint},
		{"5w", `"5w" is not a duration` + hint},
		{"30m1h", `"30m1h" is not a duration` + hint},
		{"1e3s", `"1e3s" is not a duration` + hint},
		{"200000d", `"200000d" is too long a duration (at most 36500d)`},
		{"36500d1h", `"36500d1h" is too long a duration (at most 36500d)`},
		{"99999999999999999999d", `"99999999999999999999d" is too long a duration (at most 36500d)`},
		{"99999999999999999999s", `"99999999999999999999s" is too long a duration (at most 36500d)`},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got := Duration(7)
			if err := got.UnmarshalText([]byte(tt.text)); err == nil || err.Error() != tt.want {
				t.Errorf("got error %v, want %s", err, tt.want)
			}
			if got != 7 {
				t.Errorf("a refused text changed the value to %v", got)
			}
		})
	}
}

func TestDurationForever(t *testing.T) {
	if got := Duration(Forever).String(); got != "no bound" {
		t.Errorf("got %q, want no bound", got)
	}
}
