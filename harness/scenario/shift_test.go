package scenario

import (
	"errors"
	"testing"
	"time"

	"github.com/rehearse-dev/rehearse/harness/source"
)

func TestShift(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Duration
	}{
		{"4s", 4 * time.Second}, {"-6m", -6 * time.Minute}, {"-1h30m", -90 * time.Minute},
	} {
		var got Shift
		if err := got.UnmarshalText([]byte(tt.text)); err != nil || got.Duration() != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.text, got.Duration(), err, tt.want)
		}
		if got.String() != tt.text {
			t.Errorf("written as %q, want %q", got.String(), tt.text)
		}
	}
	for _, text := range []string{"", "-", "--4s", "4", "-4", "+4s", "soon"} {
		var got Shift
		var invalid *source.Invalid
		if err := got.UnmarshalText([]byte(text)); !errors.As(err, &invalid) {
			t.Errorf("%q: got %v, want it refused", text, err)
		}
	}
}
