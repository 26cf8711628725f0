package source

import (
	"strings"
	"testing"
)

func TestIsLabel(t *testing.T) {
	for name, want := range map[string]bool{
		"auth": true, "a": true, "ring-0": true, "0": true, strings.Repeat("a", 63): true,
		"": false, "-a": false, "a-": false, "Auth": false, "a.b": false, "a_b": false, "é": false, "a\n": false, strings.Repeat("a", 64): false,
	} {
		if got := IsLabel(name); got != want {
			t.Errorf("IsLabel(%q): got %v, want %v", name, got, want)
		}
	}
}
