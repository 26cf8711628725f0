package source

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	keys := []string{"load", "lead", "services", "faults", "expect", "on"}
	tests := []struct {
		name, given, want string
	}{
		{"a letter missing", "lod", "load"},
		{"neighbours swapped", "laod", "load"},
		{"another case", "Services", "services"},
		{"a letter too many", "serviices", "services"},
		{"of two as near the first in the alphabet", "liad", "lead"},
		{"nothing like it", "banana", ""},
		{"too short to tell", "x", ""},
		{"empty", "", ""},
		{"too long to compare", strings.Repeat("load", 100), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := Nearest(tt.given, keys); got != tt.want || ok != (tt.want != "") {
				t.Errorf("Nearest(%q): got %q, %v, want %q", tt.given, got, ok, tt.want)
			}
		})
	}
}

func TestDidYouMean(t *testing.T) {
	for _, tt := range []struct {
		name, given string
		candidates  []string
		want        string
	}{
		{"one is near", "jvx", []string{"keyfunc", "jwx"}, `did you mean "jwx"?`},
		{"none is near", "spring", []string{"keyfunc", "jwx"}, "one of jwx, keyfunc"},
		{"there are none", "jwx", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := DidYouMean(tt.given, tt.candidates); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
